/**
 * Removing releases on a server. Nothing removes what `current` points at, as looked up by the script that removes. What cannot be removed
 * stays as `.durant/trash.<release>`, fails nothing, and is tried again by every cleanup.
 */
import type { Settings } from '../../config/options/options.ts';
import { parameters, quote, refuseLinks } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Run, ServerRun } from './run.ts';
import { lastLines, runScript } from './script.ts';

export interface Removal {
  /** Names of the releases that are gone. */
  readonly removed: readonly string[];
  /** Paths below project_dir that are still there. */
  readonly left: readonly string[];
}

const functions = shellFile(import.meta.url, './removal.sh');

/** Defines `remove_release NAME` and `empty_trash`, for a script in project_dir. */
export function removalFunctions(settings: Pick<Settings, 'current_path' | 'cleanup_use_sudo'>): string {
  const use_sudo = settings.cleanup_use_sudo ? 'yes' : '';
  return refuseLinks() + parameters({ current: settings.current_path, use_sudo }) + functions;
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
