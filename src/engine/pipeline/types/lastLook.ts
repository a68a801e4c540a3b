/** One look over the network tells both whether a goal is achieved and why: the reason is that of the very same look. */
import type { GoalWork } from './goalContext.ts';

export interface Looking<T> {
  /** Looks anew. */
  now(work: GoalWork): Promise<T>;
  /** What was seen last and not told yet; else looks. */
  last(work: GoalWork): Promise<T>;
}

export function looking<T>(look: (work: GoalWork) => Promise<T>): Looking<T> {
  let seen: { readonly found: T } | undefined;
  return {
    async now(work) {
      seen = undefined;
      const found = await look(work);
      seen = { found };
      return found;
    },
    async last(work) {
      const told = seen;
      seen = undefined;
      return told === undefined ? look(work) : told.found;
    },
  };
}
