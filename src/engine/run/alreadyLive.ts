/** A run that finds everything achieved: it says so, and leaves the servers in order. */
import { clearDeadLocks, reportLocks } from '../server/lockServers.ts';
import type { NamedRun } from './run.ts';

/** For a deploy of a commit that is live by the same recipe: its release is the live one. */
export async function alreadyLive(run: NamedRun): Promise<void> {
  run.release = run.servers[0]?.facts.live ?? run.release;
  for (const server of run.servers) {
    server.state = 'unchanged';
    sayLive(run, server.address.entry, `${server.facts.live ?? ''} is live: same commit, same recipe`);
  }
  if (run.dryRun) await reportLocks(run);
  else await clearDeadLocks(run);
}

/** For a rollback to what is live. */
export async function alreadyRolledBack(run: NamedRun): Promise<void> {
  for (const { address } of run.servers) sayLive(run, address.entry, `${run.release} is live`);
  if (!run.dryRun) await clearDeadLocks(run);
}

function sayLive(run: NamedRun, server: string, reason: string): void {
  run.emit({ event: 'step', step: 'symlink', server, state: 'already', reason, ms: null });
}
