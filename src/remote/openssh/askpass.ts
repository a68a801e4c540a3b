/**
 * Lets `ssh` ask its questions through Durant's prompts: SSH_ASKPASS names a small helper that passes the question to a private
 * socket and prints the answer. Answers touch no argument, no environment and no file.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { platform } from '../../platform.ts';
import { quote } from '../shell.ts';
import type { ConnectRequest, PromptRequest } from '../target.ts';
import { classifyQuestion, type Question } from './questions.ts';

/** One `ssh` that may ask. */
export interface Conversation {
  /** Environment for the process. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether a person is being asked right now. */
  readonly asking: boolean;
  /** Resolves when somebody would not answer a question without which `ssh` cannot go on. */
  readonly refused: Promise<Question>;
}

export interface Askpass {
  /** Begins a conversation. In later ones, passphrases and passwords that were given before are given again, once. */
  converse(): Conversation;
  close(): void;
}

interface Asked {
  readonly token: string;
  readonly conversation: string;
  readonly text: string;
  readonly hint: string;
}

/** How often each question was asked in a conversation, and who is to be told of what. */
interface ConversationState {
  readonly attempts: Map<string, number>;
  asking: number;
  readonly refuse: (question: Question) => void;
}

/** Listens in `directory`, which must be private to the user. */
export async function openAskpass(directory: string, request: ConnectRequest): Promise<Askpass> {
  const token = randomBytes(24).toString('hex');
  const path = platform.socket(directory, 'a', randomBytes(12).toString('hex'));
  const conversations = new Map<string, ConversationState>();
  const given = new Map<string, string>();

  const answer = async (asked: Asked): Promise<string | undefined> => {
    const state = conversations.get(asked.conversation);
    if (state === undefined) return undefined;
    const question = classifyQuestion(asked.text, asked.hint);
    if (question.kind === 'notice') {
      request.onNotice?.('ssh-notice', asked.text.trim());
      return '';
    }
    const subject = questionSubject(question);
    const attempt = (state.attempts.get(subject) ?? 0) + 1;
    state.attempts.set(subject, attempt);
    const before = attempt === 1 ? given.get(subject) : undefined;
    if (before !== undefined) return before;
    state.asking += 1;
    const reply = await request
      .prompt(promptRequest(question, asked.text.trim(), attempt, request), request.signal)
      .finally(() => {
        state.asking -= 1;
      });
    const yesOrNo = question.kind === 'host-key' || question.kind === 'confirm';
    if (question.kind === 'host-key' && reply === question.fingerprint) return 'yes';
    if (yesOrNo) return reply === 'yes' ? 'yes' : undefined;
    if (reply === undefined && question.kind !== 'passphrase') state.refuse(question);
    if (reply !== undefined && question.kind !== 'one-time-code') given.set(subject, reply);
    return reply;
  };

  const serve = (socket: Socket): void => {
    let received = '';
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      const end = received.indexOf('\n');
      if (end === -1) {
        if (received.length > 65_536) socket.destroy();
        return;
      }
      const asked = parseAsked(received.slice(0, end));
      received = '';
      if (asked === undefined || !sameToken(asked.token, token)) {
        socket.destroy();
        return;
      }
      answer(asked).then(
        (reply) => socket.end(reply === undefined ? '' : `=${reply}`),
        () => socket.destroy(),
      );
    });
  };
  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  server.unref();
  const program = await writeHelper(directory, path, token);

  return {
    converse: () => {
      const id = randomBytes(8).toString('hex');
      let refuse: (question: Question) => void = () => undefined;
      const refused = new Promise<Question>((resolve) => {
        refuse = resolve;
      });
      const state: ConversationState = { attempts: new Map(), asking: 0, refuse };
      conversations.set(id, state);
      return {
        env: {
          SSH_ASKPASS: program,
          SSH_ASKPASS_REQUIRE: 'force',
          // Before OpenSSH 8.4, and in some Windows builds, a display is what allows it.
          DISPLAY: process.env['DISPLAY'] ?? ':0',
          DURANT_ASKPASS: id,
        },
        get asking() {
          return state.asking > 0;
        },
        refused,
      };
    },
    close: () => void server.close(),
  };
}

function promptRequest(
  question: Exclude<Question, { kind: 'notice' }>,
  message: string,
  attempt: number,
  request: ConnectRequest,
): PromptRequest {
  const { entry: server, host, user, port = request.port } = request.address;
  switch (question.kind) {
    case 'host-key':
      return { ...question, server, message };
    case 'passphrase':
      return { ...question, server, message, attempt };
    case 'password':
      return {
        kind: 'password',
        server,
        message,
        user: question.user || (user ?? request.user ?? ''),
        host: question.host || host,
        port,
        attempt,
      };
    case 'one-time-code':
      return { kind: 'one-time-code', server, message, echo: false };
    case 'confirm':
      return { kind: 'confirm', server, message, expect: undefined };
  }
}

function questionSubject(question: Question): string {
  if (question.kind === 'passphrase') return `passphrase ${question.path}`;
  if (question.kind === 'password') return `password ${question.user}@${question.host}`;
  return question.kind;
}

function parseAsked(line: string): Asked | undefined {
  const [token, conversation, text, hint] = line
    .split(' ')
    .map((word) => Buffer.from(word, 'base64').toString('utf8'));
  if (token === undefined || conversation === undefined || text === undefined) return undefined;
  return { token, conversation, text, hint: hint ?? '' };
}

function sameToken(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Runs in a Node of its own: the one that Durant runs in, which in the editor is Electron. */
function helperSource(path: string, token: string): string {
  return `const words = [${JSON.stringify(token)}, process.env.DURANT_ASKPASS || '', process.argv[2] || '', process.env.SSH_ASKPASS_PROMPT || ''];
const socket = require('net').connect(${JSON.stringify(path)});
let reply = '';
socket.setEncoding('utf8');
socket.on('connect', () => socket.write(words.map((word) => Buffer.from(word).toString('base64')).join(' ') + '\\n'));
socket.on('data', (chunk) => { reply += chunk; });
socket.on('error', () => { reply = ''; });
socket.on('close', () => {
  if (reply[0] !== '=') process.exitCode = 1;
  else process.stdout.write(reply.slice(1) + '\\n');
});
`;
}

async function writeHelper(directory: string, path: string, token: string): Promise<string> {
  const script = join(directory, 'askpass.cjs');
  await writeFile(script, helperSource(path, token), { mode: 0o600 });
  const program = join(directory, `askpass${platform.scriptEnding}`);
  const text =
    platform.scriptEnding === '.cmd'
      ? `@set ELECTRON_RUN_AS_NODE=1\r\n@"${process.execPath}" "${script}" %*\r\n`
      : `#!/bin/sh\nNODE_OPTIONS= ELECTRON_RUN_AS_NODE=1 exec ${quote(process.execPath)} ${quote(script)} "$1"\n`;
  await writeFile(program, text, { mode: 0o700 });
  return program;
}
