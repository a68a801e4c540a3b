/** `cleanup`: the releases that are no longer kept are removed. */
import { hookCommands } from '../run/hooks.ts';
import { removedWords, removeReleases } from '../run/removal.ts';
import type { NamedRun, ServerRun } from '../run/run.ts';
import type { FinishingStep } from '../run/step.ts';
import { removableReleases, type ServerReleases } from '../server/releases.ts';
import { recordOf } from './release.ts';
import { endScript } from './unlock.ts';

export const cleanup: FinishingStep = {
  name: 'cleanup',
  async look({ run, server }) {
    const hooks = [...hookCommands(run, 'before_cleanup'), ...hookCommands(run, 'after_cleanup')];
    const names = removable(run, server);
    return {
      achieved: names.length === 0 && hooks.length === 0,
      reason: names.length === 0 ? 'nothing to remove' : `${names.join(', ')} to remove`,
    };
  },
  async achieve({ run, server, signal }) {
    const names = run.signal.aborted ? [] : removable(run, server);
    // Where nothing of the user's comes between, the lock is given back in the same round trip.
    const isLast = hookCommands(run, 'after_cleanup').length === 0;
    const last = isLast ? endScript(run, server) : '';
    const { removed } = await removeReleases(run, server, names, { last, signal });
    if (isLast) server.ownLock = { state: 'none' };
    return removedWords(names, removed);
  },
};

/** What the server has once this run's release is finished. */
function releasesAfter(run: NamedRun, server: ServerRun): ServerReleases {
  const others = server.facts.records.filter((record) => record.name !== run.release);
  // What `release` removes is no longer there.
  const kept = others.filter(
    ({ name, state }) =>
      state === 'finished' || state === 'bad' || name === server.previous || name === server.facts.live,
  );
  return { records: [...kept, recordOf(run, server, 'finished')], live: run.release };
}

/** Names of the releases that the server gives up when this run's is finished. */
function removable(run: NamedRun, server: ServerRun): string[] {
  const all = [...run.servers.map((each) => releasesAfter(run, each)), ...run.others];
  return removableReleases(releasesAfter(run, server), all, run.settings.keep_releases);
}
