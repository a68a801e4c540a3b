/** The steps of a simulated life: one script runs, stops half way or goes on; a client begins or dies; time passes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { begin, type Client, type Machine, type Operation } from './client.ts';
import { expectOf, isOver, startDetached, takeDetached, type Detached } from './detached.ts';
import { faultyScript, type Fault, type ScriptFault } from './faultyScript.ts';
import { Violation } from './invariants.ts';
import { cancelled, goOn, lost, resultOf, start, unreachable, type Started, type Waiting } from './server.ts';
import { count, say, type World } from './world.ts';

/** What Node may hold while every client waits: timers, a stopped script's process and pipes. Anything else is work under way. */
const IDLE: ReadonlySet<string> = new Set([
  'Timeout',
  'Immediate',
  'PipeWrap',
  'ProcessWrap',
  'TTYWrap',
  'TickObject',
]);

/** One script, or one that had stopped, or time. */
export async function stepOn(world: World, how: 'with faults' | 'without faults'): Promise<void> {
  const { random } = world;
  const stopped = [...world.stopped];
  const waiting = [...world.waiting].toSorted((a, b) => order(a) - order(b));
  const stuck = waiting.length === 0 && world.clients.every(({ sleeping }) => sleeping.length === 0);
  const due = [...world.detached].filter((each) => each.due <= world.now);
  const left = due.length > 0 && (stuck || random.chance(0.4)) ? random.any(due) : undefined;
  if (left !== undefined) return runDetached(world, left, how);
  const again = stopped.length > 0 && (stuck || random.chance(0.15)) ? random.any(stopped) : undefined;
  if (again !== undefined) return resumeOne(world, again);
  const next = random.any(waiting);
  if (next === undefined) return sleepOn(world);
  world.waiting.delete(next);
  world.now += random.below(4000);
  if (how === 'without faults' || world.budget === 0) return run(world, next, undefined, 'line holds');
  if (random.chance(0.03)) {
    count(world, 'line cut before');
    say(world, clientOf(world, next), `${next.label} on ${next.server.entry}: the line is cut before it`);
    next.line.cut = true;
    next.reject(lost(next.server));
    return;
  }
  const fault = anyFault(world);
  const cut = fault === undefined ? random.chance(0.03) : random.chance(0.5);
  await run(world, next, fault, cut ? 'line is cut' : 'line holds');
}

function anyFault({ random }: World): ScriptFault | undefined {
  if (!random.chance(0.12)) return undefined;
  return {
    kind: random.pick<Fault>(['die', 'fail', 'fail after', 'pause', 'pause']),
    at: 1 + random.below(random.pick([3, 6, 14])),
  };
}

/** A watcher or the maker of a spare; its end, or where it stops half way. */
export async function runDetached(
  world: World,
  detached: Detached,
  how: 'with faults' | 'without faults',
): Promise<void> {
  const { home, control } = detached.server;
  world.detached.delete(detached);
  if (isOver(detached)) return;
  world.now = Math.max(world.now, detached.due);
  world.scripts += 1;
  count(world, detached.kind);
  const fault = how === 'with faults' && world.budget > 0 ? anyFault(world) : undefined;
  const asExpected = expectOf(detached);
  const started = startDetached(detached, world.shells, { home, control, now: world.now }, fault);
  const words = `the ${detached.kind} of ${detached.run} on ${detached.server.entry}`;
  if ((await started.running.pauseOrEnd) === 'paused') {
    count(world, 'script stopped half way');
    say(world, undefined, `${words} stops half way at ${fault?.at ?? 0}`);
    world.stopped.add(started);
  } else {
    const { status } = await started.running.ended;
    if (fault !== undefined && status !== 0)
      count(world, fault.kind === 'die' ? 'script died' : 'command failed');
    say(world, undefined, `${words} ends: ${status}`);
    if (fault === undefined) asExpected();
  }
  check(world, started.waiting);
}

/** The order in which the random choice sees scripts: whose promise came first must not matter. */
function order({ client, server }: Waiting): number {
  return client * 10 + Number(server.entry.slice(-1));
}

async function run(
  world: World,
  waiting: Waiting,
  fault: ScriptFault | undefined,
  line: 'line holds' | 'line is cut',
): Promise<void> {
  const client = clientOf(world, waiting);
  world.scripts += 1;
  const { home, control } = waiting.server;
  const started = await start(waiting, world.shells, (script, number) =>
    faultyScript(script, { home, control, now: world.now }, number, fault),
  );
  const how = await started.running.pauseOrEnd;
  const words = fault === undefined ? '' : ` (${fault.kind} at ${fault.at})`;
  if (how === 'paused') {
    count(world, 'script stopped half way');
    say(
      world,
      client,
      `${waiting.label} on ${waiting.server.entry}: stops half way at ${fault?.at ?? 0}${line === 'line is cut' ? ', the line is cut' : ''}`,
    );
    world.stopped.add(started);
    if (line === 'line is cut') cutLine(started);
    return check(world, waiting);
  }
  const result = await resultOf(started);
  for (const each of takeDetached(waiting.server, world.now)) world.detached.add(each);
  const status = String(result.status);
  const met = fault !== undefined && result.status !== 0;
  if (met) count(world, fault.kind === 'die' ? 'script died' : 'command failed');
  say(
    world,
    client,
    `${waiting.label} on ${waiting.server.entry}${words}: ${status}${line === 'line is cut' ? ', the line is cut' : ''}`,
  );
  if (line === 'line is cut') {
    count(world, 'line cut after');
    cutLine(started);
  } else waiting.resolve(result);
  check(world, waiting);
}

function cutLine(started: Started): void {
  started.awaited = false;
  started.waiting.line.cut = true;
  started.waiting.reject(lost(started.waiting.server));
}

export async function resumeOne(world: World, started: Started): Promise<void> {
  const { waiting } = started;
  await goOn(started);
  const result = await resultOf(started);
  for (const each of takeDetached(waiting.server, world.now)) world.detached.add(each);
  world.stopped.delete(started);
  say(
    world,
    clientOf(world, waiting),
    `${waiting.label} on ${waiting.server.entry}: goes on: ${result.status}`,
  );
  if (started.awaited) waiting.resolve(result);
  check(world, waiting);
}

/** Nothing runs: the first sleeper wakes. */
function sleepOn(world: World): void {
  const [first] = world.clients.flatMap(({ sleeping }) => sleeping).toSorted((a, b) => a.until - b.until);
  if (first === undefined) throw new Violation('nothing goes on, and a run has not ended');
  world.now = Math.max(world.now, first.until);
  first.wake();
}

function check(world: World, { server, client, actor }: Waiting): void {
  const by = actor ?? world.clients[client]?.actor();
  if (by !== undefined) world.watch.step(server.entry, by);
}

/** Waits until every client waits for a script, sleeps or has ended. */
export async function settle(world: World): Promise<void> {
  for (let quiet = 0; quiet < 4;) {
    await turn();
    for (const started of world.stopped)
      if (started.awaited && started.waiting.command.signal?.aborted === true) {
        // A client that gives up on a script ends its process group.
        started.running.end();
        await started.running.ended;
        world.stopped.delete(started);
        started.waiting.reject(cancelled());
        check(world, started.waiting);
      }
    const busy = process.getActiveResourcesInfo().some((name) => !IDLE.has(name));
    quiet = busy ? 0 : quiet + 1;
  }
  for (const client of world.clients) {
    const ending = client.takeEnding();
    if (ending === undefined) continue;
    say(world, client, `ends: ${ending.words}`);
    if (ending.run !== undefined) world.watch.end(ending.run);
  }
}

export function startClient(world: World, machine: Machine, operation: Operation): Client {
  const { random } = world;
  const client = begin({
    number: world.clients.length,
    machine,
    operation,
    conf: world.conf,
    trees: world.trees,
    servers: world.servers,
    now: () => world.now + machine.skew,
    randomId: () => random.hex(),
    queue: (waiting) => {
      world.waiting.add(waiting);
      waiting.command.signal?.addEventListener('abort', () => world.waiting.delete(waiting), { once: true });
    },
    reach: (server) => {
      if (world.budget === 0 || !random.chance(0.03)) return undefined;
      count(world, 'unreachable');
      return unreachable(server);
    },
  });
  world.clients.push(client);
  say(world, client, `begins: ${client.words}`);
  return client;
}

export function kill(world: World, client: Client): void {
  if (client.state !== 'running') return;
  client.kill();
  for (const waiting of world.waiting) if (waiting.client === client.number) world.waiting.delete(waiting);
  for (const each of world.stopped) if (each.waiting.client === client.number) each.awaited = false;
  markDead(client);
}

/** Its process is gone, as far as its machine's journal can tell. */
function markDead({ machine, actor }: Client): void {
  const { run } = actor();
  const folder = join(machine.folder, 'state/runs');
  if (run === undefined || !existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((each) => each === `${run}.json`)) {
    const entry: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    writeFileSync(join(folder, name), JSON.stringify({ ...Object(entry), processStarted: 'long ago' }));
  }
}

function clientOf(world: World, { client }: Waiting): Client | undefined {
  return world.clients[client];
}
