/** Taking the locks of a run: the first in one order everywhere, all given back when one is held, taken over from our own dead runs. */
import { asDurantError, type DurantError } from '../../errors.ts';
import { lockedError } from './preflight.ts';
import type { ServerFacts } from './serverFacts.ts';
import { unlockScript } from './lockScripts.ts';
import { takeLock } from '../steps/lock.ts';
import { prepare } from '../steps/prepare.ts';
import { assertNotHeld, forgetExpiredHolds } from '../run/hold.ts';
import { hookCommands, runHook } from '../run/hooks.ts';
import { forEachServer, lookInParallel, settleAllServers, warnOf } from '../run/parallel.ts';
import { inLockOrder, isNamed, type Run, type ServerRun, makesRelease } from '../run/run.ts';
import { achieveSteps } from '../run/runSteps.ts';
import { runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';

const RETRY_MS = 2_000;

/** Steps `prepare` and `lock` of all servers, with the hooks of a deploy; from here on a failure has something to undo. */
export async function lockServers(run: Run, waitMs: number): Promise<void> {
  await beginJournal(run);
  run.phase = 'building';
  await lockHook(run, 'before_lock', [prepare]);
  const began = performance.now();
  const report = (step: string, server: ServerRun, state: 'running' | 'already' | 'done'): void =>
    run.emit({
      event: 'step',
      step,
      server: server.address.entry,
      state,
      reason: null,
      ms: state === 'running' ? null : Math.round(performance.now() - began),
    });
  const fresh = run.servers.filter((server) => !server.facts.managed);
  for (const server of run.servers) report('lock', server, 'running');
  try {
    await takeLocks(run, waitMs);
  } catch (error) {
    run.failedStep ??= 'lock';
    throw error;
  }
  assertNotHeld(run);
  forgetExpiredHolds(run);
  for (const server of fresh) report('prepare', server, 'done');
  for (const server of run.servers) report('lock', server, 'done');
  await lockHook(run, 'after_lock', []);
}

/** Before the first lock: whoever finds it must be able to tell whether this run is over. */
async function beginJournal(run: Run): Promise<void> {
  await run.journal.begin({
    run: run.id,
    stage: run.request.stage,
    config: run.request.file,
    action: run.action,
    servers: run.request.servers.map((server) => server.entry),
    started: run.started.toISOString(),
  });
}

async function lockHook(
  run: Run,
  name: 'before_lock' | 'after_lock',
  first: readonly Step<Run>[],
): Promise<void> {
  if (!makesRelease(run) || !isNamed(run) || hookCommands(run, name).length === 0) return;
  await forEachServer(run, async (context) => {
    const { server, signal } = context;
    await achieveSteps(context, first);
    await runHook(run, server, name, { directory: server.facts.project, signal });
  });
}

/**
 * Takes the lock on every server of the run; from then on `facts` are what is true under the lock.
 * @param waitMs how long to wait for someone else's lock.
 * @throws {DurantError} `locked`, after giving back what was taken.
 */
export async function takeLocks(run: Run, waitMs: number): Promise<void> {
  const deadline = run.host.now().getTime() + waitMs;
  for (let announced = false; ; announced = true) {
    const held = await tryLocks(run);
    if (held === undefined) return;
    await giveBackLocks(run);
    const remaining = deadline - run.host.now().getTime();
    if (remaining <= 0) throw held;
    if (!announced)
      run.emit({
        event: 'warning',
        code: 'waiting-for-lock',
        message: `Waiting: ${held.message}`,
        server: held.server ?? null,
      });
    await run.host.sleep(Math.min(RETRY_MS, remaining), run.signal);
  }
}

/** Gives back the locks that are this run's. What fails is left to the next run's take-over, and said. */
export async function giveBackLocks(run: Run): Promise<void> {
  const locked = run.servers.filter(({ ownLock }) => ownLock.state === 'asked' || ownLock.state === 'held');
  const failures = await settleAllServers(locked, async (server) => {
    const { ownLock } = server;
    await runScript(server, unlockScript(run.id), { signal: AbortSignal.timeout(30_000) });
    // Asked for without an answer: the script that takes it may still be on its way.
    if (ownLock.state === 'held') server.ownLock = { state: 'none' };
  });
  warnOf(run, 'unlock-failed', failures);
}

/** Whether a lock on a server is a dead run's of this machine. */
export async function isOurDeadLock(run: Run, facts: ServerFacts): Promise<boolean> {
  return facts.lock !== null && (await run.journal.isDead(facts.lock.run));
}

/** @throws {DurantError} `locked` where somebody else holds a lock that this run would not wait for. */
export async function assertNotLocked(run: Run): Promise<void> {
  for (const { address, facts } of run.servers)
    if (facts.lock !== null && !(await isOurDeadLock(run, facts)))
      throw lockedError(address.entry, facts.lock, run.host.now());
}

/** For a dry run: a lock that somebody holds is said, and no error. */
export async function reportLocks(run: Run): Promise<void> {
  for (const { address, facts } of run.servers)
    if (facts.lock !== null && !(await isOurDeadLock(run, facts)))
      run.emit({
        event: 'warning',
        code: 'locked',
        message: lockedError(address.entry, facts.lock, run.host.now()).message,
        server: address.entry,
      });
}

/** For a run that finds everything achieved: takes its own dead runs' locks over, and gives them back. */
export async function clearDeadLocks(run: Run): Promise<void> {
  const dead = await Promise.all(run.servers.map((server) => isOurDeadLock(run, server.facts)));
  if (!dead.includes(true)) return;
  await beginJournal(run);
  run.phase = 'building';
  await takeLocks(run, 0);
  await giveBackLocks(run);
}

/** @returns the error of the first lock that somebody else holds. */
async function tryLocks(run: Run): Promise<DurantError | undefined> {
  const all = inLockOrder(run.servers);
  const [first, ...others] = all;
  try {
    const held = await lockInOrder(run, first === undefined ? [] : [first]);
    if (held !== undefined) return held;
    // A run of the same servers was sent away by the first, so the others are locked side by side. Who holds one of them is a run of
    // other servers as well, and each may be in the way of the other: in one order, one of them gets all of its own.
    if (!(await isAnyHeld(run, others))) return undefined;
    await giveBackLocks(run);
    return await lockInOrder(run, all);
  } catch (error) {
    await giveBackLocks(run);
    throw error;
  }
}

async function lockInOrder(run: Run, servers: readonly ServerRun[]): Promise<DurantError | undefined> {
  for (const server of servers) {
    const held = await lockIfFree(run, server, run.signal);
    if (held !== undefined) return held;
  }
  return undefined;
}

/** Locks those that nobody else holds, whatever becomes of the others. */
async function isAnyHeld(run: Run, servers: readonly ServerRun[]): Promise<boolean> {
  let isHeld = false;
  await lookInParallel(servers, run.settings.parallel, run.signal, async (server, signal) => {
    if ((await lockIfFree(run, server, signal)) !== undefined) isHeld = true;
  });
  return isHeld;
}

/** @returns the error where somebody else holds the lock. */
async function lockIfFree(
  run: Run,
  server: ServerRun,
  signal: AbortSignal,
): Promise<DurantError | undefined> {
  try {
    await takeLock({ run, server, signal });
    return undefined;
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'locked') return error;
    throw error;
  }
}
