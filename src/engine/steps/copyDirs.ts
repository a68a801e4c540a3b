/** `copy_dirs`: folders copied from the live release, e.g. `node_modules`. What the commit has in them wins. Links are copied as links. */
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { enterFolder, quote, refuseLinks } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import { lastLines, runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';
import { trim } from './shared.ts';

export const copyDirs: Step = {
  name: 'copy_dirs',
  inRelease: true,
  applies({ settings }) {
    return isAskedFor(settings, 'copy_dirs');
  },
  async look({ run, server }) {
    const { live } = server.facts;
    return live === null
      ? { achieved: true, reason: 'there is no previous release to copy from' }
      : { achieved: false, reason: `${run.settings.copy_dirs.join(', ')} to copy from ${live}` };
  },
  async achieve({ run, server, signal }) {
    const live = server.facts.live ?? '';
    const paths = run.settings.copy_dirs.map(trim);
    const lines = paths
      .filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
      .map((path) => {
        const words = [path, `releases/${live}/${path}`, `releases/${run.release}/${path}`];
        return `copy_folder ${words.map(quote).join(' ')} || exit 1`;
      });
    const copy = `copy=${quote(`.durant/incoming.${run.id}`)}`;
    const result = await runScript(
      server,
      [refuseLinks(), enterFolder(), copy, copyFolder, ...lines].join('\n'),
      { signal },
    );
    for (const line of result.stdout.toString('utf8').split('\n')) {
      const [, kind, path = ''] = /^not-copied (link|unread) (.*)$/.exec(line) ?? [];
      if (kind === undefined) continue;
      const where = `${path} of ${live} on ${server.address.entry}`;
      const message =
        kind === 'link'
          ? `${where} is a symbolic link, or is reached through one, which Durant does not follow: it was not copied. Replace the link by a folder there if it has to be.`
          : `Not all of ${where} can be read by the login user; what it cannot read was not copied.\n${lastLines(result.stderr.toString('utf8'), 3)}`;
      run.emit({ event: 'warning', code: 'not-copied', message, server: server.address.entry });
    }
  },
};

/** Defines `copy_folder PATH FROM TO`. */
export const copyFolder = shellFile(import.meta.url, './copyDirs.sh');
