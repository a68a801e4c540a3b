/** Chooses what shows a run: live on a terminal, plain lines elsewhere, JSON where asked. */
import type { GlobalOptions } from './context.ts';
import { jsonRenderer } from './json.ts';
import { canRewrite, type Output } from './output.ts';
import { plainRenderer } from './plain.ts';
import type { Renderer } from './renderer.ts';
import { tenFramesASecond, terminalRenderer } from './terminal.ts';

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
