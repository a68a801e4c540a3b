/** `clear_paths`: removed from the release before it goes live. */
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { quote, refuseLinks } from '../../remote/shell.ts';
import { inRelease } from '../run/hooks.ts';
import { runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';
import { trim } from './shared.ts';

export const clearPaths: Step = {
  name: 'clear_paths',
  inRelease: true,
  applies({ settings }) {
    return isAskedFor(settings, 'clear_paths');
  },
  async look({ run }) {
    return { achieved: false, reason: `${run.settings.clear_paths.join(', ')} to remove from the release` };
  },
  async achieve({ run, server, signal }) {
    const sudo = run.settings.clear_use_sudo ? 'sudo -n ' : '';
    const lines = run.settings.clear_paths.map(trim).map((path) => {
      const own = quote(inRelease(run, path));
      return `refuse_links ${own} && ${sudo}rm -rf ${own} || exit 1`;
    });
    await runScript(server, [refuseLinks(), ...lines].join('\n'), { signal });
  },
};
