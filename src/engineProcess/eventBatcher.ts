/** Events on their way to the editor: in batches, so that a talkative command costs it little, and no faster than it takes them. */
import type { RunEvent } from '../engine/index.ts';

export interface Outbox {
  readonly add: (event: RunEvent) => void;
  /** Resolves when everything that was added is sent. */
  readonly flush: () => Promise<void>;
}

/** How long events wait for company, ms: a frame. */
const delayMs = 16;
const batchSize = 200;
/** More lines than this wait only where a command writes faster than anybody can read. */
const linesLimit = 20_000;

/** @param send resolves when the batch is on its way. */
export function createOutbox(send: (events: readonly RunEvent[]) => Promise<void>): Outbox {
  let waiting: RunEvent[] = [];
  let dropped = 0;
  let sending: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchSize);
      waiting = waiting.slice(batchSize);
      await send(batch);
    }
    if (dropped > 0) {
      const message = `${String(dropped)} lines of output came too fast and are not shown.`;
      dropped = 0;
      await send([{ event: 'warning', code: 'output-dropped', message, server: null }]);
    }
    sending = undefined;
  };

  return {
    add: (event) => {
      if (event.event === 'output' && waiting.length >= linesLimit) {
        dropped += 1;
        return;
      }
      const last = waiting.at(-1);
      // Of how far a transfer is only the newest word counts.
      if (event.event === 'transfer' && last?.event === 'transfer' && last.server === event.server)
        waiting[waiting.length - 1] = event;
      else waiting.push(event);
      sending ??= work();
    },
    flush: async () => {
      while (sending !== undefined) await sending;
    },
  };
}
