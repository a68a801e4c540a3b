/** What a simulated life is made of: its servers, machines, rules and what has happened so far, all drawn from the seed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Machine } from './client.ts';
import { watch, type Watch } from './invariants.ts';
import { FOREIGN } from './look.ts';
import { seeded, type Random } from './random.ts';
import type { Detached } from './detached.ts';
import { makeServer, type SimulatedServer, type Started, type Waiting } from './server.ts';
import type { Shells } from './shells.ts';
import type { Surroundings } from './surroundings.ts';

export interface World {
  readonly random: Random;
  readonly trees: string;
  readonly shells: Shells;
  readonly servers: readonly SimulatedServer[];
  readonly conf: string;
  readonly watch: Watch;
  readonly clients: Client[];
  readonly machines: readonly [Machine, Machine];
  readonly waiting: Set<Waiting>;
  readonly stopped: Set<Started>;
  /** Left on servers by scripts, and not run yet. */
  readonly detached: Set<Detached>;
  readonly trace: string[];
  readonly faults: Map<string, number>;
  /** Faults that may still happen. */
  budget: number;
  now: number;
  scripts: number;
}

const START = Date.parse('2026-11-21T10:00:00Z');
const HOUR = 3_600_000;
export function makeWorld(seed: number, { folder, trees, shells }: Surroundings): World {
  const random = seeded(seed);
  const count = random.pick([1, 2, 2, 2, 3]);
  const servers = Array.from({ length: count }, (_, index) =>
    makeServer(folder, `web${index + 1}`, random.chance(0.1) ? 'dash' : 'busybox sh'),
  );
  const machine = (name: string, skew: number): Machine => ({ name, skew, folder: join(folder, name) });
  const skew = (): number => (random.chance(0.5) ? 0 : Math.round((random.next() - 0.5) * 6 * HOUR));
  const [spare, deadMan] = [random.chance(0.4), random.chance(0.5)];
  const conf = [
    '[production]',
    'repository = .',
    `server = ${servers.map(({ entry }) => entry).join(', ')}`,
    'project_dir = ~/site',
    `spare = ${spare ? 'yes' : 'no'}`,
    `dead_man = ${deadMan ? 'yes' : 'no'}`,
    `keep_releases = ${random.pick([1, 2, 3])}`,
    `health_retries = ${random.pick([0, 0, 1])}`,
    'health_check = test ! -e "$HOME/sick"',
    ...(random.chance(0.3) ? ['shared_dirs = storage'] : []),
    ...(random.chance(0.2) ? ['after_symlink = test ! -e "$HOME/sick"'] : []),
    '',
  ].join('\n');
  if (random.chance(0.3))
    for (const { site } of servers) {
      mkdirSync(join(site, '.durant'), { recursive: true });
      mkdirSync(join(site, 'releases', FOREIGN), { recursive: true });
    }
  const trace = [
    `seed ${seed}: ${count} servers`,
    ...servers.map(({ entry, sh }) => `${entry}: ${sh}`),
    ...conf.split('\n').slice(4),
  ];
  return {
    random,
    trees,
    shells,
    servers,
    conf,
    watch: watch(servers, deadMan),
    clients: [],
    machines: [machine('laptop', skew()), machine('ci', skew())],
    waiting: new Set(),
    stopped: new Set(),
    detached: new Set(),
    trace,
    faults: new Map(),
    budget: random.below(7),
    now: START,
    scripts: 0,
  };
}

export function say(world: World, client: Client | undefined, what: string): void {
  const second = ((world.now - START) / 1000).toFixed(0).padStart(5);
  world.trace.push(`${second}s  ${client?.name ?? ''} ${what}`);
}

/** What is counted and is no fault. */
const FREE: ReadonlySet<string> = new Set(['site down', 'watcher', 'spare', 'time passed']);

export function count(world: World, fault: string): void {
  if (!FREE.has(fault)) world.budget -= 1;
  world.faults.set(fault, (world.faults.get(fault) ?? 0) + 1);
}
