/**
 * Shells that are open before they are needed: opening a channel costs a round trip, running a script in one that waits for it costs
 * only the script's own. Servers limit open sessions (MaxSessions); what they refuse is opened when another has gone.
 */
import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { cancelled, DurantError } from '../../errors.ts';
import { bootstrapCommand } from '../bootstrap.ts';
import type { ChannelEnd, ScriptChannel } from '../scriptRun.ts';
import { channelStreams } from './internals.ts';
import type { Line } from './sessionRequest.ts';

export interface ShellPool {
  /** Requests the shells that are to wait, without waiting for them. @returns takes back those that were not answered. */
  warmUp(): { takeBack(): void };
  /** A shell that waits for a script. Waits for a place where the server has no more. */
  acquire(signal: AbortSignal | undefined): Promise<ScriptChannel>;
  /** The same where one is there or can be had at once; else undefined. */
  acquireAtOnce(): Promise<ScriptChannel | undefined>;
  /** Opens the next shells; call when a script has been sent, so that both travel together. */
  replenish(): void;
  /** Gives up a waiting shell for another kind of channel. Resolves to false where there is none. */
  makeRoom(): Promise<boolean>;
}

interface Shell {
  readonly script: ScriptChannel;
  readonly gone: Promise<void>;
}

interface Opening {
  readonly shell: Promise<Shell>;
  takeBack(): void;
}

export interface PoolOptions {
  readonly line: Line;
  readonly server: string;
  /** How many shells wait. */
  readonly waiting: number;
  /** How many sessions it may have at once. Default: as many as the server allows. */
  readonly most?: number;
}

const retries = 20;
const retryMs = 50;

export function createShellPool(options: PoolOptions): ShellPool {
  const { server, line, most = Number.POSITIVE_INFINITY } = options;
  const waiting = Math.min(options.waiting, most);
  const { lost } = line;
  const warm: Shell[] = [];
  const openings: Opening[] = [];
  let occupied = 0;
  /** Most shells that the server has been seen to allow; learnt when it refuses one. */
  let limit = most;
  let freed = gate();

  const open = (): Opening => {
    occupied += 1;
    let takeBack = (): void => undefined;
    let done = false;
    const free = (): void => {
      if (done) return;
      done = true;
      occupied -= 1;
      freed.open();
      freed = gate();
    };
    const shell = new Promise<Shell>((resolve, reject) => {
      lost.catch(reject);
      let settled = false;
      let opened: ClientChannel | undefined;
      const failed = (error: Error): void => {
        if (opened !== undefined) {
          // The channel is there but the command was refused: its end says so to whoever runs a script in it.
          opened.close();
          return;
        }
        free();
        if (settled) return;
        limit = Math.max(1, Math.min(limit, occupied));
        reject(error);
      };
      const forget = line.internals.openCommand(
        bootstrapCommand,
        (channel) => {
          settled = true;
          opened = channel;
          resolve(asShell(channel, line, free));
        },
        failed,
      );
      takeBack = () => {
        if (settled) return;
        settled = true;
        forget();
        free();
        reject(new Error('Taken back.'));
      };
    });
    shell.catch(() => undefined);
    return { shell, takeBack };
  };

  const openInBackground = (): Opening => {
    const opening = open();
    openings.push(opening);
    opening.shell.then(
      (shell) => {
        if (!removeFrom(openings, opening)) return;
        warm.push(shell);
        // One that the server ended while it waited must not be handed out.
        const drop = (): void => {
          if (removeFrom(warm, shell)) shell.script.close();
        };
        shell.script.ended.then(drop, drop);
      },
      () => removeFrom(openings, opening),
    );
    return opening;
  };

  const tryOpen = async (): Promise<ScriptChannel | undefined> => {
    const ready = warm.shift();
    if (ready !== undefined) return ready.script;
    const coming = openings.shift();
    if (coming !== undefined) return coming.shell.then((shell) => shell.script, orRefused);
    if (occupied >= limit) return undefined;
    return open().shell.then((shell) => shell.script, orRefused);
  };
  /** Refusals are waited out, a lost line is not. */
  const orRefused = (error: unknown): undefined => {
    if (error instanceof DurantError) throw error;
    return undefined;
  };

  return {
    warmUp: () => {
      const started = Array.from({ length: waiting }, openInBackground);
      return {
        takeBack: () => {
          for (const opening of started) opening.takeBack();
        },
      };
    },
    acquire: async (signal) => {
      for (let refusals = 0; ;) {
        if (signal?.aborted === true) throw cancelled(server);
        const place = freed.opened;
        const channel = await Promise.race([lost, tryOpen()]);
        if (channel !== undefined) return channel;
        if (occupied > 0) {
          await Promise.race([lost, place, aborted(signal)]);
          continue;
        }
        // The last shell may not be out of the server's books yet.
        refusals += 1;
        limit = most;
        if (refusals > retries)
          throw new DurantError('connection-unsupported', `${server} refused to open a session.`, {
            remedy: 'Check MaxSessions and ForceCommand in its sshd_config.',
            server,
          });
        await pause(retryMs);
      }
    },
    acquireAtOnce: () => Promise.race([lost, tryOpen()]),
    replenish: () => {
      for (let missing = waiting - warm.length - openings.length; missing > 0; missing -= 1)
        if (occupied < limit) openInBackground();
    },
    makeRoom: async () => {
      const shell = warm.pop();
      if (shell === undefined) return false;
      shell.script.close();
      await Promise.race([lost, shell.gone]);
      return true;
    },
  };
}

function removeFrom<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}

function asShell(channel: ClientChannel, { lost, isUp }: Line, free: () => void): Shell {
  const gone = new Promise<void>((resolve) => {
    channel.once('close', resolve);
    lost.catch(() => {
      resolve();
    });
  });
  void gone.then(free);
  const ended = new Promise<ChannelEnd>((resolve, reject) => {
    lost.catch(reject);
    channel.once('exit', (code: number | null, signal?: string) => {
      resolve(
        code === null
          ? { status: 128 + signalNumber(signal), signalled: true }
          : { status: code, signalled: false },
      );
    });
    channel.once('close', () => {
      // A lost line closes its channels too, before it is known why.
      if (isUp()) resolve({ status: undefined, signalled: false });
    });
  });
  ended.catch(() => undefined);
  let closed = false;
  return {
    script: {
      ...channelStreams(channel),
      ended,
      close: () => {
        if (closed) return;
        closed = true;
        // Drained, so that its end is seen and its place counted free.
        channel.resume();
        channel.stderr.resume();
        channel.close();
      },
    },
    gone,
  };
}

function signalNumber(name: string | undefined): number {
  const numbers: Readonly<Record<string, number | undefined>> = constants.signals;
  return numbers[name ?? ''] ?? 0;
}
