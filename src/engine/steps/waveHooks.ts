/** `before_wave` and `after_wave`: the user's commands around the switch of each wave, such as draining a load balancer. */
import { releaseFolder, runCommands } from '../run/hooks.ts';
import { makesRelease, type NamedRun } from '../run/run.ts';
import type { Step } from '../run/step.ts';
import { wavesOf } from '../run/waves.ts';

export const beforeWave = waveHook('before_wave');
export const afterWave = waveHook('after_wave');

function waveHook(name: 'before_wave' | 'after_wave'): Step<NamedRun> {
  return {
    name,
    applies(run) {
      return makesRelease(run) && run.settings[name].length > 0;
    },
    async look({ run, server }) {
      const wave = wavesOf(run).find(({ servers }) => servers.includes(server));
      return {
        achieved: false,
        reason: `wave ${wave?.number ?? 1} of ${wave?.of ?? 1}: ${run.settings[name].length} to run`,
      };
    },
    async achieve({ run, server, signal }) {
      await runCommands(run, server, {
        step: name,
        commands: run.settings[name],
        directory: releaseFolder(run, server),
        signal,
        wave: run.wave,
      });
    },
    commands({ settings }) {
      return settings[name];
    },
  };
}
