/** A rollback: the newest finished release older than the live one, or the named one, on every server or none. To a newer one: make live again. */
import { DurantError } from '../../errors.ts';
import { assessServer, lockedError } from '../server/preflight.ts';
import { openClone } from '../source/openClone.ts';
import { runLifecycle, reachServers } from '../run/lifecycle.ts';
import { confirmProtected } from '../run/confirm.ts';
import type { Emit, RunFinished } from '../events.ts';
import { assertStillLive } from '../run/finish.ts';
import { writeRecord } from '../steps/release.ts';
import { historyLine } from '../server/history.ts';
import { releasePath, runHook } from '../run/hooks.ts';
import { rollBackInplace } from '../steps/strategies/inplaceFlow.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { clearDeadLocks, giveBackLocks, isOurDeadLock, lockServers } from '../server/lockServers.ts';
import type { Host } from '../ports.ts';
import { reconcile } from '../run/reconcile.ts';
import type { ReleaseRecord } from '../server/record.ts';
import { confirmLive, warnOfWatchers } from '../run/deadManSwitch.ts';
import { goesForward } from './direction.ts';
import { forgetPendingRollback, pendingRollback, pendingTarget } from '../run/pendingRollback.ts';
import { isOlder, newestLive, rollbackCandidate } from '../server/releases.ts';
import {
  settleAllServers,
  forEachServer,
  warnOf,
  type Run,
  type ServerRun,
  type StageRequest,
} from '../run/run.ts';
import { defer, runScript } from '../run/script.ts';
import { achieveSteps, assessSteps, explainSteps } from '../run/runSteps.ts';
import type { Step } from '../run/step.ts';
import { addReleaseSecrets } from '../steps/envFile.ts';
import { healthCheck } from '../steps/healthCheck.ts';
import { lock } from '../steps/lock.ts';
import { services } from '../steps/services.ts';
import { symlink } from '../steps/symlink.ts';
import { noteLateChanges } from '../steps/modifiedPaths.ts';

export interface RollbackRequest extends StageRequest {
  /** Name of the release to go to; undefined: the newest that may be gone to. */
  readonly release: string | undefined;
  readonly dryRun: boolean;
  readonly waitMs: number;
  readonly confirmed: boolean;
}

const PUBLISH: readonly Step[] = [symlink, services, healthCheck];
const STEPS: readonly Step[] = [lock, ...PUBLISH];

/** Rolls a stage back. Never throws: how it ended is the last event, which is returned too. */
export function rollback(
  request: RollbackRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  return runLifecycle(
    { request, action: 'rollback', dryRun: request.dryRun, host, emit, signal },
    async (run) => {
      await reachServers(run);
      for (const server of run.servers)
        assessServer(server.address.entry, server.facts, run.settings, server.connection);
      choose(run, request);
      if (
        run.servers.every(
          (server) =>
            server.facts.live === run.release &&
            pendingRollback(server.facts) === undefined &&
            stateOf(server.facts.records, run.release) === 'finished',
        )
      )
        return alreadyLive(run);
      for (const server of request.dryRun || request.waitMs > 0 ? [] : run.servers)
        if (server.facts.lock !== null && !(await isOurDeadLock(run, server.facts)))
          throw lockedError(server.address.entry, server.facts.lock, run.host.now());
      await forEachServer(run.servers, run.settings.parallel, run.signal, (server, each) =>
        addReleaseSecrets(run, server, [run.release, server.facts.live], each),
      );
      warnOfWatchers(run);
      await sayWhatChanges(run);
      if (run.settings.strategy === 'inplace') {
        if (!(await rollBackInplace(run, request))) return;
        run.phase = 'finishing';
        return finish(run);
      }
      await forEachServer(run.servers, run.settings.parallel, run.signal, (server, each) =>
        assessSteps({ run, server, signal: each }, [services]),
      );
      if (request.dryRun) {
        await forEachServer(run.servers, run.settings.parallel, run.signal, (server, each) =>
          explainSteps({ run, server, signal: each }, STEPS),
        );
        return;
      }
      await confirmProtected(run, request.confirmed);

      await lockServers(run, request.waitMs);
      await reconcile(run);
      // Under the lock: the release may have been removed meanwhile.
      choose(run, { ...request, release: run.release });
      run.phase = 'publishing';
      for (const step of PUBLISH)
        await forEachServer(run.servers, run.servers.length, run.signal, (server, each) =>
          achieveSteps({ run, server, signal: each }, [step]),
        );
      await confirmLive(run);
      run.phase = 'finishing';
      await finish(run);
    },
  );
}

/** Sets the run's release and commit. @throws {DurantError} `unknown-release`, `failed-release`, `no-rollback-candidate`. */
function choose(run: Run, request: RollbackRequest): void {
  const servers = run.servers.map((server) => server.facts);
  const target =
    request.release === undefined
      ? (pendingTarget(run.servers) ?? rollbackCandidate(servers))
      : named(run, request.release);
  if (target === undefined)
    throw new DurantError(
      'no-rollback-candidate',
      'There is no older finished release that every server has. See durant releases for what is there; deploy an older commit with --ref instead.',
    );
  run.release = target.name;
  run.commit = {
    id: target.commit,
    subject: target.subject,
    author: target.author,
    branch: target.branch,
    date: Date.parse(target.started),
  };
}

function named(run: Run, name: string): ReleaseRecord {
  let found: ReleaseRecord | undefined;
  for (const { address, facts } of run.servers) {
    const record = facts.records.find((each) => each.name === name);
    if (record === undefined)
      throw new DurantError(
        'unknown-release',
        `${address.entry} has no release ${name}. See what is there with: durant releases ${run.request.stage}`,
        { server: address.entry },
      );
    if (record.state !== 'finished' && record.state !== 'bad')
      throw new DurantError(
        'failed-release',
        `The release ${name} on ${address.entry} is ${record.state}: it was never finished. Choose another, see: durant releases ${run.request.stage}`,
        { server: address.entry },
      );
    found ??= record;
  }
  if (found === undefined)
    throw new DurantError(
      'unknown-release',
      `There is no release ${name}. Name one that durant releases lists.`,
    );
  return found;
}

async function alreadyLive(run: Run): Promise<void> {
  for (const server of run.servers)
    run.emit({
      event: 'step',
      step: 'symlink',
      server: server.address.entry,
      state: 'already',
      reason: `${run.release ?? ''} is live`,
      ms: null,
    });
  if (!run.dryRun) await clearDeadLocks(run);
}

/** Lists the commits that will not be live any more, or will be again, where the local clone's cache knows them. */
async function sayWhatChanges(run: Run): Promise<void> {
  const live = newestLive(run.servers.map((server) => server.facts));
  if (live === undefined || run.commit === undefined || live.commit === run.commit.id || live.commit === '')
    return;
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
      message: `Which commits this is about is not known here: ${error instanceof Error ? error.message : String(error)}`,
      server: null,
    });
  }
}

async function finish(run: Run): Promise<void> {
  const signal = new AbortController().signal;
  const isForward = goesForward(run);
  for (const server of run.servers) {
    const target = server.facts.records.find((record) => record.name === run.release);
    server.state = server.previous === undefined ? 'unchanged' : 'live';
    if (target !== undefined) {
      if (!isForward)
        for (const record of leftBehind(server, target))
          defer(server, writeRecord({ ...record, state: 'bad' }));
      if (target.state !== 'finished') defer(server, writeRecord({ ...target, state: 'finished' }));
    }
    defer(server, `${historyLine(run, server, { ok: true })}\n${forgetPendingRollback}`);
  }
  warnOf(
    run,
    'after-rollback-failed',
    await settleAllServers(run.servers, async (server) => {
      if (server.previous === undefined || run.signal.aborted) return;
      await runHook(run, server, 'after_rollback', {
        directory: releasePath(run, server.facts.project, run.release ?? ''),
        signal: run.signal,
      });
    }),
  );
  warnOf(
    run,
    'unlock-failed',
    await settleAllServers(run.servers, async (server) => {
      try {
        await runScript(server, `${noteLateChanges(run, server)}${unlockScript(run.id)}`, { signal });
        server.hold = { state: 'none' };
      } catch (error) {
        // Left there it would make the next rollback finish this one.
        defer(server, forgetPendingRollback);
        throw error;
      }
    }),
  );
  await giveBackLocks(run);
  assertStillLive(run);
}

/** The releases newer than the target that nobody shall go to by himself any more; what was live is one of them, finished or not. */
function leftBehind(server: ServerRun, target: ReleaseRecord): readonly ReleaseRecord[] {
  return server.facts.records.filter(
    (record) => isOlder(target, record) && (record.state === 'finished' || record.name === server.previous),
  );
}

function stateOf(records: readonly ReleaseRecord[], name: string | undefined): string | undefined {
  return records.find((record) => record.name === name)?.state;
}
