/** Sessions on a master's connection, each one an `ssh` process; never more at a time than the server allows. */
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { cancelled, DurantError } from '../../errors.ts';
import type { ChannelEnd, ScriptChannel } from '../scriptRun.ts';
import type { Destination } from './arguments.ts';
import { sharedArguments } from './arguments.ts';
import { lostConnection, spokenLines } from './failures.ts';
import type { Master } from './master.ts';
import { startSsh, type SshProcess } from './process.ts';

export interface Sessions {
  /** Opens a session for a command line; waits for its turn. */
  open(command: string, signal: AbortSignal | undefined): Promise<ScriptChannel>;
  /** As `open`, at once; undefined where the server has no session left for a second. */
  openUrgent(command: string): Promise<ScriptChannel | undefined>;
  /** The server's subsystem of that name, in turn; ends at once where it has none. */
  subsystem(name: string): Promise<ScriptChannel>;
  /** A stream from the server to host:port; the reason where that was refused. */
  stream(host: string, port: number): Promise<ScriptChannel | { readonly refused: string }>;
  /** Lets go of all of them. */
  close(): void;
}

export interface SessionsContext {
  readonly server: string;
  readonly sshPath: string;
  readonly to: Destination;
  readonly master: Master;
  /** The next session is opened when the one before has ended on the server. */
  readonly oneAtATime: boolean;
}

/** Below sshd's default MaxSessions of 10, so that one is left for ending what hangs. */
const usualLimit = 8;
/** How long a command may take to end by itself where the next session has to wait for that. */
const endingMs = 2000;
/** How long a server that refuses even a first session is asked again: an ended one may still count. */
const patienceMs = 5000;

export function createSessions(context: SessionsContext): Sessions {
  const { server, sshPath, to, master, oneAtATime } = context;
  const running = new Set<SshProcess>();
  const waiting: (() => void)[] = [];
  let limit = oneAtATime ? 1 : usualLimit;
  let active = 0;
  let closed = false;

  const release = (): void => {
    active -= 1;
    waiting.shift()?.();
  };

  const takeTurn = async (signal: AbortSignal | undefined): Promise<void> => {
    while (active >= limit)
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(cancelled(server));
        };
        const go = (): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        if (signal?.aborted === true) reject(cancelled(server));
        else {
          waiting.push(go);
          signal?.addEventListener('abort', onAbort, { once: true });
        }
      });
    active += 1;
  };

  const start = async (rest: readonly string[], signal?: AbortSignal): Promise<Opened> => {
    if (closed) throw lostConnection(server, '');
    const child = startSsh(sshPath, [...sharedArguments(master.socket), ...to.arguments, ...rest], {
      SSH_ASKPASS_REQUIRE: 'never',
    });
    running.add(child);
    child.once('close', () => running.delete(child));
    return waitUntilOpen(child, context, signal);
  };

  const openInTurn = async (rest: readonly string[], signal?: AbortSignal): Promise<ScriptChannel> => {
    let refusedSince: number | undefined;
    for (;;) {
      await takeTurn(signal);
      let opened: Opened;
      try {
        opened = await start(rest, signal);
      } catch (error) {
        release();
        throw error;
      }
      if ('channel' in opened) {
        void opened.channel.ended.then(release, release);
        return opened.channel;
      }
      // The server's MaxSessions: from now on no more than it has just taken, and this one waits until another has ended.
      const others = active - 1;
      limit = Math.max(1, Math.min(limit, others));
      release();
      if (others > 0) refusedSince = undefined;
      else refusedSince ??= Date.now();
      if (refusedSince !== undefined && Date.now() - refusedSince > patienceMs)
        throw new DurantError(
          'connection-unsupported',
          `${server} refused to open a session (${opened.refused}).`,
          { remedy: 'Raise MaxSessions in its sshd_config or use another login.', server },
        );
      await pause(others > 0 ? 5 : 50);
    }
  };

  return {
    open: (command, signal) => openInTurn(['--', to.host, command], signal),
    openUrgent: async (command) => {
      const opened = await start(['--', to.host, command]);
      return 'channel' in opened ? opened.channel : undefined;
    },
    subsystem: (name) => openInTurn(['-s', '--', to.host, name]),
    stream: async (host, port) => {
      const before = master.logged();
      const opened = await start(['-W', `${host.includes(':') ? `[${host}]` : host}:${port}`, '--', to.host]);
      if ('channel' in opened) return opened.channel;
      return { refused: await refusalReason(master, before) };
    },
    close: () => {
      closed = true;
      for (const child of running) child.kill('SIGTERM');
    },
  };
}

type Opened = { readonly channel: ScriptChannel } | { readonly refused: string };

/** Nothing of the command's input may be written before the server has opened the session: a refused one is tried again. */
function waitUntilOpen(
  child: SshProcess,
  context: SessionsContext,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const { server, master, oneAtATime } = context;
  const ended = new Promise<ChannelEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, endedBy) => {
      if (endedBy !== null) reject(lostConnection(server, master.log()));
      // 255: the connection, or a signal that ended the command; ssh does not tell which. The master does.
      else if (status !== 255) resolve({ status: status ?? undefined, signalled: false });
      else
        void master.isAlive().then((alive) => {
          if (alive) resolve({ status, signalled: true });
          else reject(lostConnection(server, master.log()));
        });
    });
  });
  ended.catch(() => undefined);
  return new Promise<Opened>((resolve, reject) => {
    let log = '';
    const onAbort = (): void => {
      child.kill('SIGTERM');
      reject(cancelled(server));
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      child.stderr.off('data', onLog);
    };
    const onLog = (chunk: Buffer): void => {
      log += chunk.toString('latin1');
      const line = /mux_client_request_(?:session|stdio_fwd): master session id: \d+\r?\n/.exec(log);
      if (!line) return;
      settle();
      const stderr = new PassThrough();
      stderr.write(Buffer.from(log.slice(line.index + line[0].length), 'latin1'));
      child.stderr.pipe(stderr);
      resolve({ channel: channelOf(child, stderr, { ended, endingMs: oneAtATime ? endingMs : 0 }) });
    };
    child.stderr.on('data', onLog);
    ended.then(
      () => {
        settle();
        resolve({ refused: spokenLines(log)[0] ?? 'it gave no reason' });
      },
      (error: unknown) => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

function channelOf(
  child: SshProcess,
  stderr: Readable,
  { ended, endingMs }: { readonly ended: Promise<ChannelEnd>; readonly endingMs: number },
): ScriptChannel {
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr,
    ended,
    close: () => {
      const letGo = (): void => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
        child.kill('SIGTERM');
      };
      if (endingMs === 0 || child.exitCode !== null || child.signalCode !== null) {
        letGo();
        return;
      }
      child.stdin.destroy();
      for (const stream of [child.stdout, stderr]) stream.resume();
      const timer = setTimeout(letGo, endingMs).unref();
      child.once('exit', () => {
        clearTimeout(timer);
        letGo();
      });
    },
  };
}

/** The master says why it refused, a moment before or after the session's process has ended. */
async function refusalReason(master: Master, before: number): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const added = master.logged() - before;
    const said = added === 0 ? '' : master.log().slice(-added);
    const last = [...said.matchAll(/channel \d+: open failed: ([^\r\n]+)/g)].at(-1);
    if (last?.[1] !== undefined) return last[1];
    await pause(10);
  }
  return 'it gave no reason';
}
