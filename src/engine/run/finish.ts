/** The end of a run that is live: nothing here can fail it any more; what goes wrong is a warning. */
import { DurantError, asDurantError } from '../../errors.ts';
import { spareScript } from '../../transfer/stream/warmCopy.ts';
import { removable } from '../steps/finishing.ts';
import { recordOf, writeRecord } from '../steps/release.ts';
import { noteChangesBy, noteLateChanges } from '../steps/modifiedPaths.ts';
import { confirmLive } from './deadManSwitch.ts';
import { historyLine } from '../server/history.ts';
import { hookCommands, releasePath, runHook, type HookName } from './hooks.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { removedWords, removeReleases } from './removal.ts';
import { siteAddress } from '../app/renderUnits.ts';
import { forgetPendingRollback } from './pendingRollback.ts';
import { settleAllServers, warnOf, type Run, type ServerRun } from './run.ts';
import { defer, runScript } from './script.ts';

/** Writes `finished` on every server, in one script with the confirmation. @throws {DurantError} `reverted`. */
export async function confirmDeploy(run: Run): Promise<void> {
  for (const server of run.servers) defer(server, writeRecord(recordOf(run, server, 'finished')));
  await confirmLive(run);
}

/** Removes what is no longer kept, gives the lock back, and lets the server make its spare. */
export async function finishDeploy(run: Run): Promise<void> {
  // Past the point of no return a cancel skips the user's commands and the removal, and nothing that keeps servers in order.
  const signal = new AbortController().signal;
  for (const server of run.servers) {
    server.state = 'live';
    defer(server, `${historyLine(run, server, { ok: true })}\n${forgetPendingRollback}`);
  }
  warnOf(
    run,
    'cleanup-failed',
    await settleAllServers(run.servers, async (server) => {
      const step = stepOf(run, server, 'cleanup');
      try {
        await optionalHook(run, server, 'before_cleanup');
        const names = run.signal.aborted ? [] : removable(run, server);
        const isHooked = hookCommands(run, 'after_cleanup').length > 0;
        const last = isHooked ? '' : endScript(run, server);
        const { removed } = await removeReleases(run, server, names, { last, signal });
        step('done', removedWords(names, removed));
        if (isHooked) {
          await optionalHook(run, server, 'after_cleanup');
          await runScript(server, endScript(run, server), { signal });
        }
      } catch (error) {
        step('failed', asDurantError(error).message);
        throw error;
      }
      server.hold = { state: 'none' };
      stepOf(run, server, 'unlock')('done', null);
    }),
  );
  assertStillLive(run);
  warnOf(
    run,
    'after-deploy-failed',
    await settleAllServers(run.servers.filter(isNotLost), async (server) => {
      const step = stepOf(run, server, 'success');
      const directory = releasePath(run, server.facts.project, run.release ?? '');
      try {
        if (!run.signal.aborted)
          await runHook(run, server, 'after_deploy', { directory, signal: run.signal });
        const note = noteChangesBy(run, server, 'after_deploy', run.release);
        // The lock is given back: another run that has it knows already what it will send.
        if (note !== '') await runScript(server, `if ! [ -e .durant/lock ]; then\n${note}\nfi`, { signal });
        step('done', siteAddress(run.settings) ?? null);
      } catch (error) {
        if (run.signal.aborted) return step('skipped', 'cancelled');
        step('failed', asDurantError(error).message);
        throw error;
      }
    }),
  );
}

/**
 * Where the lock was lost, another run may have made something else live: then this one has not come to its end.
 * @throws {DurantError} `lock-lost`.
 */
export function assertStillLive(run: Run): void {
  const outOfSync = run.servers.filter((server) => !isNotLost(server) && server.facts.live !== run.release);
  for (const server of outOfSync) server.state = 'failed';
  for (const { hold } of outOfSync)
    if (hold.state === 'lost')
      throw new DurantError('lock-lost', hold.error.message, { changed: true, server: hold.error.server });
}

function isNotLost({ hold }: ServerRun): boolean {
  return hold.state !== 'lost';
}

/** The lock goes last: a spare is this run's to start while it has the lock. */
function endScript(run: Run, server: ServerRun): string {
  const spare =
    run.settings.spare &&
    run.settings.strategy === 'releases' &&
    run.settings.unchanged === 'copy' &&
    run.release !== undefined
      ? `${spareScript({ projectDir: server.facts.project, release: run.release, run: run.id, hashTool: server.facts.transfer.hashTool ?? 'sha256sum' })}`
      : '';
  return `${noteLateChanges(run, server)}${spare}${unlockScript(run.id)}`;
}

async function optionalHook(run: Run, server: ServerRun, name: HookName): Promise<void> {
  if (hookCommands(run, name).length === 0 || run.signal.aborted) return;
  try {
    await runHook(run, server, name, {
      directory: releasePath(run, server.facts.project, run.release ?? ''),
      signal: run.signal,
    });
  } catch (error) {
    if (server.hold.state === 'lost') throw error;
    if (run.signal.aborted) return;
    run.emit({
      event: 'warning',
      code: `${name.replaceAll('_', '-')}-failed`,
      message: asDurantError(error).message,
      server: server.address.entry,
    });
  }
}

function stepOf(
  run: Run,
  server: ServerRun,
  step: string,
): (state: 'done' | 'failed' | 'skipped', reason: string | null) => void {
  const began = performance.now();
  run.emit({ event: 'step', step, server: server.address.entry, state: 'running', reason: null, ms: null });
  return (state, reason) =>
    run.emit({
      event: 'step',
      step,
      server: server.address.entry,
      state,
      reason,
      ms: Math.round(performance.now() - began),
    });
}
