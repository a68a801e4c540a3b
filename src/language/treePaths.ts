/** Paths of the tracked tree, one level at a time. */
import { pathParts } from '../config/values/forms.ts';

export interface PathSuggestion {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Most paths that are offered at once. */
const MOST = 500;

/**
 * What may follow a prefix: the entries of the folder that it names so far. `patterns` are anchored, `/like/this`, and folders end
 * in `/`, as rsync has it.
 */
export function suggestPaths(
  tracked: readonly string[],
  prefix: string,
  want: 'files' | 'folders' | 'both' | 'patterns',
): readonly PathSuggestion[] {
  const lead = /^(?:\.?\/)?/.exec(prefix)?.[0] ?? '';
  const typed = prefix.slice(lead.length);
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  const start = want === 'patterns' && lead === '' ? '/' : lead;
  const entries = new Map<string, boolean>();
  for (const path of tracked) {
    if (!path.startsWith(folder)) continue;
    const slash = path.indexOf('/', folder.length);
    const entry = slash < 0 ? path : path.slice(0, slash);
    entries.set(entry, slash >= 0);
    if (entries.size >= MOST) break;
  }
  return [...entries].flatMap(([path, isFolder]): readonly PathSuggestion[] => {
    if (want === 'folders' && !isFolder) return [];
    // Folders lead to files.
    const tail = isFolder && (want === 'files' || want === 'patterns') ? '/' : '';
    return [{ path: start + (want === 'patterns' ? escapeWildcards(path) : path) + tail, isFolder }];
  });
}

/** rsync takes `\` for an escape only in patterns that have a wildcard. */
function escapeWildcards(path: string): string {
  return /[*?[]/.test(path) ? path.replaceAll(/[\\*?[]/g, '\\$&') : path;
}

/** The paths below a folder, relative to it; all where nothing is tracked below it (it may be build output). */
export function treeBelow(tracked: readonly string[], folder: string): readonly string[] {
  const prefix = `${pathParts(folder).join('/')}/`;
  if (prefix === '/') return tracked;
  const below = tracked.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  return below.length === 0 ? tracked : below;
}
