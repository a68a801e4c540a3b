/** What a stage can be rolled back to, or have made live again, from what is known of it. Pure. */
import { isOlder } from '../engine/server/releases.ts';
import { liveRecord, type StageKnown } from './store.ts';

/** The releases that every server has and that were finished once, without the live one, newest first. */
export function candidatesOf(known: StageKnown | undefined): StageKnown['servers'][number]['releases'] {
  const [first, ...others] = known?.servers ?? [];
  return (first?.releases ?? []).filter(
    ({ name, current, state }) =>
      !current &&
      (state === 'finished' || state === 'bad') &&
      others.every((server) => server.releases.some((record) => record.name === name)),
  );
}

/** Whether a release is newer than what is live: to go there is to make it live again. */
export function isNewer(known: StageKnown | undefined, release: string | undefined): boolean {
  return (known?.servers ?? []).some((server) => {
    const live = liveRecord(server);
    const target = server.releases.find(({ name }) => name === release);
    return live !== undefined && target !== undefined && isOlder(live, target);
  });
}

/** Whether the rollback without a name has something to go to. */
export function canRollBack(known: StageKnown | undefined): boolean {
  return candidatesOf(known).some(({ name, state }) => state === 'finished' && !isNewer(known, name));
}
