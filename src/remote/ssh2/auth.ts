/**
 * Authentication (RFC 4252, 4256) with as few round trips as there can be: no `none` probe, keys that cost nobody a question are signed
 * without asking first, and with OpenSSH what comes next is sent along.
 */
import type { ParsedKey } from 'ssh2';
import { DurantError } from '../../errors.ts';
import { fingerprint } from '../knownHosts.ts';
import type { AuthenticationMethod, SshSettings } from '../settings.ts';
import type { Prompter } from '../target.ts';
import type { AuthenticationMessage, KeyboardPrompt, Ssh2Internals } from './internals.ts';
import type { KeyCandidate, KeyRing } from './keys.ts';

/** What was tried so far; kept when a server that counts attempts has ended the connection and another one goes on. */
export interface AuthenticationProgress {
  /** Fingerprints of keys that the server refused. */
  readonly refusedKeys: Set<string>;
  /** For people, in order. */
  readonly tried: string[];
  /** Methods that are used up. */
  readonly exhausted: Set<AuthenticationMethod>;
  passwordAttempts: number;
  /** Where a question found nobody to answer it. */
  unanswered: string | undefined;
}

export function newProgress(): AuthenticationProgress {
  return {
    refusedKeys: new Set(),
    tried: [],
    exhausted: new Set(),
    passwordAttempts: 0,
    unanswered: undefined,
  };
}

/** Passwords that were right, by user@host:port, for a further connection of the same session. */
export type KnownPasswords = Map<string, string>;

export interface AuthenticationContext {
  readonly server: string;
  readonly settings: SshSettings;
  readonly keys: Promise<KeyRing>;
  readonly prompt: Prompter;
  readonly signal: AbortSignal;
  readonly passwords: KnownPasswords;
  readonly progress: AuthenticationProgress;
  /** Stops the connection's clock while a person is asked. */
  readonly untimed: <T>(work: Promise<T>) => Promise<T>;
  /** Requests that may follow a signed one before its answer (RFC 4252 §6), and how to take them back when it is refused. */
  readonly ahead: { send(): void; takeBack(): void };
}

type Reply = Extract<AuthenticationMessage, { kind: 'success' | 'failure' }>;
type Failure = Extract<AuthenticationMessage, { kind: 'failure' }>;

/**
 * Resolves when the server has let us in. Messages are read through `next`, which rejects when the connection ends.
 * @throws {DurantError} `authentication-failed`.
 */
export async function authenticate(
  io: Ssh2Internals,
  next: () => Promise<AuthenticationMessage>,
  context: AuthenticationContext,
): Promise<void> {
  const { progress, settings } = context;
  const ring = await context.keys;
  const candidates = ring.candidates.filter((key) => !progress.refusedKeys.has(idOf(key)));
  const locked = [...ring.locked];
  let offered: readonly string[] | undefined;

  const nextKey = async (): Promise<KeyCandidate | undefined> => {
    const known = candidates.shift();
    if (known !== undefined) return known;
    for (let unlock = locked.shift(); unlock !== undefined; unlock = locked.shift()) {
      const key = await context.untimed(unlock());
      if (key !== undefined && !progress.refusedKeys.has(idOf(key))) return key;
    }
    return undefined;
  };
  const open = (method: AuthenticationMethod): boolean =>
    !settings.disabledMethods.includes(method) &&
    !progress.exhausted.has(method) &&
    (offered === undefined || offered.includes(method));

  for (;;) {
    let reply: Reply | undefined;
    if (open('publickey')) {
      const key = await nextKey();
      if (key === undefined) progress.exhausted.add('publickey');
      else reply = await tryKey(io, next, context, key);
    } else if (offered === undefined) {
      // Without a key the server must first be asked what it takes.
      io.protocol.authNone(settings.user);
      reply = await answer(next);
    } else if (open('keyboard-interactive')) reply = await tryKeyboard(io, next, context);
    else if (open('password')) reply = await tryPassword(io, next, context);
    else throw refused(context, ring, offered);

    if (reply === undefined) continue;
    if (reply.kind === 'success') return;
    if (reply.partial) {
      // One of several methods is done; the server says which are left, and each counts anew.
      progress.exhausted.clear();
      progress.passwordAttempts = 0;
      candidates.push(...ring.candidates.filter((key) => !progress.refusedKeys.has(idOf(key))));
      candidates.splice(0, candidates.length, ...new Set(candidates));
    }
    offered = reply.methods;
  }
}

const idOf = (key: KeyCandidate): string => fingerprint(key.publicKey.getPublicSSH());

async function tryKey(
  io: Ssh2Internals,
  next: () => Promise<AuthenticationMessage>,
  context: AuthenticationContext,
  key: KeyCandidate,
): Promise<Reply | undefined> {
  const { settings, progress } = context;
  const algorithm = signatureAlgorithm(key.publicKey, io);
  if (algorithm === undefined) {
    progress.tried.push(`${key.description} (the server takes no signature of its kind)`);
    return undefined;
  }
  if (!key.signAtOnce) {
    io.protocol.authPK(settings.user, key.publicKey, algorithm.name);
    const asked = await next();
    if (asked.kind !== 'key-accepted') return noteKey(context, key, expectReply(asked));
  }
  const signed = await sendSigned(io, context, key, algorithm);
  if (!signed) {
    progress.refusedKeys.add(idOf(key));
    progress.tried.push(`${key.description} (could not be used: no passphrase, or the agent declined)`);
    return undefined;
  }
  context.ahead.send();
  let message = await next();
  // Answered to a query that this signature has overtaken; the answer to the signature follows.
  if (message.kind === 'key-accepted') message = await next();
  const reply = expectReply(message);
  if (reply.kind === 'failure') context.ahead.takeBack();
  return noteKey(context, key, reply);
}

function noteKey(context: AuthenticationContext, key: KeyCandidate, reply: Reply): Reply {
  if (reply.kind === 'failure' && !reply.partial) {
    context.progress.tried.push(`${key.description} (refused)`);
    context.progress.refusedKeys.add(idOf(key));
  }
  return reply;
}

/** Resolves to false where no signature could be had. */
function sendSigned(
  io: Ssh2Internals,
  context: AuthenticationContext,
  key: KeyCandidate,
  algorithm: SignatureAlgorithm,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    io.protocol.authPK(context.settings.user, key.publicKey, algorithm.name, (data, done) => {
      context
        .untimed(key.sign(data, algorithm.hash))
        .then((signature) => {
          if (signature !== undefined) done(signature);
          resolve(signature !== undefined);
        })
        .catch(reject);
    });
  });
}

interface SignatureAlgorithm {
  readonly name: string;
  readonly hash: string | undefined;
}

/** RSA keys sign with SHA-2 where the server says so, or is an OpenSSH that can (7.2 and newer); else as of old. */
function signatureAlgorithm(key: ParsedKey, io: Ssh2Internals): SignatureAlgorithm | undefined {
  if (key.type !== 'ssh-rsa') return { name: key.type, hash: undefined };
  const modern = [
    { name: 'rsa-sha2-512', hash: 'sha512' },
    { name: 'rsa-sha2-256', hash: 'sha256' },
  ];
  const old = { name: 'ssh-rsa', hash: 'sha1' };
  const offered = io.signatureAlgorithms;
  if (offered !== undefined) return [...modern, old].find(({ name }) => offered.includes(name));
  return isModernOpenssh(io.serverSoftware) ? modern[0] : old;
}

/** OpenSSH since 7.4, which takes what is sent ahead of an answer in order, as the RFC has it. */
export function isModernOpenssh(software: string | undefined): boolean {
  const version = /^OpenSSH_(\d+)\.(\d+)/.exec(software ?? '');
  if (version === null) return false;
  return Number(version[1]) > 7 || (Number(version[1]) === 7 && Number(version[2]) >= 4);
}

async function tryKeyboard(
  io: Ssh2Internals,
  next: () => Promise<AuthenticationMessage>,
  context: AuthenticationContext,
): Promise<Reply | undefined> {
  io.protocol.authKeyboard(context.settings.user);
  let asked = false;
  for (;;) {
    const message = await next();
    if (message.kind !== 'questions') {
      const reply = expectReply(message);
      if (reply.kind === 'failure' && !reply.partial) {
        // Refused without a question: not set up on the server. Refused with: wrong, may be asked again.
        if (!asked || context.progress.passwordAttempts >= context.settings.passwordPrompts)
          context.progress.exhausted.add('keyboard-interactive');
        if (asked) context.progress.tried.push('keyboard-interactive (refused)');
      }
      return reply;
    }
    const answers = await answerQuestions(message, context);
    if (answers === undefined) {
      context.progress.exhausted.add('keyboard-interactive').add('password');
      // An empty set of answers ends the exchange with a refusal.
      io.protocol.authInfoRes(message.prompts.map(() => ''));
      const reply = await answer(next);
      return reply;
    }
    asked = asked || message.prompts.length > 0;
    io.protocol.authInfoRes(answers);
  }
}

async function answerQuestions(
  message: Extract<AuthenticationMessage, { kind: 'questions' }>,
  context: AuthenticationContext,
): Promise<string[] | undefined> {
  const answers: string[] = [];
  if (message.prompts.length > 0) context.progress.passwordAttempts += 1;
  for (const question of message.prompts) {
    const reply = asksForPassword(question)
      ? await askPassword(context, question.prompt)
      : await context.untimed(
          context.prompt(
            {
              kind: 'one-time-code',
              server: context.server,
              message: [message.name, message.instructions, question.prompt]
                .map((text) => text.trim())
                .filter((text) => text !== '')
                .join('\n'),
              echo: question.echo,
            },
            context.signal,
          ),
        );
    if (reply === undefined) {
      context.progress.unanswered = `“${question.prompt.trim()}” was not answered`;
      return undefined;
    }
    answers.push(reply);
  }
  return answers;
}

/** One question that hides its answer and speaks of a password, not of a code. */
function asksForPassword({ prompt, echo }: KeyboardPrompt): boolean {
  const code = /one.?time|otp|token|code|verification|pin\b|duo|passcode/i;
  const password =
    /pass ?word|passwort|passphrase|mot de passe|contraseña|senha|wachtwoord|hasło|пароль|密码|パスワード/i;
  return !echo && password.test(prompt) && !code.test(prompt);
}

async function tryPassword(
  io: Ssh2Internals,
  next: () => Promise<AuthenticationMessage>,
  context: AuthenticationContext,
): Promise<Reply | undefined> {
  const { progress, settings } = context;
  if (progress.passwordAttempts >= settings.passwordPrompts) {
    progress.exhausted.add('password');
    return undefined;
  }
  progress.passwordAttempts += 1;
  const password = await askPassword(context, undefined);
  if (password === undefined) {
    progress.unanswered = 'the password was not given';
    progress.exhausted.add('password');
    return undefined;
  }
  io.protocol.authPassword(settings.user, password);
  const message = await next();
  if (message.kind === 'password-change')
    throw new DurantError(
      'authentication-failed',
      `The password of ${settings.user} on ${context.server} has expired. Log in with ssh in a terminal and change it.`,
      { server: context.server },
    );
  const reply = expectReply(message);
  if (reply.kind === 'failure' && !reply.partial) progress.tried.push('password (refused)');
  return reply;
}

async function askPassword(
  context: AuthenticationContext,
  prompt: string | undefined,
): Promise<string | undefined> {
  const { settings, progress, passwords } = context;
  const account = `${settings.user}@${settings.hostname}:${settings.port}`;
  const known = passwords.get(account);
  if (known !== undefined && progress.passwordAttempts === 1) return known;
  const again = progress.passwordAttempts > 1 ? 'Permission denied, please try again. ' : '';
  const password = await context.untimed(
    context.prompt(
      {
        kind: 'password',
        server: context.server,
        message: `${again}${prompt?.trim() ?? `Password for ${settings.user} on ${settings.hostname}`}`,
        user: settings.user,
        host: settings.hostname,
        attempt: progress.passwordAttempts,
      },
      context.signal,
    ),
  );
  if (password !== undefined) passwords.set(account, password);
  return password;
}

async function answer(next: () => Promise<AuthenticationMessage>): Promise<Reply> {
  return expectReply(await next());
}

function expectReply(message: AuthenticationMessage): Reply {
  if (message.kind === 'success' || message.kind === 'failure') return message;
  throw new DurantError(
    'connection-unsupported',
    'The server answered out of turn while logging in. Set ssh_client: openssh.',
  );
}

/** What was tried and what to do. */
function refused(context: AuthenticationContext, ring: KeyRing, offered: Failure['methods']): DurantError {
  const { settings, progress, server } = context;
  const account = `${settings.user}@${settings.hostname}:${settings.port}`;
  const tried =
    progress.tried.length === 0 ? 'no key was found to try' : `tried ${counted(progress.tried).join(', ')}`;
  const facts = [
    tried,
    ...(progress.unanswered === undefined ? [] : [progress.unanswered]),
    ...ring.remarks,
    `the server takes ${offered.join(', ') || 'nothing that is known'}`,
  ];
  const remedies = [
    ...(offered.includes('publickey')
      ? [
          'load the right key with ssh-add or name it with ssh_identity, and see that it is in the authorized_keys of the server',
        ]
      : []),
    ...(progress.unanswered !== undefined || progress.tried.some((text) => text.includes('no passphrase'))
      ? ['run in a terminal or in the editor to be asked']
      : []),
  ];
  return new DurantError(
    'authentication-failed',
    `${account} did not let us in: ${facts.join('; ')}. To mend it, ${remedies.join(', or ') || `check that ssh ${settings.originalHost} works`}.`,
    { server },
  );
}

function counted(items: readonly string[]): string[] {
  return [...new Set(items)].map((item) => {
    const times = items.filter((other) => other === item).length;
    return times === 1 ? item : `${item.replace(/\)$/, '')} ${times} times)`;
  });
}
