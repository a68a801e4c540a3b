/** What becomes of the files of a server, as events. */
import type { Change, Plan } from '../../transfer/tree/plan.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import type { Run, ServerRun } from './run.ts';

export function emitChange(run: Run, server: ServerRun, change: Change): void {
  run.emit({
    event: 'change',
    server: server.address.entry,
    ...displayPath(change.path),
    kind: change.kind,
    bytes: change.bytes,
  });
}

/** Emits all that the plan adds, changes and deletes. */
export function emitChanges(run: Run, server: ServerRun, plan: Plan): void {
  for (const change of plan.changes) emitChange(run, server, change);
}
