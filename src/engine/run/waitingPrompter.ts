/** A prompter that knows how long people were waited for: that is no work of the run's. */
import type { Prompter } from '../../remote/target.ts';

export interface WaitingPrompter {
  readonly prompt: Prompter;
  /** For how long at least one question was open, ms. */
  readonly waitedMs: () => number;
}

export function waitingPrompter(prompt: Prompter, now: () => Date): WaitingPrompter {
  let waited = 0;
  let open = 0;
  let since = 0;
  return {
    prompt: async (request, signal) => {
      if (open === 0) since = now().getTime();
      open += 1;
      try {
        return await prompt(request, signal);
      } finally {
        open -= 1;
        if (open === 0) waited += now().getTime() - since;
      }
    },
    waitedMs: () => waited + (open === 0 ? 0 : now().getTime() - since),
  };
}
