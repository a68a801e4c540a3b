/** `clear_paths`: removed from the release before it goes live. */
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { enterFolder, quote, refuseLinks } from '../../remote/shell.ts';
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
    const { clear_paths, clear_use_sudo } = run.settings;
    const paths = clear_paths.map((path) => inRelease(run, trim(path)));
    await runScript(server, clearScript(paths, clear_use_sudo ? 'by sudo' : 'as login user'), { signal });
  },
};

/**
 * Run in project_dir. Each path is removed by its name in the folder that it lies in, once the shell is there: whoever swaps a folder on the
 * way for a link has nothing outside removed.
 */
export function clearScript(paths: readonly string[], how: 'by sudo' | 'as login user'): string {
  return [
    refuseLinks(),
    enterFolder(),
    `clear() {
  refuse_links "$1" || return 1
  case $1 in */*) in=\${1%/*};; *) in=.;; esac
  [ -d "$in" ] || return 0
  (enter "$in" || { printf '%s\\n' "$in cannot be entered, or a folder on the way has become a symbolic link" >&2; exit 1; }
  ${how === 'by sudo' ? 'sudo -n ' : ''}rm -rf "./\${1##*/}")
}`,
    ...paths.map((path) => `clear ${quote(path)} || exit 1`),
  ].join('\n');
}
