/** `success`: the run is over, and `after_deploy` runs. */
import { siteAddress } from '../app/site.ts';
import { hookCommands, releaseFolder, runHook } from '../run/hooks.ts';
import { runScript } from '../run/script.ts';
import type { FinishingStep } from '../run/step.ts';
import { noteChangesBy } from './modifiedPaths.ts';

export const success: FinishingStep = {
  name: 'success',
  async look({ run }) {
    const count = hookCommands(run, 'after_deploy').length;
    return count === 0
      ? { achieved: true, reason: 'no after_deploy' }
      : { achieved: false, reason: `after_deploy: ${count} to run` };
  },
  async achieve({ run, server, signal }) {
    const directory = releaseFolder(run, server);
    if (!run.signal.aborted) await runHook(run, server, 'after_deploy', { directory, signal: run.signal });
    const note = noteChangesBy(run, server, 'after_deploy', run.release);
    // The lock is given back: another run that has it knows already what it will send.
    if (note !== '') await runScript(server, `if ! [ -e .durant/lock ]; then\n${note}\nfi`, { signal });
    return siteAddress(run.settings) ?? null;
  },
  commands(run) {
    return hookCommands(run, 'after_deploy');
  },
};
