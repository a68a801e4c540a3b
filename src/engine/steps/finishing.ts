/** `cleanup`, `unlock` and `success` as a dry run lists them; what they do is in `finish.ts`, as nothing there can fail a live run. */
import { hookCommands } from '../run/hooks.ts';
import { recordOf } from './release.ts';
import { removableReleases, type ServerReleases } from '../server/releases.ts';
import type { Run, ServerRun } from '../run/run.ts';
import type { Step } from '../run/step.ts';

const cleanup: Step = {
  name: 'cleanup',
  async achieved({ run, server }) {
    const hooks = [...hookCommands(run, 'before_cleanup'), ...hookCommands(run, 'after_cleanup')];
    return removable(run, server).length === 0 && hooks.length === 0;
  },
  async reason({ run, server }) {
    const names = removable(run, server);
    return names.length === 0 ? 'nothing to remove' : `${names.join(', ')} to remove`;
  },
  async achieve() {},
};

const unlock: Step = {
  name: 'unlock',
  async achieved() {
    return false;
  },
  async reason() {
    return 'the lock is given back at the end';
  },
  async achieve() {},
};

const success: Step = {
  name: 'success',
  async achieved({ run }) {
    return hookCommands(run, 'after_deploy').length === 0;
  },
  async reason({ run }) {
    const count = hookCommands(run, 'after_deploy').length;
    return count === 0 ? 'no after_deploy' : `after_deploy: ${count} to run`;
  },
  async achieve() {},
  commands(run) {
    return hookCommands(run, 'after_deploy');
  },
};

export const FINISHING: readonly Step[] = [cleanup, unlock, success];

/** What the server has once this run's release is finished. */
export function releasesAfter(run: Run, server: ServerRun): ServerReleases {
  const others = server.facts.records.filter((record) => record.name !== run.release);
  // What `release` removes is no longer there.
  const kept = others.filter(
    ({ name, state }) =>
      state === 'finished' || state === 'bad' || name === server.previous || name === server.facts.live,
  );
  return { records: [...kept, recordOf(run, server, 'finished')], live: run.release ?? null };
}

/** Names of the releases that the server gives up when this run's is finished. */
export function removable(run: Run, server: ServerRun): string[] {
  const all = [...run.servers.map((each) => releasesAfter(run, each)), ...run.others];
  return removableReleases(releasesAfter(run, server), all, run.settings.keep_releases);
}
