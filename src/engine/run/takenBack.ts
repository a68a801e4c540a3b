/** A commit that was live before and was taken back, by somebody or by a failed check, is remarked when it is deployed again. */
import { newestFirst } from '../server/releases.ts';
import type { NamedRun } from './run.ts';

/** Warns once, naming the newest release of the commit that was taken back, and its servers. */
export function warnOfTakenBack(run: NamedRun): void {
  const { commit, servers } = run;
  const isTakenBack = ({ commit: id, state }: { commit: string; state: string }): boolean =>
    id === commit.id && (state === 'bad' || state === 'failed');
  const [newest] = newestFirst(servers.flatMap(({ facts }) => facts.records.filter(isTakenBack)));
  if (newest === undefined) return;
  const where = servers
    .filter(({ facts }) =>
      facts.records.some(({ name, state }) => name === newest.name && state === newest.state),
    )
    .map(({ address }) => address.entry);
  const what = newest.state === 'bad' ? 'was rolled back' : 'failed and was switched back';
  run.emit({
    event: 'warning',
    code: 'taken-back-before',
    message: `Commit ${commit.id.slice(0, 7)} ${what} before, as release ${newest.name} on ${where.join(', ')}. It is deployed again because you ask for it.`,
    server: null,
  });
}
