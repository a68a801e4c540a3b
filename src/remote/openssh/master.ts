/** The `ssh` that holds the one connection to a server, which all other `ssh` processes share through its control socket. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { cancelled, DurantError } from '../../errors.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';
import { connectionArguments, masterArguments, type Destination, type HostKeyFiles } from './arguments.ts';
import type { Conversation } from './askpass.ts';
import { connectFailure } from './failures.ts';
import { keepLog, startGuardedSsh, type ProcessLog, type SshProcess } from './process.ts';
import type { Question } from './questions.ts';

export interface Master {
  /** Path of the control socket. */
  readonly socket: string;
  /** What it wrote lately, debug lines included. */
  log(): string;
  /** How many characters it wrote in all. */
  logged(): number;
  /** Whether it still takes sessions. */
  isAlive(): Promise<boolean>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Ends it without waiting; its folder goes with it. */
  close(): void;
}

/** How long authentication may be silent while no question of ours is open: an agent may be asking for a touch or a fingerprint. */
const authenticationMs = 120_000;

/** Connects. @throws {DurantError} the connection codes, `cancelled`. */
export async function startMaster(
  request: ConnectRequest,
  to: Destination,
  directory: string,
  conversation: Conversation,
  hostKeys: HostKeyFiles,
  jumps: readonly SshSettings[] = [],
): Promise<Master> {
  const socket = join(directory, 'c');
  const child = startGuardedSsh(
    request.sshPath ?? 'ssh',
    [...masterArguments(socket), ...connectionArguments(request, hostKeys), ...to.arguments, '--', to.host],
    conversation.env,
    directory,
  );
  const log = keepLog(child);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve()).once('error', () => resolve());
  });
  const close = (): void => void child.stdin.end();
  try {
    await becomeReady(request, { child, socket, log, conversation, jumps });
  } catch (error) {
    close();
    await ended;
    throw error;
  }
  return { socket, log: log.text, logged: log.written, isAlive: () => accepts(socket), ended, close };
}

interface Starting {
  readonly child: SshProcess;
  readonly socket: string;
  readonly log: ProcessLog;
  readonly conversation: Conversation;
  /** Jump hosts on the way. */
  readonly jumps: readonly SshSettings[];
}

async function becomeReady(request: ConnectRequest, starting: Starting): Promise<void> {
  const { child, socket, log, conversation, jumps } = starting;
  const { entry } = request.address;
  const watch = watchProgress(request, starting);
  const ready = new Promise<void>((resolve, reject) => {
    const check = (): void => {
      // Links the socket into place after it has said so: look again until it is there.
      if (!/setting up multiplex master socket/.test(log.text())) return;
      if (existsSync(socket)) resolve();
      else if (child.exitCode === null && child.signalCode === null) setTimeout(check, 5);
    };
    child.stderr.on('data', check);
    child.once('error', (error) => reject(startFailure(entry, error.message)));
    child.once('close', (status) => {
      if (status === 126 || status === 127) reject(startFailure(entry, log.text().trim()));
      else reject(connectFailure(entry, log.text(), jumps));
    });
  });
  const refused = conversation.refused.then((question) => {
    throw unanswered(entry, question);
  });
  try {
    await Promise.race([ready, refused, watch.failed]);
  } finally {
    watch.dispose();
    refused.catch(() => undefined);
    ready.catch(() => undefined);
  }
}

/** Rejects when the user cancels, or when nothing has happened for too long. */
function watchProgress(
  request: ConnectRequest,
  { child, log, conversation }: Starting,
): { readonly failed: Promise<never>; dispose(): void } {
  const { address, connectTimeoutMs, signal } = request;
  let reject: (error: DurantError) => void = () => undefined;
  const failed = new Promise<never>((_, no) => {
    reject = no;
  });
  failed.catch(() => undefined);
  const onAbort = (): void => reject(cancelled(address.entry));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  let since = Date.now();
  const onProgress = (): void => {
    since = Date.now();
  };
  child.stderr.on('data', onProgress);
  const timer = setInterval(
    () => {
      if (conversation.asking) since = Date.now();
      const authenticating = /SSH2_MSG_SERVICE_ACCEPT received/.test(log.text());
      if (Date.now() - since < (authenticating ? authenticationMs : connectTimeoutMs)) return;
      const limit = `${String(connectTimeoutMs / 1000)} s`;
      reject(
        new DurantError('host-unreachable', `${address.entry} did not answer within ${limit}.`, {
          remedy: 'Check its name, its port and the network.',
          server: address.entry,
        }),
      );
    },
    Math.min(250, connectTimeoutMs),
  );
  return {
    failed,
    dispose: () => {
      clearInterval(timer);
      signal.removeEventListener('abort', onAbort);
      child.stderr.off('data', onProgress);
    },
  };
}

/** The error where a question stayed open without whose answer nobody is let in. */
export function unanswered(server: string, question: Question): DurantError {
  const wanted = question.kind === 'password' ? 'a password' : 'an answer';
  return new DurantError('authentication-failed', `${server} asks for ${wanted}, and none was given.`, {
    remedy: 'Run in a terminal or the editor to be asked, or set up a key.',
    server,
  });
}

/** The error where `ssh` itself could not be started. */
export function startFailure(server: string, reason: string): DurantError {
  return new DurantError('local-tool-missing', `OpenSSH's ssh could not be started (${reason}).`, {
    remedy: 'Install it, or use ssh_client: ssh2.',
    server,
  });
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
