/** Sizes, times and ages as people read them. */
export { formatBytes, formatDuration } from '../engine/measures.ts';

/** How long ago an ISO date was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`; the text itself where it is no date. */
export function formatAge(date: string, now: Date): string {
  const then = Date.parse(date);
  if (Number.isNaN(then)) return date;
  const minutes = Math.floor((now.getTime() - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${String(minutes)} min ago`;
  if (minutes < 48 * 60) return `${String(Math.floor(minutes / 60))} h ago`;
  return `${String(Math.floor(minutes / (24 * 60)))} days ago`;
}

/** `1 file`, `3 files`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? singular : plural}`;
}
