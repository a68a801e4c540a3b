/**
 * What scripts leave behind on a server: the dead man's watcher, and the maker of a spare. Both run for themselves: whether a client lives
 * does not matter to them. A watcher runs once its time has passed, in one go; a spare is made at any moment, or half of it.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../src/remote/shell.ts';
import { prelude, type ScriptFault, type ServerPlace } from './faultyScript.ts';
import { Violation, type Actor } from './invariants.ts';
import { look } from './look.ts';
import type { SimulatedServer, Started, Waiting } from './server.ts';
import type { Running, Shells } from './shells.ts';

export interface Detached {
  readonly kind: 'watcher' | 'spare';
  readonly server: SimulatedServer;
  /** The run that left it. */
  readonly run: string;
  /** What it executes: the watcher's text; of a spare, the path of its script below project_dir. */
  readonly text: string;
  /** Not before this time, in milliseconds. */
  readonly due: number;
}

/** Where the script with this number notes what it starts; `setsid` is a function that does (faultyScript.ts). */
export function takeDetached(server: SimulatedServer, now: number): readonly Detached[] {
  const names = readdirSync(server.control)
    .filter((each) => each.endsWith('.detached'))
    .toSorted();
  return names.map((name) => {
    const file = join(server.control, name);
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    const maker = /^\.durant\/spare\.([^/]+)\/make$/.exec(text)?.[1];
    if (maker !== undefined) return { kind: 'spare', server, run: maker, text, due: now };
    const [, run = '', seconds = ''] = /^project=.* run=(\S+) .* seconds=(\d+) /.exec(text) ?? [];
    if (run === '') throw new Error(`A script starts what the simulation does not know: ${text}`);
    return { kind: 'watcher', server, run, text, due: now + 1000 * Number(seconds) };
  });
}

function actorOf({ kind, run }: Detached): Actor {
  return kind === 'watcher'
    ? { kind: 'run', run, action: 'dead man', named: undefined }
    : { kind: 'spare', run, action: 'spare', named: undefined };
}

/** Whether it would do nothing: the run has confirmed, or the spare was given up. */
export function isOver({ kind, run, server, text }: Detached): boolean {
  return !existsSync(join(server.site, kind === 'watcher' ? `.durant/watch.${run}` : text));
}

/** Starts it; a started script that no client waits for. */
export function startDetached(
  detached: Detached,
  shells: Shells,
  place: ServerPlace,
  fault: ScriptFault | undefined,
): Started {
  const { server, kind } = detached;
  const waiting: Waiting = {
    client: -1,
    actor: actorOf(detached),
    server,
    label: kind,
    line: { cut: false },
    begun: true,
    command: { script: '' },
    resolve: () => undefined,
    reject: () => undefined,
  };
  const number = (server.scripts += 1);
  return { waiting, number, awaited: false, running: run(detached, shells, prelude(place, number, fault)) };
}

function run({ server, kind, text }: Detached, shells: Shells, before: string): Running {
  const none = Buffer.alloc(0);
  if (kind === 'watcher') return shells.run(`${before}\n${text}`, none, server.sh);
  // The process has to look as it does in life: a run that wants no spare any more finds it by its command line.
  const make = join(server.site, text);
  const site = quote(server.site);
  writeFileSync(make, `${before}\ncd ${site}\n${readFileSync(make, 'utf8')}`);
  return shells.run(`cd ${site} && exec ${server.sh} ${quote(text)}`, none, server.sh);
}

/**
 * What a watcher owes once it has run without a fault.
 * @returns a check to call after it.
 */
export function expectOf({ kind, run, server, text }: Detached): () => void {
  if (kind !== 'watcher') return () => undefined;
  const { site, entry } = server;
  const read = (path: string): string => {
    const file = join(site, '.durant', path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const release = /^release = "(.*)"$/m.exec(read(`watch.${run}`))?.[1];
  const lock = read('lock');
  const isNew = text.includes(' is_new=yes ');
  const confirmed = isNew && read(`releases/${release ?? ''}.ini`).includes('state = "finished"');
  const acts = release !== undefined && !confirmed && (lock === '' || lock.includes(`run = "${run}"`));
  return () => {
    for (const left of ['watch', 'reverting'])
      if (existsSync(join(site, `.durant/${left}.${run}`)))
        throw new Violation(`${entry}: the watcher of ${run} has ended and leaves .durant/${left}.${run}`);
    if (acts && look(site).current === `releases/${release}`)
      throw new Violation(`${entry}: the watcher of ${run} leaves ${release} live, which nobody confirmed`);
  };
}
