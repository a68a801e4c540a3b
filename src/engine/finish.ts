/** The end of a run that is live: nothing here can fail it any more; what goes wrong is a warning. */
import { asDurantError } from '../errors.ts';
import { quote } from '../remote/shell.ts';
import { spareScript } from '../transfer/spare.ts';
import { removable } from './goals/finishing.ts';
import { recordOf, removeRelease, writeRecord } from './goals/release.ts';
import { noteChangesBy, noteLateChanges } from './goals/touched.ts';
import { confirmLive } from './deadMan.ts';
import { historyLine } from './history.ts';
import { hookCommands, releasePath, runHook, type HookName } from './hooks.ts';
import { unlockScript } from './lock.ts';
import { siteAddress } from './services/render.ts';
import { forgetPendingRollback } from './pendingRollback.ts';
import { onAll, warnOf, type Run, type ServerRun } from './run.ts';
import { defer, lastLines, runScript } from './script.ts';

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
    defer(server, `${historyLine(run, 'ok')}\n${forgetPendingRollback}`);
  }
  warnOf(
    run,
    'cleanup-failed',
    await onAll(run.servers, async (server) => {
      const step = stepOf(run, server, 'cleanup');
      await optionalHook(run, server, 'before_cleanup');
      const removed = run.signal.aborted ? [] : removable(run, server);
      const sudo = run.settings.cleanup_use_sudo ? 'sudo -n ' : '';
      const cleanup = removed
        .map((name) => `( ${removeRelease(name, sudo)} ) || failed="$failed "${quote(name)}`)
        .join('\n');
      const last = hookCommands(run, 'after_cleanup').length === 0 ? endScript(run, server) : '';
      const result = await runScript(
        run,
        server,
        `failed=\n${cleanup}\n${last}\n[ -z "$failed" ] || echo "failed$failed"`,
        { signal },
      );
      step('done', removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(', ')}`);
      const failed = /^failed(.*)$/m.exec(result.stdout.toString('utf8'));
      if (failed !== null)
        run.emit({
          event: 'warning',
          code: 'cleanup-failed',
          message: `Old releases could not be removed:${failed[1] ?? ''}. If the web server wrote into them, set cleanup_use_sudo: yes.\n${lastLines(result.stderr.toString('utf8'), 3)}`,
          server: server.address.entry,
        });
      if (last === '') {
        await optionalHook(run, server, 'after_cleanup');
        await runScript(run, server, endScript(run, server), { signal });
      }
      server.locked = false;
      stepOf(run, server, 'unlock')('done', null);
    }),
  );
  warnOf(
    run,
    'after-deploy-failed',
    await onAll(run.servers, async (server) => {
      const step = stepOf(run, server, 'success');
      const directory = releasePath(run, server.facts.project, run.release ?? '');
      try {
        if (!run.signal.aborted)
          await runHook(run, server, 'after_deploy', { directory, signal: run.signal });
        const note = noteChangesBy(run, server, 'after_deploy', run.release);
        // The lock is given back: another run that has it knows already what it will send.
        if (note !== '')
          await runScript(run, server, `if ! [ -e .durant/lock ]; then\n${note}\nfi`, { signal });
        step('done', siteAddress(run.settings) ?? null);
      } catch (error) {
        if (run.signal.aborted) return step('skipped', 'cancelled');
        step('failed', asDurantError(error).message);
        throw error;
      }
    }),
  );
}

function endScript(run: Run, server: ServerRun): string {
  const spare =
    run.settings.spare &&
    run.settings.strategy === 'releases' &&
    run.settings.unchanged === 'copy' &&
    run.release !== undefined
      ? `\n${spareScript({ projectDir: server.facts.project, release: run.release, run: run.id, hashTool: server.facts.transfer.hashTool ?? 'sha256sum' })}`
      : '';
  return `${noteLateChanges(run, server)}${unlockScript(run.id)}${spare}`;
}

async function optionalHook(run: Run, server: ServerRun, name: HookName): Promise<void> {
  if (hookCommands(run, name).length === 0 || run.signal.aborted) return;
  try {
    await runHook(run, server, name, {
      directory: releasePath(run, server.facts.project, run.release ?? ''),
      signal: run.signal,
    });
  } catch (error) {
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
