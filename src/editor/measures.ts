/** Sizes, times and ages as people read them, in their language. Pure: the translation is given. */
export { formatBytes, formatDuration } from '../engine/measures.ts';

/** `vscode.l10n.t`, or a stand-in of tests. */
export type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

/** `just now`, `5 min ago`, `3 h ago`, `12 days ago`; the text itself where it is no date. */
export function formatAge(date: string, now: number, t: Translate): string {
  const then = Date.parse(date);
  if (Number.isNaN(then)) return date;
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return t('just now');
  if (minutes < 60) return t('{0} min ago', minutes);
  if (minutes < 48 * 60) return t('{0} h ago', Math.floor(minutes / 60));
  return t('{0} days ago', Math.floor(minutes / (24 * 60)));
}

/** `1 server`, `3 servers`. */
export function countServers(count: number, t: Translate): string {
  return count === 1 ? t('1 server') : t('{0} servers', count);
}

/** `1 file`, `3 files`. */
export function countFiles(count: number, t: Translate): string {
  return count === 1 ? t('1 file') : t('{0} files', count);
}

/** The first seven digits of a commit. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
