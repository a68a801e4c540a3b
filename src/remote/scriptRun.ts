/** Runs one script over an open channel of any client: input, output, time limit, cancelling, and what its end means. */
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { bug, cancelled, DurantError } from '../errors.ts';
import {
  createOutputFrame,
  encodeScript,
  parseProcessGroup,
  type OutputFrame,
  type ProcessGroup,
} from './bootstrap.ts';
import type { RemoteCommand, RemoteResult } from './target.ts';

/** A started `bootstrapCommand`: a channel, or a child process. */
export interface ScriptChannel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process is known to have ended. Rejects where the line is lost. */
  readonly ended: Promise<ChannelEnd>;
  /** Lets go of it without waiting. Idempotent. */
  close(): void;
}

/** How the process at the other end of a channel ended. */
export interface ChannelEnd {
  /** 128 + number for a signal; undefined where the server did not say. */
  readonly status: number | undefined;
  /** A signal ended the shell itself, so its last marker lines may never come. */
  readonly signalled: boolean;
}

/** What running a script needs besides its channel. */
export interface ScriptRunContext {
  /** For messages: the server entry as written. */
  readonly server: string;
  /** Ends a process group through another channel or connection; resolves when it is gone. */
  readonly endGroup: (group: ProcessGroup) => Promise<void>;
}

const keptBytes = 64 * 1024;
/** How long data may trail behind the end of a killed shell where a background child keeps the streams open. */
const trailingMs = 1000;
/** How long to wait for a script that was sent to say what its process group is, when it is to be ended. */
const groupMs = 10_000;

/**
 * Sends the script and its input, and waits for its end.
 * @throws {DurantError} `cancelled`, `timeout`, `connection-lost`, `connection-unsupported` where no POSIX `sh` answered; or the error
 * of the input stream (the script is ended then, so a broken input never looks like a short one).
 */
export async function runScript(
  channel: ScriptChannel,
  command: RemoteCommand,
  context: ScriptRunContext,
): Promise<RemoteResult> {
  const nonce = randomBytes(8).toString('hex');
  const stdout = readStream(channel.stdout, 'stdout', nonce, command);
  const stderr = readStream(channel.stderr, 'stderr', nonce, command);
  // An answer is there when both streams have shown their last marker, or the process has ended and the streams with it.
  const marked = Promise.all([stdout.marked, stderr.marked]);
  const ended = channel.ended.then(async (end) => {
    const complete: Promise<unknown>[] = [marked, Promise.all([stdout.closed, stderr.closed])];
    await Promise.race(end.signalled ? [...complete, delay(trailingMs)] : complete);
    return end.status;
  });
  ended.catch(() => undefined);

  const interrupted = watchInterruption(command, context.server);
  const input = sendInput(channel.stdin, encodeScript(command.script, nonce), command.input);
  try {
    const status = await Promise.race([
      marked.then(() => undefined),
      ended,
      interrupted.promise,
      input.failed,
    ]);
    return finish(status);
  } catch (error) {
    input.stop();
    if (!isConnectionLost(error)) await endScript();
    throw error;
  } finally {
    interrupted.dispose();
    input.stop();
    channel.close();
  }

  function finish(status: number | undefined): RemoteResult {
    const known = stdout.frame.status ?? stderr.frame.status ?? status;
    if (stdout.frame.begun === undefined) throw noShell(context.server, stdout.frame, stderr.frame, status);
    if (known === undefined)
      throw new DurantError(
        'connection-lost',
        `The channel to ${context.server} closed before the command ended.`,
        { remedy: 'Run again: the next run first clears up what was left.', server: context.server },
      );
    return { status: known, stdout: stdout.take(), stderr: stderr.take() };
  }

  async function endScript(): Promise<void> {
    await Promise.race([stdout.started, ended.catch(() => undefined), delay(groupMs)]);
    const group = parseProcessGroup(stdout.frame.begun ?? '');
    if (group === undefined || stdout.frame.status !== undefined) return;
    await context.endGroup(group);
  }
}

interface StreamReader {
  readonly frame: OutputFrame;
  readonly started: Promise<void>;
  readonly marked: Promise<void>;
  readonly closed: Promise<void>;
  take(): Buffer;
}

function readStream(
  stream: Readable,
  name: 'stdout' | 'stderr',
  nonce: string,
  command: RemoteCommand,
): StreamReader {
  const frame = createOutputFrame(nonce);
  const started = deferred();
  const marked = deferred();
  const closed = deferred();
  let chunks: Buffer[] = [];
  let kept = 0;
  let dropped = false;
  const keep = (data: Buffer): void => {
    if (data.length === 0) return;
    chunks.push(data);
    kept += data.length;
    command.onOutput?.(name, data);
    if (command.onOutput === undefined || kept < 2 * keptBytes) return;
    chunks = [Buffer.concat(chunks).subarray(-keptBytes)];
    kept = keptBytes;
    dropped = true;
  };
  stream.on('data', (chunk: Buffer) => {
    keep(frame.push(chunk));
    if (frame.begun !== undefined) started.resolve();
    if (frame.status !== undefined) marked.resolve();
  });
  const onClosed = (): void => {
    keep(frame.flush());
    closed.resolve();
  };
  stream.once('end', onClosed).once('close', onClosed).once('error', onClosed);
  return {
    frame,
    started: started.promise,
    marked: marked.promise,
    closed: closed.promise,
    take: () => {
      const all = Buffer.concat(chunks);
      if (command.onOutput === undefined || (!dropped && all.length <= keptBytes)) return all;
      const end = all.subarray(-keptBytes);
      // From the start of a line: half of a secret would not be recognised as one.
      return end.subarray(end.includes('\n') ? end.indexOf('\n') + 1 : end.length);
    },
  };
}

/** Writes script and input; a reader that goes away early (a script that ends without reading all) is no failure. */
function sendInput(
  stdin: Writable,
  script: Buffer,
  input: Readable | Buffer | undefined,
): { readonly failed: Promise<never>; stop(): void } {
  const { promise: failed, reject } = deferred<never>();
  failed.catch(() => undefined);
  stdin.on('error', () => undefined);
  if (input === undefined || Buffer.isBuffer(input)) {
    stdin.end(input === undefined ? script : Buffer.concat([script, input]));
    return { failed, stop: () => undefined };
  }
  stdin.write(script);
  // It may have broken while a channel was being opened.
  if (input.errored) reject(input.errored);
  let done = false;
  input.once('end', () => {
    done = true;
  });
  input.once('error', reject);
  input.once('close', () => {
    if (!done) reject(bug('The input of a remote command was closed before its end.'));
  });
  input.pipe(stdin);
  return {
    failed,
    stop: () => {
      input.unpipe(stdin);
      if (!done) input.destroy();
    },
  };
}

function watchInterruption(
  command: RemoteCommand,
  server: string,
): { readonly promise: Promise<never>; dispose(): void } {
  const { promise, reject } = deferred<never>();
  promise.catch(() => undefined);
  const onAbort = (): void => {
    reject(cancelled(server));
  };
  if (command.signal?.aborted === true) onAbort();
  command.signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    command.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          reject(
            new DurantError(
              'timeout',
              `The command on ${server} was ended after ${String((command.timeoutMs ?? 0) / 1000)} s.`,
              { remedy: 'Raise command_timeout if it needs longer.', server },
            ),
          );
        }, command.timeoutMs);
  return {
    promise,
    dispose: () => {
      clearTimeout(timer);
      command.signal?.removeEventListener('abort', onAbort);
    },
  };
}

function noShell(
  server: string,
  stdout: OutputFrame,
  stderr: OutputFrame,
  status: number | undefined,
): DurantError {
  const said = [stderr.noise, stdout.noise].filter((text) => text !== '').join('\n');
  const how = status === undefined ? 'closed the channel' : `ended with status ${status}`;
  return new DurantError(
    'connection-unsupported',
    `${server} did not run a POSIX sh: it ${how}${said === '' ? '' : ` and said “${said}”`}.`,
    { remedy: 'Give the login user a shell such as /bin/sh.', server },
  );
}

function isConnectionLost(error: unknown): boolean {
  return error instanceof DurantError && error.code === 'connection-lost';
}

function deferred<T = void>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    // Does not keep the process alive.
    setTimeout(resolve, ms).unref();
  });
}

/** Whoever asks has closed the connection before. */
export function closedConnection(entry: string): DurantError {
  return new DurantError('connection-lost', `The connection to ${entry} has been closed.`, {
    remedy: 'Run again.',
    server: entry,
  });
}
