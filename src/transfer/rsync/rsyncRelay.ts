/**
 * Where rsync's remote shell comes in: a private socket of this machine whose one visitor is joined to a `rsync --server` on the server,
 * through the connection that is already open. No second login, so passwords, one-time codes and jump hosts have been dealt with.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { bug } from '../../errors.ts';
import { makePrivateDirectory, removePrivateDirectory } from '../../remote/openssh/privateDirectory.ts';
import { quote } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { serverArguments } from './rsyncArguments.ts';

/** What the visitor says first, as one line of JSON. */
export interface RsyncGreeting {
  readonly token: string;
  /** As rsync called its remote shell: host, program, arguments. */
  readonly argv: readonly string[];
}

/** The hidden subcommand of the command line that is rsync's remote shell. */
export const rsyncShellCommand = '__rsync-shell';

/** Variables that tell the visitor where the door is and what to say. */
export const doorVariables = { socket: 'DURANT_RSYNC_SOCKET', token: 'DURANT_RSYNC_TOKEN' } as const;

export interface RsyncDoor {
  /** For rsync's environment; never for a command line. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether somebody was let in; where nobody was when the client ended, nobody comes any more. */
  visited(): boolean;
  /** Settles when the server's rsync has ended, with what it said on standard error and its exit status. */
  readonly served: Promise<{ readonly status: number; readonly stderr: string }>;
  /** Closes it and removes its folder. `served` rejects where nobody came. */
  close(): void;
}

export interface DoorRequest {
  readonly connection: Connection;
  /** sh text that runs before the server's rsync. */
  readonly prelude: string;
  readonly signal: AbortSignal;
}

const greetingBytes = 64 * 1024;

/** Opens the door; it lets one visitor in, once. */
export async function openRsyncDoor(request: DoorRequest): Promise<RsyncDoor> {
  const directory = await makePrivateDirectory();
  const path = join(directory, 's');
  const token = randomBytes(32).toString('hex');
  let settle: RsyncDoorSettle = { resolve: () => undefined, reject: () => undefined };
  const served = new Promise<{ readonly status: number; readonly stderr: string }>((resolve, reject) => {
    settle = { resolve, reject };
  });
  served.catch(() => undefined);
  const sockets = new Set<Socket>();
  let visited = false;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    void greet(socket, token).then((argv) => {
      if (argv === undefined) {
        socket.destroy();
        return;
      }
      visited = true;
      // Nobody else may come, so nothing has to lie about for the hours that a transfer may take: not even a kill leaves anything.
      server.close();
      removePrivateDirectory(directory);
      serve(socket, argv, request).then(settle.resolve, settle.reject);
    });
  });
  server.on('error', () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    removePrivateDirectory(directory);
    throw error;
  }
  return {
    env: { [doorVariables.socket]: path, [doorVariables.token]: token },
    served,
    visited: () => visited,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      settle.reject(bug('rsync never came to its connection.'));
      removePrivateDirectory(directory);
    },
  };
}

interface RsyncDoorSettle {
  readonly resolve: (value: { readonly status: number; readonly stderr: string }) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads the greeting; undefined where it is not the one that was agreed on. What came after it is put back. */
function greet(socket: Socket, token: string): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      const newline = all.indexOf(0x0a);
      if (newline < 0) {
        if (all.length > greetingBytes) finish(undefined);
        return;
      }
      socket.pause();
      const rest = all.subarray(newline + 1);
      if (rest.length > 0) socket.unshift(rest);
      finish(parseGreeting(all.toString('utf8', 0, newline), token));
    };
    const finish = (argv: readonly string[] | undefined): void => {
      socket.off('data', onData);
      resolve(argv);
    };
    socket.on('data', onData);
    socket.once('close', () => resolve(undefined));
    socket.resume();
  });
}

function parseGreeting(line: string, token: string): readonly string[] | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null || !('token' in said) || !('argv' in said)) return undefined;
  const { token: shown, argv } = said;
  if (typeof shown !== 'string' || !isSame(shown, token)) return undefined;
  return Array.isArray(argv) && argv.every((word) => typeof word === 'string')
    ? serverArguments(argv)
    : undefined;
}

function isSame(shown: string, token: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function serve(
  socket: Socket,
  argv: readonly string[],
  { connection, prelude, signal }: DoorRequest,
): Promise<{ readonly status: number; readonly stderr: string }> {
  // A visitor that dies ends the server's standard input: rsync there then ends by itself.
  const input = new PassThrough();
  socket.pipe(input);
  socket.once('close', () => input.end());
  try {
    const result = await connection.exec({
      script: `${prelude}exec rsync ${argv.map(quote).join(' ')}`,
      input,
      signal,
      onOutput: (stream, chunk) => {
        if (stream === 'stdout' && !socket.destroyed) socket.write(chunk);
      },
    });
    socket.end();
    return { status: result.status, stderr: result.stderr.toString('utf8').trim() };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    input.destroy();
  }
}
