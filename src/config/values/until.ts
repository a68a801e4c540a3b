/** When something ends that somebody else would have to end: a duration, or a time. */
import { parseDuration } from './kinds.ts';

export type Until =
  | { readonly kind: 'lifted' }
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'at'; readonly time: Date };

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** A time without a zone is this machine's, and a day begins at midnight. Undefined for what is neither a duration nor ISO 8601. */
export function parseUntil(value: string): Until | undefined {
  const ms = parseDuration(value);
  if (ms !== undefined) return { kind: 'after', ms };
  const time = new Date(value.length === 10 ? `${value}T00:00` : value);
  return TIME.test(value) && !Number.isNaN(time.getTime()) ? { kind: 'at', time } : undefined;
}
