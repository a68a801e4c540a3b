/** A server that is a folder: the real scripts run in it, one at a time, and end as its line and its luck want. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DurantError } from '../../src/errors.ts';
import type { Connection, RemoteCommand, RemoteResult, ServerAddress } from '../../src/remote/target.ts';
import type { Actor } from './invariants.ts';
import { resume } from './faultyScript.ts';
import type { Running, Sh, Shells } from './shells.ts';

/** A script that a client waits for, and that nobody has let run yet; or that runs for itself. */
export interface Waiting {
  readonly client: number;
  /** Of a script that no client waits for. */
  readonly actor?: Actor;
  readonly server: SimulatedServer;
  readonly label: string;
  readonly line: Line;
  /** Whether it has been let run: then a cancel ends it first. */
  begun: boolean;
  readonly command: RemoteCommand;
  resolve(result: RemoteResult): void;
  reject(error: Error): void;
}

/** A script that runs, or is stopped half way. */
export interface Started {
  readonly waiting: Waiting;
  readonly number: number;
  readonly running: Running;
  /** Whether the client still waits for its end. */
  awaited: boolean;
}

/** A connection of a client to a server; a line that is cut stays dead. */
export interface Line {
  cut: boolean;
}

export interface SimulatedServer {
  readonly entry: string;
  readonly home: string;
  readonly site: string;
  readonly control: string;
  /** What runs its scripts. */
  sh: Sh;
  scripts: number;
}

export function makeServer(folder: string, entry: string, sh: Sh = 'dash'): SimulatedServer {
  const home = join(folder, entry);
  const control = join(folder, `${entry}.control`);
  const site = join(home, 'site');
  for (const path of [control, join(site, 'shared/storage')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(site, 'shared/storage/upload'), 'of a visitor\n');
  writeFileSync(join(home, 'private'), 'of the login user\n');
  return { entry, home, site, control, sh, scripts: 0 };
}

/** A connection whose scripts wait in a queue until they are let run. */
export function queuedConnection(
  address: ServerAddress,
  server: SimulatedServer,
  client: number,
  queue: (waiting: Waiting) => void,
): Connection {
  const line: Line = { cut: false };
  return {
    address,
    description: 'simulated',
    user: 'somebody',
    exec: (command) =>
      new Promise((resolve, reject) => {
        if (line.cut) return reject(lost(server));
        if (command.signal?.aborted === true) return reject(cancelled());
        const waiting: Waiting = {
          client,
          server,
          label: labelOf(command.script),
          line,
          begun: false,
          command,
          resolve,
          reject,
        };
        const onAbort = (): void => {
          if (!waiting.begun) reject(cancelled());
        };
        command.signal?.addEventListener('abort', onAbort, { once: true });
        queue(waiting);
      }),
    forward: () => Promise.resolve(undefined),
    posixRename: undefined,
    close: () => {
      line.cut = true;
    },
  };
}

/**
 * Runs a script on its server, up to its end or its fault.
 * @param wrap makes of the script what is run, which has a number of its own.
 */
export async function start(
  waiting: Waiting,
  shells: Shells,
  wrap: (script: string, number: number) => string,
): Promise<Started> {
  const { server, command } = waiting;
  waiting.begun = true;
  const number = (server.scripts += 1);
  const input = await collect(command.input);
  return {
    waiting,
    number,
    running: shells.run(wrap(command.script, number), input, server.sh),
    awaited: true,
  };
}

/** What a script's end is to its client. */
export async function resultOf({ running, waiting }: Started): Promise<RemoteResult> {
  const result = await running.ended;
  waiting.command.onOutput?.('stdout', result.stdout);
  waiting.command.onOutput?.('stderr', result.stderr);
  return result;
}

async function collect(input: RemoteCommand['input']): Promise<Buffer> {
  if (input === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(input)) return input;
  const chunks: Buffer[] = [];
  for await (const chunk of input) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Lets a script that stopped half way go on to its end; nothing where it was ended meanwhile. */
export async function goOn(started: Started): Promise<void> {
  const { home, control } = started.waiting.server;
  resume({ home, control, now: 0 }, started.number);
  await started.running.ended;
}

export function lost({ entry }: Pick<SimulatedServer, 'entry'>): DurantError {
  return new DurantError('connection-lost', `The connection to ${entry} was lost.`, { server: entry });
}

export function unreachable({ entry }: Pick<SimulatedServer, 'entry'>): DurantError {
  return new DurantError('host-unreachable', `${entry} could not be reached.`, { server: entry });
}

export function cancelled(): DurantError {
  return new DurantError('cancelled', 'Cancelled.');
}

/** What a script is for, in a word, for the trace: only people read it. */
function labelOf(script: string): string {
  const marks: readonly (readonly [string, string])[] = [
    ['lock.taken-$', 'take over'],
    ['echo unlocked', 'unlock by force'],
    ['transfer.done', 'update code'],
    ['echo switched', 'switch'],
    ['>"$t" || exit 1', 'lock'],
    ['say "home=', 'look'],
    ['"finished"', 'finish'],
    ['"failed"', 'note failure'],
    ['"prepared"', 'seal'],
    ['rm -f .durant/processes.', 'give lock back'],
  ];
  // Without the guard of the lock.
  const own = script.replace(/^\(\n[^]*? \|\| exit 79\n/, '');
  return marks.find(([mark]) => own.includes(mark))?.[1] ?? 'script';
}
