/**
 * The process that keeps one connection after the command that it is like, as ssh's ControlPersist does: logs in without a question, and
 * runs what commands of the same user ask for, until nobody has used it for as long as the last one wished.
 */
import { chmodSync, unlinkSync } from 'node:fs';
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { asDurantError, fieldsOf } from '../../errors.ts';
import { createConnect } from '../connect.ts';
import type { Connection, RemoteCommand } from '../target.ts';
import type { HolderRequest } from './holderRequest.ts';
import { objectIn, readFrames, send, type Frame } from './frames.ts';

/** After this long, ms, an unused connection is asked whether it is still there before anybody gets it. */
const trustedMs = 10_000;
const probeMs = 3_000;

/** Resolves when it is over, whatever the reason: nobody listens to a holder. */
export async function holdConnection({ socket, keepMs, request }: HolderRequest): Promise<void> {
  process.umask(0o077);
  const server = createServer({ allowHalfOpen: true });
  // Who comes before the login is done waits for it.
  const early: Socket[] = [];
  const wait = (visitor: Socket): void => void early.push(visitor.on('error', () => undefined));
  server.on('connection', wait);
  if (!(await listen(server, socket))) return;
  try {
    chmodSync(socket, 0o600);
    const connection = await createConnect()({
      ...request,
      // Whoever started it has just logged in there: the host is known, and what had to be asked is not kept.
      hostKeyChecking: 'strict',
      mayAddHostKeys: false,
      prompt: async () => undefined,
      signal: new AbortController().signal,
    });
    server.off('connection', wait);
    await serve(server, early, connection, keepMs);
    connection.close();
  } catch {
    // The next command connects by itself.
  } finally {
    server.close();
    for (const visitor of early) visitor.destroy();
    // Node removes the socket of a server that is closed, but not once the process is told to exit.
    try {
      unlinkSync(socket);
    } catch {
      // It is gone.
    }
  }
}

/** Takes the socket's name, also where a holder that was killed has left it. @returns false where one is at work. */
async function listen(server: Server, path: string): Promise<boolean> {
  for (const again of [true, false]) {
    const taken = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(true));
      server.listen(path, () => resolve(false));
    });
    if (!taken) return true;
    if (!again || (await answers(path))) return false;
    unlinkSync(path);
  }
  return false;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Serves commands until the line is lost or nobody uses it any more. */
function serve(
  server: Server,
  early: readonly Socket[],
  connection: Connection,
  keepMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const scripts = new Map<string, AbortController>();
    let users = 0;
    let idleSince = Date.now();
    let patience = keepMs;
    let timer = setTimeout(resolve, patience);
    const use = async (socket: Socket, frame: Frame): Promise<void> => {
      const { keepMs: wished } = objectIn(frame);
      clearTimeout(timer);
      users += 1;
      socket.once('close', () => {
        users -= 1;
        idleSince = Date.now();
        if (typeof wished === 'number') patience = wished;
        if (users === 0) timer = setTimeout(resolve, patience);
      });
      const isTrusted = connection.lost !== undefined && (users > 1 || Date.now() - idleSince < trustedMs);
      if (isTrusted || (await isAlive(connection)))
        send(socket, 'ready', {
          description: connection.description,
          user: connection.user,
          renames: connection.posixRename !== undefined,
        });
      else resolve();
    };
    const onVisitor = (socket: Socket): void => {
      socket.on('error', () => undefined);
      let isPort = false;
      // Only a port's bytes may end on one side.
      socket.once('end', () => {
        if (!isPort) socket.destroy();
      });
      const reader = readFrames(socket, (frame) => {
        const asked = async (): Promise<void> => {
          if (frame.kind === 'use') await use(socket, frame);
          else if (frame.kind === 'run') {
            reader.stop();
            await runFor(socket, connection, frame, scripts);
          } else if (frame.kind === 'end') scripts.get(String(objectIn(frame)['id']))?.abort();
          else if (frame.kind === 'rename') {
            const { from, to } = objectIn(frame);
            await connection.posixRename?.(String(from), String(to));
            send(socket, 'done');
          } else if (frame.kind === 'forward') {
            isPort = true;
            reader.stop();
            await forwardFor(socket, connection, frame);
          }
        };
        asked().catch((thrown: unknown) => {
          const error = asDurantError(thrown);
          send(socket, 'failed', fieldsOf(error));
          socket.end();
          // Whoever tries again finds no socket, and logs in anew.
          if (error.code === 'connection-lost') resolve();
        });
      });
    };
    // A line that is seen to end is nobody's to fail with.
    connection.lost?.catch(() => resolve());
    server.on('connection', onVisitor);
    for (const socket of early) onVisitor(socket);
  });
}

async function isAlive(connection: Connection): Promise<boolean> {
  try {
    return (await connection.exec({ script: ':', timeoutMs: probeMs })).status === 0;
  } catch {
    return false;
  }
}

async function runFor(
  socket: Socket,
  connection: Connection,
  frame: Frame,
  scripts: Map<string, AbortController>,
): Promise<void> {
  const { id, script, timeoutMs, hasInput } = objectIn(frame);
  const abort = new AbortController();
  scripts.set(String(id), abort);
  const input = hasInput === true ? new PassThrough() : undefined;
  input?.on('error', () => undefined);
  const reader = readFrames(socket, ({ kind, body }) => {
    if (kind === 'data' && input?.write(body) === false) {
      socket.pause();
      input.once('drain', () => socket.resume());
    } else if (kind === 'finish') input?.end();
  });
  socket.resume();
  // A command that was killed has not sent all: its script is not to take that for the end.
  const onGone = (): void => {
    input?.destroy(new Error('The command has gone.'));
    abort.abort();
  };
  socket.once('close', onGone);
  const command: RemoteCommand = {
    script: String(script),
    signal: abort.signal,
    onOutput: (stream, chunk) => void send(socket, stream === 'stdout' ? 'output' : 'errors', chunk),
    ...(typeof timeoutMs === 'number' ? { timeoutMs } : {}),
    ...(input === undefined ? {} : { input }),
  };
  try {
    const { status } = await connection.exec(command);
    send(socket, 'done', { status });
    socket.end();
  } finally {
    scripts.delete(String(id));
    socket.off('close', onGone);
    reader.stop();
    socket.resume();
  }
}

async function forwardFor(socket: Socket, connection: Connection, frame: Frame): Promise<void> {
  const { host, port } = objectIn(frame);
  const stream = await connection.forward(String(host), Number(port));
  if (stream === undefined) {
    send(socket, 'done');
    socket.end();
    return;
  }
  send(socket, 'ready');
  stream.on('error', () => socket.destroy());
  socket.once('close', () => stream.destroy());
  socket.pipe(stream);
  stream.pipe(socket);
}
