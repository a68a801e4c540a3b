/** `copy_dirs`: folders copied from the live release, e.g. `node_modules`. What the commit has in them wins. */
import { quote, refuseLinks } from '../../remote/shell.ts';
import { runScript } from '../script.ts';
import type { Step } from './goal.ts';
import { trim } from './shared.ts';

export const copyDirs: Step = {
  name: 'copy_dirs',
  inRelease: true,
  applies({ settings }) {
    return settings.copy_dirs.length > 0;
  },
  async achieved({ server }) {
    return server.facts.live === null;
  },
  async reason({ run, server }) {
    const { live } = server.facts;
    return live === null
      ? 'there is no previous release to copy from'
      : `${run.settings.copy_dirs.join(', ')} to copy from ${live}`;
  },
  async achieve({ run, server, signal }) {
    const lines = run.settings.copy_dirs.map(trim).map((path) => {
      const [from, to] = [
        quote(`releases/${server.facts.live ?? ''}/${path}`),
        quote(`releases/${run.release ?? ''}/${path}`),
      ];
      const temporary = quote(`.durant/copy.${run.id}`);
      return `refuse_links ${from} && refuse_links ${to} || exit 1
if [ -d ${from} ] && ! [ -L ${from} ]; then
  rm -rf ${temporary} && cp -pPR ${from} ${temporary} || exit 1
  if [ -d ${to} ]; then cp -pPR ${to}/. ${temporary}/ && rm -rf ${to} || exit 1; fi
  mkdir -p "$(dirname ${to})" && mv ${temporary} ${to} || exit 1
fi`;
    });
    await runScript(run, server, [refuseLinks(), ...lines].join('\n'), { signal });
  },
};
