/** What a failed or cancelled run leaves behind: as far as servers can be reached, nothing. */
import type { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { failureOf, historyLine } from '../server/history.ts';
import { giveBackLocks } from '../server/lockServers.ts';
import { hookCommands, runHook } from './hooks.ts';
import { settleAllServers, warnOf } from './parallel.ts';
import type { Run } from './run.ts';

/**
 * Puts back what the strategy can put back, runs `on_failure`, gives the locks back. A run that is live stays so: what failed then is a
 * goal that comes after the deploy. Servers that cannot be reached are reported as `unknown`.
 * @returns whether anything was changed on a server and not put back.
 */
export async function undo(run: Run, error: DurantError): Promise<boolean> {
  await noteFailure(run, error);
  const isLeft = run.phase === 'finishing' ? false : await run.strategy.undo(run, error);
  await runOnFailure(run, error);
  await giveBackLocks(run);
  return isLeft;
}

/** In the log of a server that this run has not locked, or no longer has: what it did there is none, and to add a line needs no lock. */
async function noteFailure(run: Run, error: DurantError): Promise<void> {
  const unlocked = run.servers.filter(({ facts, ownLock }) => facts.managed && ownLock.state === 'none');
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

/** Commands that are no deploy: `on_failure` is not about them. */
const WITHOUT_HOOKS: readonly Run['action'][] = ['prune', 'down', 'maintenance'];

async function runOnFailure(run: Run, error: DurantError): Promise<void> {
  if (WITHOUT_HOOKS.includes(run.action) || !runsHooks(error) || hookCommands(run, 'on_failure').length === 0)
    return;
  const { signal } = new AbortController();
  const reached = run.servers.filter(
    ({ state, facts, ownLock }) => state !== 'unknown' && (facts.exists || ownLock.state === 'held'),
  );
  warnOf(
    run,
    'on-failure-failed',
    await settleAllServers(reached, (server) =>
      runHook(run, server, 'on_failure', {
        directory: server.facts.project,
        signal,
        env: { DURANT_ERROR: run.mask(error.message), DURANT_FAILED_STEP: run.failedStep ?? '' },
      }),
    ),
  );
}

/** Whether a failure of this kind is one of the run, and not of how it was asked for. */
function runsHooks(error: DurantError): boolean {
  return !['locked', 'held', 'plan-stale', 'confirmation-needed'].includes(error.code);
}
