/**
 * One simulated life of a stage, decided by a seed: several clients deploy, roll back, prune and unlock on servers that are folders. One
 * script runs at a time, or is stopped half way while others run; lines are cut, scripts die, clients die, clocks differ. After every
 * script the invariants are checked, and in the end a plain deploy has to put everything in order.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Machine, Operation } from './client.ts';
import { Violation } from './invariants.ts';
import { leftoversOf, revisionOf } from './look.ts';
import { VERSIONS } from './repository.ts';
import { goOn } from './server.ts';
import { kill, resumeOne, runDetached, settle, startClient, stepOn } from './steps.ts';
import type { Surroundings } from './surroundings.ts';
import { count, makeWorld, say, type World } from './world.ts';

/** What happened, for people and for comparing two lives of one seed. */
export interface Life {
  readonly trace: readonly string[];
  readonly violation: string | undefined;
  readonly scripts: number;
  /** How often each kind of fault was injected. */
  readonly faults: ReadonlyMap<string, number>;
}

/** @param surroundings with a folder of this life's own, which is removed in the end. */
export async function live(seed: number, { folder, trees, shells }: Surroundings): Promise<Life> {
  const world = makeWorld(seed, { folder, trees, shells });
  let violation: string | undefined;
  try {
    await happen(world);
    await putInOrder(world);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  } finally {
    for (const client of world.clients) kill(world, client);
    for (const each of world.stopped) await goOn(each);
    rmSync(folder, { recursive: true, force: true });
  }
  return { trace: world.trace, violation, scripts: world.scripts, faults: world.faults };
}

/** The part in which anything may go wrong. */
async function happen(world: World): Promise<void> {
  const { random } = world;
  for (let left = 2 + random.below(4); ;) {
    await settle(world);
    const active = activeOf(world);
    if (active.length === 0 && left === 0) return;
    if (left > 0 && (active.length === 0 || (active.length === 1 && random.chance(0.06)))) {
      left -= 1;
      startClient(world, random.pick(world.machines), anyOperation(world));
      continue;
    }
    if (misfortune(world, active)) continue;
    await stepOn(world, 'with faults');
  }
}

/** Kills, cancels, and a site that is down. @returns whether anything happened. */
function misfortune(world: World, active: readonly Client[]): boolean {
  const { random } = world;
  const client = random.any(active);
  if (client !== undefined && world.budget > 0 && random.chance(0.02)) {
    count(world, 'client killed');
    say(world, client, 'is killed');
    kill(world, client);
    return true;
  }
  if (client !== undefined && world.budget > 0 && random.chance(0.008)) {
    count(world, 'cancelled');
    say(world, client, 'is cancelled');
    client.cancel();
    return true;
  }
  if (world.detached.size > 0 && random.chance(0.06)) {
    world.now += 30_000 + random.below(60_000);
    count(world, 'time passed');
    say(world, undefined, 'time passes');
    return true;
  }
  if (random.chance(0.02)) {
    const server = random.any(world.servers);
    if (server === undefined) return false;
    const file = join(server.home, 'sick');
    if (existsSync(file)) rmSync(file);
    else writeFileSync(file, '');
    count(world, 'site down');
    world.trace.push(`${server.entry} ${existsSync(file) ? 'is sick' : 'is well'}`);
    return true;
  }
  return false;
}

function anyOperation(world: World): Operation {
  const { random } = world;
  const one = world.servers.length > 1 && random.chance(0.06) ? [random.any(world.servers)?.entry ?? ''] : [];
  const waitMs = random.chance(0.3) ? 60_000 : 0;
  const kind = random.below(100);
  if (kind < 62)
    return {
      kind: 'deploy',
      version: 1 + random.below(VERSIONS),
      again: random.chance(0.15),
      waitMs,
      only: one,
    };
  if (kind < 80) {
    const names = [...world.watch.look(world.servers[0]?.entry ?? '').states.keys()];
    return {
      kind: 'rollback',
      release: random.chance(0.3) ? random.any(names) : undefined,
      waitMs,
      only: one,
    };
  }
  if (kind < 86) return { kind: 'prune', keep: random.pick([1, 1, 2]) };
  return { kind: kind < 95 ? 'unlock' : 'status' };
}

function activeOf({ clients }: World): readonly Client[] {
  return clients.filter(({ state }) => state === 'running');
}

/** The end of every life: without any more faults, one plain deploy makes all servers alike and clean, and a second has nothing to do. */
async function putInOrder(world: World): Promise<void> {
  world.budget = 0;
  for (const { home } of world.servers) rmSync(join(home, 'sick'), { force: true });
  if (world.random.chance(0.5)) await outlive(world);
  for (const each of [...world.stopped]) await resumeOne(world, each);
  await settle(world);
  const holders = new Set(world.servers.flatMap(({ entry }) => world.watch.look(entry).holder ?? []));
  const mine = new Set(
    world.clients.flatMap((client) =>
      client.machine === world.machines[0] ? (client.actor().run ?? []) : [],
    ),
  );
  // A dead run of the same machine needs no administrator.
  if (![...holders].every((run) => mine.has(run))) await finish(world, { kind: 'unlock' }, world.machines[0]);
  const version = 1 + world.random.below(VERSIONS);
  const deploy: Operation = { kind: 'deploy', version, again: false, waitMs: 0, only: [] };
  await succeed(world, deploy);
  await outlive(world);
  tidy(world);
  const before = world.servers.map(({ entry }) => world.watch.look(entry).current);
  await succeed(world, deploy);
  if (world.servers.some(({ entry }, index) => world.watch.look(entry).current !== before[index]))
    throw new Violation('a second deploy of the same commit made another release');
  if (world.random.chance(0.7)) return;
  // By another clock: which release is older does not depend on it.
  await succeed(world, { ...deploy, version: (version % VERSIONS) + 1 }, world.machines[1]);
  await succeed(world, { kind: 'rollback', release: undefined, waitMs: 0, only: [] });
  if (world.servers.some(({ entry }, index) => world.watch.look(entry).current !== before[index]))
    throw new Violation('a rollback did not go back to what was live before');
  tidy(world);
}

/** All that is left on servers comes to its end. */
async function outlive(world: World): Promise<void> {
  for (const each of [...world.detached].toSorted((a, b) => a.due - b.due))
    await runDetached(world, each, 'without faults');
}

function tidy(world: World): void {
  const lives = new Set(
    world.servers.map(({ entry, site }) => revisionOf(site, world.watch.look(entry).current ?? '')),
  );
  if (lives.size > 1) throw new Violation(`servers differ in the end: ${[...lives].join(', ')}`);
  for (const { site, entry } of world.servers) {
    const left = leftoversOf(site);
    if (left.length > 0) throw new Violation(`${entry}: left behind: ${left.join(', ')}`);
  }
}

async function succeed(
  world: World,
  operation: Operation,
  machine: Machine = world.machines[0],
): Promise<void> {
  const words = await finish(world, operation, machine);
  if (!words.startsWith('ok')) throw new Violation(`without any fault it fails: ${words}`);
}

async function finish(world: World, operation: Operation, machine: Machine): Promise<string> {
  const client = startClient(world, machine, operation);
  for (await settle(world); client.state === 'running'; await settle(world))
    await stepOn(world, 'without faults');
  return client.ended;
}
