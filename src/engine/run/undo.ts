/** What a failed or cancelled run leaves behind: as far as servers can be reached, nothing. */
import { quote } from '../../remote/shell.ts';
import { asDurantError, type DurantError } from '../../errors.ts';
import { recordOf, resumable, writeRecord } from '../steps/release.ts';
import { switchBack } from '../steps/symlink.ts';
import { noteChangesBy } from '../steps/modifiedPaths.ts';
import { failureOf, historyLine } from '../server/history.ts';
import { undoInplace } from '../steps/strategies/inplaceFlow.ts';
import { hookCommands, releasePath, runHook } from './hooks.ts';
import { giveBackLocks } from '../server/lockServers.ts';
import { reachable } from './reconnect.ts';
import { removeQuietly } from './removal.ts';
import { settleAllServers, warnOf, type Run, type ServerRun } from './run.ts';
import { defer, flush, runScript } from './script.ts';

/** Whether a failure of this kind is one of the run, and not of how it was asked for. */
function runsHooks(error: DurantError): boolean {
  return !['locked', 'held', 'confirmation-needed'].includes(error.code);
}

/**
 * Switches back what was switched, removes what was prepared (or keeps it as `failed` where it was live), runs `after_rollback` and
 * `on_failure`, gives the locks back. Servers that cannot be reached are reported as `unknown`.
 * @returns whether anything was changed on a server and not put back.
 */
export async function undo(run: Run, error: DurantError): Promise<boolean> {
  if (run.phase === 'finishing') {
    // It is live and stays so: what failed is a goal that comes after the deploy.
    await noteFailure(run, error);
    await runOnFailure(run, error, run.servers);
    await giveBackLocks(run);
    return false;
  }
  await noteFailure(run, error);
  if (run.settings.strategy === 'inplace') {
    const left = await undoInplace(run, error, reachable);
    await runOnFailure(run, error, run.servers);
    await giveBackLocks(run);
    return left;
  }
  const signal = new AbortController().signal;
  const switched = run.servers.filter((server) => server.previous !== undefined);
  let left = false;

  const failures = await settleAllServers(switched, async (server) => {
    try {
      await reachable(run, server, async () => switchBack(run, server, signal));
    } catch (thrown) {
      const isOthers = server.hold.state === 'lost' || asDurantError(thrown).code === 'switched-elsewhere';
      server.state = isOthers ? 'failed' : 'unknown';
      left ||= !isOthers || server.facts.live === run.release;
      throw thrown;
    }
    server.state = 'reverted';
    run.emit({
      event: 'step',
      step: 'symlink',
      server: server.address.entry,
      state: 'failed',
      reason: `switched back to ${server.previousLink ?? server.previous ?? 'nothing'}`,
      ms: null,
    });
  });
  warnOf(run, 'switch-back-failed', failures);

  const published = switched.length > 0;
  warnOf(
    run,
    'after-rollback-failed',
    await settleAllServers(
      switched.filter((server) => server.state === 'reverted' && server.facts.live !== null),
      async (server) => {
        if (hookCommands(run, 'after_rollback').length === 0) return;
        await runHook(run, server, 'after_rollback', {
          directory: releasePath(run, server.facts.project, server.facts.live ?? ''),
          signal,
        });
        const note = noteChangesBy(run, server, 'after_rollback', server.facts.live);
        if (note !== '') await runScript(server, note, { signal });
      },
    ),
  );

  const reached = run.servers.filter((server) => server.state !== 'unknown');
  warnOf(
    run,
    'undo-failed',
    await settleAllServers(reached, async (server) => {
      if (server.hold.state !== 'held') return;
      if (run.action === 'deploy' && run.release !== undefined) {
        server.deferred = [];
        if (published) defer(server, writeRecord({ ...recordOf(run, server, 'failed'), finished: '' }));
        else if (isUnfinished(run, server))
          defer(server, `rm -rf .durant/*.${run.id}; ${removeQuietly(run.settings, [run.release])}`);
      }
      defer(server, historyLine(run, server, failureOf(run, error)));
      await reachable(run, server, () => flush(server, signal));
    }),
  );
  await runOnFailure(run, error, reached);
  await giveBackLocks(run);
  return left;
}

/** In the log of a server that this run has not locked, or no longer has: what it did there is none, and to add a line needs no lock. */
async function noteFailure(run: Run, error: DurantError): Promise<void> {
  const unlocked = run.servers.filter(({ facts, hold }) => facts.managed && hold.state === 'none');
  if (!runsHooks(error) || error.code === 'cancelled') return;
  // Of a server that cannot be written to, the run's own error tells.
  await settleAllServers(
    unlocked.map((server) => ({ address: server.address, server })),
    async ({ server }) => {
      await server.connection.exec({
        script: `cd ${quote(server.facts.project)} && ${historyLine(run, server, failureOf(run, error))}`,
        signal: AbortSignal.timeout(10_000),
      });
    },
  );
}

async function runOnFailure(run: Run, error: DurantError, reached: readonly ServerRun[]): Promise<void> {
  if (run.action === 'prune' || !runsHooks(error) || hookCommands(run, 'on_failure').length === 0) return;
  const { signal } = new AbortController();
  warnOf(
    run,
    'on-failure-failed',
    await settleAllServers(
      reached.filter(({ facts, hold }) => facts.exists || hold.state === 'held'),
      (server) =>
        runHook(run, server, 'on_failure', {
          directory: server.facts.project,
          signal,
          env: { DURANT_ERROR: run.mask(error.message), DURANT_FAILED_STEP: run.failedStep ?? '' },
        }),
    ),
  );
}

/** Whether the run's release is there, or may be, and is nobody's yet: begun by this run, or by a dead one whose work it went on with. */
function isUnfinished(run: Run, server: ServerRun): boolean {
  if (server.facts.live === run.release) return false;
  return server.begun || resumable(run, server)?.state === 'prepared';
}
