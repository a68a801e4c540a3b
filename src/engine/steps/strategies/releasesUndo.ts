/** Strategy `releases`, undone: every server is switched back; what was prepared is removed, or kept as `failed` where it was live. */
import { asDurantError, type DurantError } from '../../../errors.ts';
import { hookCommands, runHook } from '../../run/hooks.ts';
import { settleAllServers, warnOf } from '../../run/parallel.ts';
import { reachable } from '../../run/reconnect.ts';
import { removeQuietly } from '../../run/removal.ts';
import { isNamed, type NamedRun, type Run, type ServerRun, makesRelease } from '../../run/run.ts';
import { defer, flush, runScript } from '../../run/script.ts';
import { failureOf, historyLine } from '../../server/history.ts';
import { noteChangesBy } from '../modifiedPaths.ts';
import { recordOf, resumable, writeRecord } from '../release.ts';
import { dropInstance } from '../services.ts';
import { switchBack } from '../symlink.ts';

/** Servers that cannot be reached are `unknown` from then on. @returns whether a server was switched and not put back. */
export async function undoReleases(run: Run, error: DurantError): Promise<boolean> {
  const { signal } = new AbortController();
  const isSwitchedBack = isNamed(run) ? await switchAllBack(run, signal) : true;
  const isDropped = await dropInstances(run, signal);
  // What was started is kept, for its log.
  const isPublished = run.servers.some(
    ({ previous, services }) => previous !== undefined || services?.instance === 'begun',
  );
  const reached = run.servers.filter(({ state, ownLock }) => state !== 'unknown' && ownLock.state === 'held');
  const failures = await settleAllServers(reached, async (server) => {
    if (makesRelease(run) && isNamed(run)) {
      server.deferred = [];
      if (isPublished) defer(server, writeRecord({ ...recordOf(run, server, 'failed'), finished: '' }));
      else if (isUnfinished(run, server))
        defer(server, `rm -rf .durant/*.${run.id}; ${removeQuietly(run.settings, [run.release])}`);
    }
    defer(server, historyLine(run, server, failureOf(run, error)));
    await reachable(run, server, () => flush(server, signal));
  });
  warnOf(run, 'undo-failed', failures);
  return !(isSwitchedBack && isDropped);
}

/** Switches back what was switched, with its services and `after_rollback`. @returns whether all that was this run's is put back. */
async function switchAllBack(run: NamedRun, signal: AbortSignal): Promise<boolean> {
  const switched = run.servers.filter(({ previous }) => previous !== undefined);
  let isBack = true;
  const failures = await settleAllServers(switched, async (server) => {
    try {
      await reachable(run, server, () => switchBack(run, server, signal));
    } catch (thrown) {
      const isOthers = server.ownLock.state === 'lost' || asDurantError(thrown).code === 'switched-elsewhere';
      server.state = isOthers ? 'failed' : 'unknown';
      isBack &&= isOthers && server.facts.live !== run.release;
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
  const reverted = switched.filter(({ state }) => state === 'reverted');
  warnOf(
    run,
    'after-rollback-failed',
    await settleAllServers(reverted, (server) => afterSwitchBack(run, server, signal)),
  );
  return isBack;
}

/** Where nothing was switched yet, the site leads where it led, and what was started beside that goes. @returns whether all has gone. */
async function dropInstances(run: Run, signal: AbortSignal): Promise<boolean> {
  const begun = run.servers.filter(
    ({ previous, ownLock, services }) =>
      previous === undefined && ownLock.state === 'held' && services?.instance === 'begun',
  );
  const failures = await settleAllServers(begun, async (server) => {
    try {
      await reachable(run, server, () => dropInstance(run, server, signal));
    } catch (thrown) {
      server.state = 'unknown';
      throw thrown;
    }
  });
  warnOf(run, 'switch-back-failed', failures);
  return failures.length === 0;
}

async function afterSwitchBack(run: NamedRun, server: ServerRun, signal: AbortSignal): Promise<void> {
  const { live, project } = server.facts;
  if (live === null || hookCommands(run, 'after_rollback').length === 0) return;
  const directory = run.strategy.layout.releaseFolder(project, live);
  await runHook(run, server, 'after_rollback', { directory, signal });
  const note = noteChangesBy(run, server, 'after_rollback', live);
  if (note !== '') await runScript(server, note, { signal });
}

/** Whether the run's release is there, or may be, and is nobody's yet: begun by this run, or by a dead one whose work it went on with. */
function isUnfinished(run: NamedRun, server: ServerRun): boolean {
  if (server.facts.live === run.release) return false;
  return server.begun || resumable(run, server)?.state === 'prepared';
}
