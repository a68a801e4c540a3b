/** A connection that another process keeps, found by its socket and used like one's own. */
import { randomBytes } from 'node:crypto';
import { connect as connectTo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { bug, DurantError, type ErrorCode } from '../../errors.ts';
import type { Connection, ConnectRequest, RemoteCommand, RemoteResult } from '../target.ts';
import { objectIn, readFrames, send, type Frame } from './frames.ts';
import { isOwnSocket } from './place.ts';

/** How long the holder may take to say that the connection is there, which it may have to ask the server. */
const answerMs = 4_000;
const keptBytes = 64 * 1024;

/** The kept connection; undefined where there is none, or none that answers. */
export async function takeKept(
  path: string,
  request: ConnectRequest,
  keepMs: number,
): Promise<Connection | undefined> {
  if (!(await isOwnSocket(path))) return undefined;
  const user = await open(path);
  if (user === undefined) return undefined;
  const found = await new Promise<Readonly<Record<string, unknown>> | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), answerMs);
    user.once('close', () => resolve(undefined));
    readFrames(user, (frame) => {
      clearTimeout(timer);
      resolve(frame.kind === 'ready' ? objectIn(frame) : undefined);
    });
    send(user, 'use', { keepMs });
  });
  if (found === undefined) {
    user.destroy();
    return undefined;
  }
  const { entry } = request.address;
  const opened = new Set<Socket>([user]);
  let closed = false;
  const line: Line = {
    server: entry,
    another: () => open(path),
    open: async (options) => {
      const socket = closed ? undefined : await open(path, options);
      if (socket === undefined || closed) {
        socket?.destroy();
        throw lost(entry);
      }
      opened.add(socket);
      socket.once('close', () => opened.delete(socket));
      return socket;
    },
  };
  return {
    address: request.address,
    description: `${String(found['description'])}, kept`,
    user: String(found['user']),
    exec: (command) => run(line, command),
    forward: (host, port) => forward(line, host, port),
    posixRename: found['renames'] === true ? (from, to) => rename(line, from, to) : undefined,
    close: () => {
      closed = true;
      for (const socket of opened) socket.destroy();
    },
  };
}

/** One command's way to the holder. */
interface Line {
  /** The server's entry, for messages. */
  readonly server: string;
  /** A socket that ends with the connection. @throws {DurantError} `connection-lost`. */
  open(options?: Parameters<typeof open>[1]): Promise<Socket>;
  /** One that does not. */
  another(): Promise<Socket | undefined>;
}

function open(path: string, options: { readonly allowHalfOpen?: true } = {}): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connectTo({ path, ...options });
    socket.once('connect', () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}

function lost(server: string): DurantError {
  return new DurantError('connection-lost', `The kept connection to ${server} has ended.`, {
    remedy: 'Run again, which connects anew.',
    server,
  });
}

function failureIn(frame: Frame, server: string): DurantError {
  const { code, summary, remedy, output } = objectIn(frame);
  // The holder speaks the same protocol, or its socket would have another name.
  return new DurantError(code as ErrorCode, String(summary), {
    server,
    remedy: String(remedy),
    output: String(output),
  });
}

async function run(line: Line, command: RemoteCommand): Promise<RemoteResult> {
  const { server } = line;
  const { script, input, onOutput, signal, timeoutMs } = command;
  if (input !== undefined && !Buffer.isBuffer(input)) input.on('error', () => undefined);
  const id = randomBytes(8).toString('hex');
  const socket = await line.open();
  const kept = { stdout: tail(onOutput === undefined), stderr: tail(onOutput === undefined) };
  const onAbort = (): void => {
    line
      .another()
      .then((other) => {
        // Without a holder the script's line is gone, and so is the script's reader.
        if (other === undefined) socket.destroy();
        else {
          send(other, 'end', { id });
          other.end();
        }
      })
      .catch(() => undefined);
  };
  try {
    return await new Promise<RemoteResult>((resolve, reject) => {
      socket.once('close', () => reject(lost(server)));
      readFrames(socket, (frame) => {
        const stream = frame.kind === 'output' ? 'stdout' : frame.kind === 'errors' ? 'stderr' : undefined;
        if (stream !== undefined) {
          kept[stream].add(frame.body);
          onOutput?.(stream, frame.body);
        } else if (frame.kind === 'failed') reject(failureIn(frame, server));
        else if (frame.kind === 'done')
          resolve({
            status: Number(objectIn(frame)['status']),
            stdout: kept.stdout.take(),
            stderr: kept.stderr.take(),
          });
      });
      send(socket, 'run', {
        id,
        script,
        hasInput: input !== undefined,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      sendInput(socket, input, reject);
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (input !== undefined && !Buffer.isBuffer(input)) input.destroy();
    socket.destroy();
  }
}

/** As much as there is room for, and its end. An input that breaks breaks the exchange, so the holder never takes it for whole. */
function sendInput(socket: Socket, input: RemoteCommand['input'], failed: (error: unknown) => void): void {
  if (input === undefined) return;
  if (Buffer.isBuffer(input)) {
    send(socket, 'data', input);
    send(socket, 'finish');
    return;
  }
  if (input.errored) failed(input.errored);
  let ended = false;
  input.on('data', (chunk: Buffer) => {
    if (send(socket, 'data', Buffer.from(chunk))) return;
    input.pause();
    socket.once('drain', () => input.resume());
  });
  input.once('end', () => {
    ended = true;
    send(socket, 'finish');
  });
  input.once('error', failed);
  input.once('close', () => {
    if (!ended) failed(bug('The input of a remote command was closed before its end.'));
  });
}

/** All that came, or its last 64 KiB from the start of a line: half of a secret would not be recognised as one. */
function tail(all: boolean): { add(chunk: Buffer): void; take(): Buffer } {
  let chunks: Buffer[] = [];
  let length = 0;
  let dropped = false;
  return {
    add: (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (all || length < 2 * keptBytes) return;
      chunks = [Buffer.concat(chunks).subarray(-keptBytes)];
      length = keptBytes;
      dropped = true;
    },
    take: () => {
      const found = Buffer.concat(chunks);
      if (all || (!dropped && found.length <= keptBytes)) return found;
      const end = found.subarray(-keptBytes);
      return end.subarray(end.includes('\n') ? end.indexOf('\n') + 1 : end.length);
    },
  };
}

async function rename(line: Line, from: string, to: string): Promise<void> {
  const { server } = line;
  const socket = await line.open();
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(lost(server)));
      readFrames(socket, (frame) => {
        if (frame.kind === 'done') resolve();
        else reject(failureIn(frame, server));
      });
      send(socket, 'rename', { from, to });
    });
  } finally {
    socket.destroy();
  }
}

async function forward(line: Line, host: string, port: number): Promise<Duplex | undefined> {
  const { server } = line;
  const socket = await line.open({ allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(lost(server)));
    const reader = readFrames(socket, (frame) => {
      reader.stop();
      if (frame.kind === 'ready') resolve(socket);
      else if (frame.kind === 'done') resolve(undefined);
      else reject(failureIn(frame, server));
      if (frame.kind !== 'ready') socket.destroy();
    });
    send(socket, 'forward', { host, port });
  });
}
