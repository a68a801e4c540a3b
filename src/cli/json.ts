/** `--json`: everything on standard output, one object a line. */
import type { RunFinished } from '../engine/index.ts';
import { publicError } from '../report/publicError.ts';
import type { Output } from './output.ts';
import type { Renderer } from './renderer.ts';

export function printJson(output: Output, value: object): void {
  // JSON leaves DEL, C1 and the Unicode line separators raw: escaped, no line can drive a terminal or be split.
  const text = JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  output.stdout.write(`${text}\n`);
}

export function jsonRenderer(output: Output): Renderer {
  return {
    event: (event) => {
      printJson(
        output,
        event.event === 'run-finished' && event.error !== null
          ? { ...event, error: publicError(event.error) }
          : event,
      );
    },
    suspend: () => undefined,
    resume: () => undefined,
    close: () => undefined,
  };
}

/** The one object of a command that prints no events: its result, or why it failed. */
export function printResult(output: Output, { error }: RunFinished, result: object): void {
  printJson(output, error === null ? result : { error: publicError(error) });
}
