/** Which way a rollback goes: back, or to a newer release, which is to make it live again. */
import { isOlder, newestFirst } from '../server/releases.ts';
import type { Run, ServerRun } from '../run/run.ts';

/** Whether the release that a rollback goes to is newer than all that it leaves. */
export function goesForward(run: Run): boolean {
  if (run.action !== 'rollback') return false;
  const target = run.servers.flatMap(({ facts }) => facts.records).find(({ name }) => name === run.release);
  const left = newestFirst(run.servers.flatMap((server) => leftBy(server) ?? []))[0];
  return target !== undefined && left !== undefined && isOlder(left, target);
}

/** What was live on a server before the run; what is, where the run has not switched it. */
function leftBy({ facts, previous }: ServerRun) {
  const name = previous === undefined ? facts.live : previous;
  return facts.records.find((record) => record.name === name);
}
