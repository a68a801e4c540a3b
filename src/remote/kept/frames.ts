/** What commands and the holder of a connection say to each other: frames of a kind, a length and that many bytes. Each exchange has a socket of its own. */
import type { Socket } from 'node:net';

/**
 * A command says first what it wants: `use` the connection for as long as the socket is open, `run` a script, `end` a script that runs,
 * `rename` or `forward`. Input follows as `data`, its end as `finish`.
 * The holder answers `ready`, `output` and `errors`, and in the end `done` or `failed`. After `ready` to `forward` the bytes are the port's own.
 */
export const KINDS = [
  'use',
  'run',
  'end',
  'rename',
  'forward',
  'data',
  'finish',
  'ready',
  'output',
  'errors',
  'done',
  'failed',
] as const;
/** Part of the socket's name: an older Durant's holder is not talked to. */
export const PROTOCOL = 2;
export type Kind = (typeof KINDS)[number];

export interface Frame {
  readonly kind: Kind;
  readonly body: Buffer;
}

const headerBytes = 5;
/** No script or piece of data comes near it: whoever says more is no part of Durant. */
const mostBytes = 256 * 1024 * 1024;

/** Writes a frame. @returns false where the other end should be waited for (`drain`). */
export function send(socket: Socket, kind: Kind, body: Buffer | object = Buffer.alloc(0)): boolean {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(KINDS.indexOf(kind), 0);
  header.writeUInt32BE(bytes.length, 1);
  return socket.write(Buffer.concat([header, bytes]));
}

/** Reads frames until `stop`, which gives back to the socket what has not been read as one. */
export function readFrames(socket: Socket, onFrame: (frame: Frame) => void): { stop(): void } {
  let waiting: Buffer[] = [];
  let length = 0;
  let wanted = headerBytes;
  let stopped = false;
  const onData = (chunk: Buffer): void => {
    waiting.push(chunk);
    length += chunk.length;
    while (!stopped && length >= wanted) {
      const all = Buffer.concat(waiting);
      waiting = [all];
      const size = all.readUInt32BE(1);
      if (size > mostBytes) {
        socket.destroy();
        return;
      }
      wanted = headerBytes + size;
      if (length < wanted) return;
      const body = all.subarray(headerBytes, wanted);
      waiting = [all.subarray(wanted)];
      length -= wanted;
      wanted = headerBytes;
      const kind = KINDS[all.readUInt8(0)];
      if (kind !== undefined) onFrame({ kind, body });
    }
  };
  socket.on('data', onData);
  return {
    stop: () => {
      stopped = true;
      socket.off('data', onData);
      socket.pause();
      const rest = Buffer.concat(waiting);
      if (rest.length > 0) socket.unshift(rest);
    },
  };
}

/** The object that a frame holds. */
export function objectIn({ body }: Frame): Readonly<Record<string, unknown>> {
  const found: unknown = JSON.parse(body.toString('utf8'));
  return typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : {};
}
