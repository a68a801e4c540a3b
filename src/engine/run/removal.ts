/**
 * Removing releases on a server. Nothing removes what `current` points at, as looked up by the script that removes. What cannot be removed
 * stays as `.durant/trash.<release>`, fails nothing, and is tried again by every cleanup.
 */
import type { Settings } from '../../config/options/options.ts';
import { quote, refuseLinks } from '../../remote/shell.ts';
import type { Run, ServerRun } from './run.ts';
import { lastLines, runScript } from './script.ts';

export interface Removal {
  /** Names of the releases that are gone. */
  readonly removed: readonly string[];
  /** Paths below project_dir that are still there. */
  readonly left: readonly string[];
}

/**
 * Defines `remove_release NAME` and `empty_trash`, for a script in project_dir. Both say `left=PATH` for what is still there, and are false
 * then. A release's folder goes out of sight first, so that no half of it is ever taken for whole, and not before the disk knows that
 * `current` no longer leads to it: else a power cut could bring back a link to what is gone. With strategy inplace (`.durant/live` is
 * there) it has none: what lies in `releases/` is the project's own. The record goes last: whoever is interrupted leaves one, or trash, by
 * which the next run ends the removal.
 */
export function removalFunctions(settings: Pick<Settings, 'current_path' | 'cleanup_use_sudo'>): string {
  const current = quote(settings.current_path);
  const [move, remove] = settings.cleanup_use_sudo
    ? [
        'mv "$1" "$2" 2>/dev/null || { refuse_links "$1" && refuse_links "$2" && sudo -n mv "$1" "$2"; }',
        'rm -rf "$1" 2>/dev/null || { refuse_links "$1" && sudo -n rm -rf "$1"; }',
      ]
    : ['mv "$1" "$2"', 'rm -rf "$1"'];
  return `${refuseLinks()}
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
discard() {
  ${remove}
  is_there "$1" || return 0
  printf 'left=%s\\n' "$1"; return 1
}
hide() { ${move}; }
empty_trash() {
  s=0
  for t in .durant/trash.*; do is_there "$t" || continue; discard "$t" || s=1; done
  return $s
}
remove_release() {
  t=
  if [ -f .durant/live ]; then
    if [ "$(cat .durant/live)" = "$1" ]; then echo "$1 is live" >&2; printf 'left=%s\\n' "$1"; return 1; fi
  elif [ -d "releases/$1" ]; then
    if [ ${current} -ef "releases/$1" ]; then
      printf '%s points at releases/%s\\n' ${current} "$1" >&2; printf 'left=releases/%s\\n' "$1"; return 1
    fi
    t=.durant/trash.$1; while is_there "$t"; do t=$t-; done
    { sync -f releases 2>/dev/null || sync; } && hide "releases/$1" "$t" || { printf 'left=releases/%s\\n' "$1"; return 1; }
  fi
  rm -f ".durant/env/$1" ".durant/manifests/$1.touched" ".durant/manifests/$1.assets" ".durant/manifests/$1" ".durant/releases/$1.provenance.json" ".durant/releases/$1.provenance.json.sig" ".durant/releases/$1.services" ".durant/releases/$1.ini"
  [ -z "$t" ] || discard "$t"
}`;
}

/** Script that removes releases and what earlier runs could not, without a word. */
export function removeQuietly(
  settings: Pick<Settings, 'current_path' | 'cleanup_use_sudo'>,
  names: readonly string[],
): string {
  return `( ${removalFunctions(settings)}
empty_trash
${names.map((name) => `remove_release ${quote(name)}`).join('\n')}
) >/dev/null 2>&1 || :`;
}

/**
 * Removes releases of a server, and what earlier runs could not remove; what is left is a warning.
 * @param last script to run after it in the same round trip.
 */
export async function removeReleases(
  run: Run,
  server: ServerRun,
  names: readonly string[],
  { last, signal }: { readonly last: string; readonly signal: AbortSignal },
): Promise<Removal> {
  const each = names.map((name) => `remove_release ${quote(name)} && printf 'removed=%s\\n' ${quote(name)}`);
  const result = await runScript(
    server,
    [`( ${removalFunctions(run.settings)}`, 'empty_trash', ...each, ':', ')', last].join('\n'),
    { signal },
  );
  const lines = result.stdout.toString('utf8').split('\n');
  const valuesOf = (key: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const removal = { removed: valuesOf('removed'), left: valuesOf('left') };
  const { entry } = server.address;
  if (removal.left.length > 0)
    run.emit({
      event: 'warning',
      code: 'cleanup-failed',
      message: `Could not be removed from ${run.settings.project_dir} on ${entry}, and the next run tries again: ${removal.left.join(', ')}. If the web server wrote into it, set cleanup_use_sudo: yes.\n${lastLines(result.stderr.toString('utf8'), 3)}`,
      server: entry,
    });
  return removal;
}

/** For the step: what is gone of what was to go. */
export function removedWords(names: readonly string[], removed: readonly string[]): string {
  if (names.length === 0) return 'nothing to remove';
  return removed.length === 0 ? `${names.join(', ')} could not be removed` : `removed ${removed.join(', ')}`;
}
