/** Steps that are a list of the user's commands in the new release: `vendors` on every server, `release_command` on the first. */
import type { OptionKey } from '../../config/options/options.ts';
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import { hasRole } from '../../config/values/serverEntries.ts';
import { releaseFolder, runCommands, runsOn } from '../run/hooks.ts';
import { oncePerRun } from '../run/parallel.ts';
import type { Run, ServerRun } from '../run/run.ts';
import type { Step } from '../run/step.ts';

type CommandList = Extract<OptionKey, 'vendors' | 'release_command'>;

export const vendors = commandStep('vendors');
/** Once per run, on the first server (of `release_role`), before the switch: migrations. */
export const releaseCommand = commandStep('release_command');

function commandStep(name: CommandList): Step {
  return {
    name,
    inRelease: true,
    applies({ settings }) {
      return isAskedFor(settings, name);
    },
    async assess({ run }) {
      const { release_role: role = '' } = run.settings;
      if (name !== 'release_command' || releaseServer(run) !== undefined) return;
      await oncePerRun(run, 'release-command-skipped', async () => {
        run.emit({
          event: 'warning',
          code: 'release-command-skipped',
          message: `release_command does not run: no server of this run has the role ${role}.`,
          server: null,
        });
      });
    },
    async look({ run, server }) {
      const first = name === 'release_command' ? releaseServer(run) : server;
      if (first === server) {
        const here = run.settings[name]
          .map((item) => parseCommand(item))
          .filter((placed) => placed.place === 'local' || runsOn(placed, server, run.servers));
        return {
          achieved: false,
          reason: here.length === 0 ? 'none of them is for this server' : `${here.length} to run`,
        };
      }
      const { release_role: role } = run.settings;
      if (first === undefined)
        return { achieved: true, reason: `no server of this run has the role ${role ?? ''}` };
      const which = role === undefined ? 'the first server' : `the first server with the role ${role}`;
      return { achieved: true, reason: `runs on ${which} only` };
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

/** Where `release_command` runs: the first server, of those with `release_role` where that is set. */
function releaseServer({ servers, settings }: Run): ServerRun | undefined {
  const { release_role: role } = settings;
  return servers.find(({ address }) => role === undefined || hasRole(address, role));
}
