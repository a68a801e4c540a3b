/** What shows a run. */
import type { RunEvent } from '../engine/events.ts';

export interface Renderer {
  event(event: RunEvent): void;
  /** Takes what is live off the screen, so that a question can be asked. */
  suspend(): void;
  resume(): void;
  /** Nothing more comes. Idempotent. */
  close(): void;
}
