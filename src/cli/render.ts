/** What shows a run: live on a terminal, plain lines elsewhere, JSON where asked. One interface, chosen once. */
import type { RunEvent } from '../engine/events.ts';
import type { GlobalOptions } from './context.ts';
import { jsonRenderer } from './json.ts';
import { canRewrite, type Output } from './output.ts';
import { plainRenderer } from './plain.ts';
import { tenFramesASecond, terminalRenderer } from './terminal.ts';

export interface Renderer {
  event(event: RunEvent): void;
  /** Takes what is live off the screen, so that a question can be asked. */
  suspend(): void;
  resume(): void;
  /** Nothing more comes. Idempotent. */
  close(): void;
}

export function createRenderer(
  output: Output,
  options: GlobalOptions,
  env: Readonly<Record<string, string | undefined>>,
): Renderer {
  if (options.json) return jsonRenderer(output);
  const plain = { verbose: options.verbose, now: Date.now };
  if (!canRewrite(output, env)) return plainRenderer(output, { ...plain, steps: 'lines' });
  return terminalRenderer(output, {
    lasting: (above) => plainRenderer(above, { ...plain, steps: 'elsewhere' }),
    now: Date.now,
    frames: tenFramesASecond,
  });
}
