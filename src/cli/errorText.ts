/** An error for people: what is wrong, what a command printed on lines of its own, then what to do. */
import type { RunError } from '../engine/events.ts';
import { printableLines } from '../printable.ts';

export function errorText({ message, summary = message, remedy = '', output = '' }: RunError): string {
  if (output === '') return printableLines(message);
  return [summary, output, remedy]
    .filter((text) => text !== '')
    .map(printableLines)
    .join('\n');
}
