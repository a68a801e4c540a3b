/** What a hold means to a run: a deploy, a rollback and a promotion end with its reason; a dry run tells it. */
import { forgetHold, heldError, holdOf } from '../server/holds.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import type { Run } from './run.ts';
import { defer } from './script.ts';

/** What a hold keeps from being done. */
const HELD: readonly Run['action'][] = ['deploy', 'rollback', 'promote'];

/** @throws {DurantError} `held`. */
export function assertNotHeld(run: Run): void {
  for (const { address, facts } of run.servers) assertNotHeldBy(run, address.entry, facts);
}

/** The same for one server, which may be none of the run's: on any one it holds the stage. @throws {DurantError} `held`. */
export function assertNotHeldBy(run: Run, server: string, facts: ServerFacts): void {
  const hold = holdOf(facts, run.host.now());
  if (hold === null || !HELD.includes(run.action)) return;
  const error = heldError(run.request.stage, server, hold);
  if (!run.dryRun) throw error;
  run.emit({ event: 'warning', code: error.code, message: error.message, server });
}

/** Removes the holds that are over, with the next script. */
export function forgetExpiredHolds(run: Run): void {
  for (const server of run.servers) {
    const { hold } = server.facts;
    if (hold !== undefined && holdOf(server.facts, run.host.now()) === null) defer(server, forgetHold(hold));
  }
}
