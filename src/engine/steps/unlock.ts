/** `unlock`: the lock is given back. It goes last: a warm copy is this run's to start while it has the lock. */
import type { NamedRun, ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { FinishingStep } from '../run/step.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { noteLateChanges } from './modifiedPaths.ts';

export const unlock: FinishingStep = {
  name: 'unlock',
  async look() {
    return { achieved: false, reason: 'the lock is released at the end' };
  },
  async achieve({ run, server, signal }) {
    if (server.ownLock.state !== 'none') await runScript(server, endScript(run, server), { signal });
    server.ownLock = { state: 'none' };
    return null;
  },
};

/** sh text, in project_dir, for the last round trip of a run. */
export function endScript(run: NamedRun, server: ServerRun): string {
  return `${noteLateChanges(run, server)}${run.strategy.warmCopy(run, server)}${unlockScript(run.id)}`;
}
