/** Steps that are a list of the user's commands in the new release: `vendors` on every server, `release_command` on the first. */
import type { OptionKey } from '../../config/options/options.ts';
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { releaseFolder, runCommands } from '../run/hooks.ts';
import type { Step } from '../run/step.ts';

type CommandList = Extract<OptionKey, 'vendors' | 'release_command'>;

export const vendors = commandStep('vendors');
/** Once per run, on the first server, before the switch: migrations. */
export const releaseCommand = commandStep('release_command');

function commandStep(name: CommandList): Step {
  return {
    name,
    inRelease: true,
    applies({ settings }) {
      return isAskedFor(settings, name);
    },
    async look({ run, server }) {
      return name === 'release_command' && server !== run.servers[0]
        ? { achieved: true, reason: 'runs on the first server only' }
        : { achieved: false, reason: `${run.settings[name].length} to run` };
    },
    async achieve({ run, server, signal }) {
      await runCommands(run, server, {
        step: name,
        commands: run.settings[name],
        directory: releaseFolder(run, server),
        signal,
      });
    },
    commands(run) {
      return run.settings[name];
    },
  };
}
