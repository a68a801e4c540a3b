/** A TCP proxy in front of a test server: delays, stalls, cuts, and counts what passes. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

type Direction = 'up' | 'down';

export interface ProxyOptions {
  readonly host?: string;
  /** Port of the server behind. */
  readonly port: number;
  /** Milliseconds that every chunk is held back, towards the server (`up`) and towards the client (`down`). */
  readonly delay?: { readonly up?: number; readonly down?: number };
}

export interface Proxy {
  readonly port: number;
  /** Connections that were accepted so far, and those open now. */
  readonly connections: number;
  readonly open: number;
  /** Bytes that were let through, over all connections. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** How often the client began to speak after the server had spoken: round trips that the client waited for. */
  readonly turns: number;
  resetCounters(): void;
  setDelay(delay: { readonly up?: number; readonly down?: number }): void;
  /**
   * Resets all open connections, now or when `afterBytes` more bytes have passed in `direction` (default up). New connections are
   * refused from then on until `mend`.
   */
  cut(when?: { readonly afterBytes: number; readonly direction?: Direction }): void;
  /** Lets nothing more through while everything stays open, like a pulled cable, until `mend`. */
  stall(when?: { readonly afterBytes: number; readonly direction?: Direction }): void;
  /** Takes back `cut` and `stall`, also those still to come. */
  mend(): void;
  /** Resolves when a cut or stall has taken place. */
  readonly broken: Promise<void>;
  stop(): Promise<void>;
}

interface Trap {
  readonly kind: 'cut' | 'stall';
  readonly direction: Direction;
  left: number;
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function makeGate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Listens on a free loopback port and passes everything on. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const host = options.host ?? '127.0.0.1';
  const sockets = new Set<Socket>();
  const bytes = { up: 0, down: 0 };
  let delay = options.delay ?? {};
  let state: 'open' | 'cut' | 'stalled' = 'open';
  let trap: Trap | undefined;
  let connections = 0;
  let turns = 0;
  let mended = makeGate();
  let broken = makeGate();

  const spring = (kind: 'cut' | 'stall') => {
    trap = undefined;
    state = kind === 'cut' ? 'cut' : 'stalled';
    if (kind === 'cut') for (const socket of sockets) socket.resetAndDestroy();
    broken.open();
  };
  const set = (kind: 'cut' | 'stall', when: { afterBytes: number; direction?: Direction } | undefined) => {
    if (!when) spring(kind);
    else trap = { kind, direction: when.direction ?? 'up', left: when.afterBytes };
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const upstream = connect({ port: options.port, host, noDelay: true, allowHalfOpen: true });
    let speaker: Direction = 'up';
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    const pass = (from: Socket, to: Socket, direction: Direction) => {
      let queue = Promise.resolve();
      let waiting = 0;
      const deliver = async (chunk: Buffer, due: number) => {
        const rest = due - performance.now();
        if (rest > 0) await pause(rest);
        if (state === 'stalled') await mended.opened;
        let part = chunk;
        if (trap?.direction === direction && trap.left < chunk.length) {
          part = chunk.subarray(0, trap.left);
          const { kind } = trap;
          const [sprung, repaired] = [broken.opened, mended.opened];
          bytes[direction] += part.length;
          to.write(part, () => spring(kind));
          await sprung;
          if (kind === 'cut') return;
          await repaired;
          part = chunk.subarray(part.length);
        } else if (trap?.direction === direction) trap.left -= chunk.length;
        bytes[direction] += part.length;
        if (!to.destroyed && !to.write(part) && !to.destroyed)
          await new Promise<void>((resolve) => {
            to.once('drain', resolve).once('close', resolve);
          });
      };
      from.on('data', (chunk: Buffer) => {
        if (direction === 'up' && speaker === 'down') turns += 1;
        speaker = direction;
        const due = performance.now() + (delay[direction] ?? 0);
        waiting += chunk.length;
        if (waiting > 1 << 20) from.pause();
        queue = queue.then(async () => {
          await deliver(chunk, due);
          waiting -= chunk.length;
          if (waiting <= 1 << 20) from.resume();
        });
      });
      from.on('end', () => {
        queue = queue.then(() => void to.end());
      });
      from.on('close', () => {
        queue = queue.then(() => to.destroySoon());
      });
    };
    pass(client, upstream, 'up');
    pass(upstream, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size / 2;
    },
    get bytes() {
      return { ...bytes };
    },
    get turns() {
      return turns;
    },
    get broken() {
      return broken.opened;
    },
    resetCounters: () => {
      turns = 0;
      connections = 0;
      bytes.up = 0;
      bytes.down = 0;
    },
    setDelay: (next) => {
      delay = next;
    },
    cut: (when) => set('cut', when),
    stall: (when) => set('stall', when),
    mend: () => {
      trap = undefined;
      state = 'open';
      mended.open();
      mended = makeGate();
      broken = makeGate();
    },
    stop: async () => {
      mended.open();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
