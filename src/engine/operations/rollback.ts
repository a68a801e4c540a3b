/** A rollback: the newest finished release older than the live one, or the named one, on every server or none. To a newer one: make live again. */
import { DurantError, reasonOf } from '../../errors.ts';
import type { Emit, RunFinished } from '../events.ts';
import type { Host } from '../ports.ts';
import { alreadyRolledBack } from '../run/alreadyLive.ts';
import { confirmProtected } from '../run/confirm.ts';
import { confirmLive, warnOfWatchers } from '../run/deadManSwitch.ts';
import { assertStillLive } from '../run/finish.ts';
import { releaseFolder, runHook } from '../run/hooks.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { forEachServer, settleAllServers, warnOf } from '../run/parallel.ts';
import { forgetPendingRollback, pendingRollback, pendingTarget } from '../run/pendingRollback.ts';
import { assertLiveAs, type LiveOn } from '../run/plan.ts';
import { reconcile } from '../run/reconcile.ts';
import { withFound, type NamedRun, type Run, type ServerRun, type StageRequest } from '../run/run.ts';
import { defer, runScript } from '../run/script.ts';
import { historyLine } from '../server/history.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { assertNotLocked, giveBackLocks, lockServers } from '../server/lockServers.ts';
import { assessServers } from '../server/preflight.ts';
import type { ReleaseRecord } from '../server/record.ts';
import { isOlder, newestLive, rollbackCandidate } from '../server/releases.ts';
import { openClone } from '../source/openClone.ts';
import { addReleaseSecrets } from '../steps/envFile.ts';
import { noteLateChanges } from '../steps/modifiedPaths.ts';
import { leaveToDrain } from '../steps/services.ts';
import { writeRecord } from '../steps/release.ts';
import { goesForward } from './direction.ts';

export interface RollbackRequest extends StageRequest {
  /** Name of the release to go to; undefined: the newest that may be gone to. */
  readonly release: string | undefined;
  /** What has to be live on each server, as it was when the rollback was reviewed; undefined: whatever is. */
  readonly expected?: readonly LiveOn[] | undefined;
  readonly dryRun: boolean;
  readonly waitMs: number;
  readonly confirmed: boolean;
}

/** Rolls a stage back, top to bottom. Never throws: how it ended is the last event, which is returned too. */
export function rollback(
  request: RollbackRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const options = { request, action: 'rollback', dryRun: request.dryRun, host, emit, signal } as const;
  return runLifecycle(options, async (opened) => {
    await connectServers(opened);
    assessServers(opened);
    const run = chooseRelease(opened, request.release);
    if (request.expected !== undefined) assertLiveAs(run, request.expected);
    if (isFinishedEverywhere(run)) return alreadyRolledBack(run);
    if (!request.dryRun && request.waitMs === 0) await assertNotLocked(run);
    await forEachServer(run, addReleaseSecrets);
    await warnOfWatchers(run);
    await listCommits(run);
    const assessed = await run.strategy.assessRollback(run);
    if (request.dryRun) return assessed.explain();

    const publish = await assessed.prepare();
    await confirmProtected(run, request.confirmed);
    await lockServers(run, request.waitMs);
    await reconcile(run);
    // Under the lock: the release may have been removed meanwhile, or somebody may have deployed.
    recordOn(run, run.release);
    if (request.expected !== undefined) assertLiveAs(run, request.expected);

    await publish();
    // ‖ All servers have come this far: it is live, and what fails from here on is a warning.
    await confirmLive(run);
    markFinished(run);
    await runAfterRollback(run);
    await unlockServers(run);
    assertStillLive(run);
  });
}

/** The release to go to. @throws {DurantError} `unknown-release`, `failed-release`, `no-rollback-candidate`. */
function chooseRelease(run: Run, name: string | undefined): NamedRun {
  const target =
    name === undefined
      ? (pendingTarget(run.servers) ?? rollbackCandidate(run.servers.map((server) => server.facts)))
      : recordOn(run, name);
  if (target === undefined)
    throw new DurantError(
      'no-rollback-candidate',
      'There is no older finished release that every server has.',
      {
        remedy: 'Deploy an older commit instead',
        command: `durant deploy ${run.request.stage} --ref COMMIT`,
      },
    );
  const { name: release, commit: id, subject, author, branch, started, recipe, order } = target;
  return withFound(run, {
    release,
    commit: { id, subject, author, branch, date: Date.parse(started) },
    recipe,
    order,
  });
}

/** Its record, where every server has it. @throws {DurantError} `unknown-release`, `failed-release`. */
function recordOn(run: Run, name: string): ReleaseRecord {
  let found: ReleaseRecord | undefined;
  for (const { address, facts } of run.servers) {
    const record = facts.records.find((each) => each.name === name);
    if (record === undefined)
      throw new DurantError('unknown-release', `${address.entry} has no release ${name}.`, {
        remedy: 'See what is there',
        command: `durant releases ${run.request.stage}`,
        server: address.entry,
      });
    if (record.state !== 'finished' && record.state !== 'bad')
      throw new DurantError(
        'failed-release',
        `The release ${name} on ${address.entry} is ${record.state}: it was never finished.`,
        {
          remedy: 'Choose another',
          command: `durant releases ${run.request.stage}`,
          server: address.entry,
        },
      );
    found ??= record;
  }
  if (found === undefined)
    throw new DurantError('unknown-release', `There is no release ${name}.`, {
      remedy: 'See what is there',
      command: `durant releases ${run.request.stage}`,
    });
  return found;
}

function isFinishedEverywhere(run: NamedRun): boolean {
  return run.servers.every(
    ({ facts }) =>
      facts.live === run.release &&
      pendingRollback(facts) === undefined &&
      facts.records.find(({ name }) => name === run.release)?.state === 'finished',
  );
}

/** Lists the commits that will not be live any more, or will be again, where the local clone's cache knows them. */
async function listCommits(run: NamedRun): Promise<void> {
  const live = newestLive(run.servers.map((server) => server.facts));
  if (live === undefined || live.commit === run.commit.id || live.commit === '') return;
  try {
    run.clone = await openClone(run);
    const [code, verb, from, to] = goesForward(run)
      ? (['restores-commit', 'Makes live again', live.commit, run.commit.id] as const)
      : (['undoes-commit', 'Undoes', run.commit.id, live.commit] as const);
    for (const commit of (await run.clone.log(from, to, 20)) ?? [])
      run.emit({
        event: 'warning',
        code,
        message: `${verb} ${commit.id.slice(0, 7)} ${commit.subject} (${commit.author})`,
        server: null,
      });
  } catch (error) {
    // A rollback must work where the repository cannot be reached, so this only costs the list.
    run.emit({
      event: 'warning',
      code: 'commits-unknown',
      message: `The commits between the two releases are not known here: ${reasonOf(error)}`,
      server: null,
    });
  }
}

/** Marks the release as finished, and what it leaves behind as bad. From here on the run is live. */
function markFinished(run: NamedRun): void {
  run.phase = 'finishing';
  const isForward = goesForward(run);
  for (const server of run.servers) {
    const target = server.facts.records.find((record) => record.name === run.release);
    server.state = server.previous === undefined ? 'unchanged' : 'live';
    leaveToDrain(run, server);
    if (target !== undefined) {
      if (!isForward)
        for (const record of leftBehind(server, target))
          defer(server, writeRecord({ ...record, state: 'bad' }));
      if (target.state !== 'finished') defer(server, writeRecord({ ...target, state: 'finished' }));
    }
    defer(server, `${historyLine(run, server, { ok: true })}\n${forgetPendingRollback}`);
  }
}

/** The releases newer than the target that nobody shall go to by himself any more; what was live is one of them, finished or not. */
function leftBehind(server: ServerRun, target: ReleaseRecord): readonly ReleaseRecord[] {
  return server.facts.records.filter(
    (record) => isOlder(target, record) && (record.state === 'finished' || record.name === server.previous),
  );
}

async function runAfterRollback(run: NamedRun): Promise<void> {
  const failures = await settleAllServers(run.servers, async (server) => {
    if (server.previous === undefined || run.signal.aborted) return;
    const directory = releaseFolder(run, server);
    await runHook(run, server, 'after_rollback', { directory, signal: run.signal });
  });
  warnOf(run, 'after-rollback-failed', failures);
}

/** Gives the locks back, after writing what is to be noted. */
async function unlockServers(run: NamedRun): Promise<void> {
  const { signal } = new AbortController();
  const failures = await settleAllServers(run.servers, async (server) => {
    try {
      await runScript(server, `${noteLateChanges(run, server)}${unlockScript(run.id)}`, { signal });
      server.ownLock = { state: 'none' };
    } catch (error) {
      // Left there it would make the next rollback finish this one.
      defer(server, forgetPendingRollback);
      throw error;
    }
  });
  warnOf(run, 'unlock-failed', failures);
  await giveBackLocks(run);
}
