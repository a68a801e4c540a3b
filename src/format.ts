/** Sizes, times, ages and counts as people read them. Pure; a translation is given where there is one. */

/** `vscode.l10n.t`, or what stands for it: the message with its `{0}` filled. */
export type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

/** For the command line, whose texts are English. */
export const english: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)] ?? ''));

const sizeUnits = ['kB', 'MB', 'GB', 'TB'] as const;

/** `0 B`, `999 B`, `1.5 kB`, `12 MB`: decimal units, as `ls --si` and disk makers count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${String(Math.round(bytes))} B`;
  let value = bytes;
  let unit: string = 'B';
  for (const next of sizeUnits) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 9.95 ? value.toFixed(1) : String(Math.round(value))} ${unit}`;
}

/** `80 ms`, `1.2 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${String(seconds)} s`;
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
  return `${String(Math.floor(seconds / 3600))} h ${String(Math.floor((seconds % 3600) / 60))} min`;
}

/** How long ago an ISO date was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`; the text itself where it is no date. `now` in ms. */
export function formatAge(date: string, now: number, t: Translate = english): string {
  const then = Date.parse(date);
  if (Number.isNaN(then)) return date;
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return t('just now');
  if (minutes < 60) return t('{0} min ago', minutes);
  if (minutes < 48 * 60) return t('{0} h ago', Math.floor(minutes / 60));
  return t('{0} days ago', Math.floor(minutes / (24 * 60)));
}

/** `1 file`, `12,956 files`, in English. Not by `toLocaleString`: the first use of ICU costs 14 ms. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${String(number).replace(/\B(?=(\d{3})+$)/g, ',')} ${number === 1 ? singular : plural}`;
}

/** `1 server`, `3 servers`. */
export function countServers(number: number, t: Translate): string {
  return number === 1 ? t('1 server') : t('{0} servers', number);
}

/** `1 file`, `3 files`. */
export function countFiles(number: number, t: Translate): string {
  return number === 1 ? t('1 file') : t('{0} files', number);
}

/** The first seven digits of a commit. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
