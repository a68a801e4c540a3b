/** `copy_dirs`: folders copied from the live release, e.g. `node_modules`. What the commit has in them wins. Links are copied as links. */
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { enterFolder, quote, refuseLinks } from '../../remote/shell.ts';
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

/**
 * copy_folder PATH FROM TO: the web server may write in FROM, and plant there what it likes. So the copy is made where nobody else can reach
 * it, with files, folders and links as they are; what stands in it at a path of the commit's goes before the commit's comes; only a full
 * disk is a failure.
 */
export const copyFolder = String.raw`
copy_folder() {
  [ -d "$2" ] || return 0
  refuse_links "$3" || return 1
  if [ -L "$3" ] || { [ -e "$3" ] && ! [ -d "$3" ]; }; then return 0; fi
  (enter "$2") || { echo "not-copied link $1"; return 0; }
  T=$top/$copy/tree; export T
  rm -rf "$copy" && mkdir -m 700 "$copy" || return 1
  if ! (enter "$2" && cp -pPR . "$T") 2>"$copy/said"; then
    cat "$copy/said" >&2
    if grep -i -q 'space\|quota\|too large\|size limit' "$copy/said"; then return 1; fi
    echo "not-copied unread $1"
    [ -d "$T" ] || return 0
  fi
  find "$T" -type d ! -perm -700 -exec chmod u+rwx {} \; && find "$T" ! -type d ! -type f ! -type l -exec rm -f {} + || return 1
  if [ -d "$3" ]; then
    (cd "$3" && find . ! -name . -exec sh -c '
      for p; do
        if [ -d "$p" ] && ! [ -L "$p" ] && [ -d "$T/$p" ] && ! [ -L "$T/$p" ]; then continue; fi
        if [ -e "$T/$p" ] || [ -L "$T/$p" ]; then rm -rf "$T/$p" || exit 1; fi
      done' sh {} +) && cp -pPR "$3/." "$T" && rm -rf "$3" || return 1
  fi
  mkdir -p "$(dirname "$3")" && mv "$T" "$3" && rm -rf "$copy"
}`;
