/** How long a run has worked: the time in which a person was asked does not count. */
import type { Answer } from '../engineProcess/client.ts';

export interface Stopwatch {
  /** Milliseconds so far. */
  readonly ms: () => number;
  /** The same answers; while any of them is being waited for, the watch stands still. */
  readonly without: (answer: Answer) => Answer;
}

export function createStopwatch(now: () => number = Date.now): Stopwatch {
  let since: number | undefined = now();
  let counted = 0;
  let open = 0;
  const ms = (): number => counted + (since === undefined ? 0 : now() - since);
  return {
    ms,
    without:
      (answer) =>
      async (...asked) => {
        open += 1;
        counted = ms();
        since = undefined;
        try {
          return await answer(...asked);
        } finally {
          open -= 1;
          if (open === 0) since = now();
        }
      },
  };
}
