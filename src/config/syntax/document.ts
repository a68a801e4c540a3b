/** What the parser makes of a durant.conf: sections and options with their places in the text. */
import type { Problem } from './problems.ts';
import type { Range } from './range.ts';

export type { Range } from './range.ts';

/** Name of the file, in the folder of the project. */
export const configName = 'durant.conf';

/** One line of a value, trimmed. Blank lines inside a value are kept as empty ones. */
export interface ValueLine {
  readonly text: string;
  readonly range: Range;
  /** Where it starts in the option's `raw`. */
  readonly at: number;
}

export interface ConfOption {
  /** Lower-cased and trimmed. */
  readonly key: string;
  readonly keyRange: Range;
  /** Where `=` or `:` stands. */
  readonly delimiter: number;
  /** The value before interpolation, its lines joined by `\n`. */
  readonly raw: string;
  readonly lines: readonly ValueLine[];
  /** From the first to the last character of the value; empty, after the delimiter, where there is none. */
  readonly valueRange: Range;
  /** From the key to the end of the value. */
  readonly range: Range;
  /** Name of the section that it is written in. */
  readonly section: string;
  /** Line of the key, from 1. */
  readonly line: number;
  /** True where the section has this key already: the first counts. */
  readonly repeated: boolean;
}

export interface SectionHeader {
  /** From `[` to `]`. */
  readonly range: Range;
  readonly nameRange: Range;
  /** From 1. */
  readonly line: number;
}

export interface ConfSection {
  /** Verbatim. */
  readonly name: string;
  /** One for each time it is written; none for a `[DEFAULT]` that is not there. */
  readonly headers: readonly SectionHeader[];
  /** What counts, by key, in the order of the text. Only keys written in this section. */
  readonly options: ReadonlyMap<string, ConfOption>;
}

export interface ConfDocument {
  readonly text: string;
  /** Offset of each line's first character. */
  readonly lineStarts: readonly number[];
  /** `[DEFAULT]`. */
  readonly defaults: ConfSection;
  /** Every other section, by name, in the order of the text. */
  readonly sections: ReadonlyMap<string, ConfSection>;
  /** Every option in the order of the text, repeated ones included. */
  readonly options: readonly ConfOption[];
  /** Comment lines, from their `#` or `;` to their last character. */
  readonly comments: readonly Range[];
  /** What the parser found wrong, in the order of the text. */
  readonly problems: readonly Problem[];
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units; a byte order mark does not count. */
  readonly column: number;
}

/** Line and column of an offset; offsets outside of the text count as its ends. */
export function positionAt(doc: Pick<ConfDocument, 'text' | 'lineStarts'>, offset: number): Position {
  const inside = Math.max(0, Math.min(offset, doc.text.length));
  const index = lineIndexAt(doc.lineStarts, inside);
  const start = doc.lineStarts[index] ?? 0;
  return { line: index + 1, column: Math.max(0, inside - start) + 1 };
}

function lineIndexAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The place in the text of a part of an option's `raw`. */
export function rangeInRaw(option: ConfOption, start: number, end: number): Range {
  return { start: offsetInRaw(option, start), end: offsetInRaw(option, end) };
}

function offsetInRaw(option: ConfOption, at: number): number {
  const line = lineOfRaw(option, at);
  if (line === undefined || at > line.at + line.text.length) return option.valueRange.end;
  return line.range.start + (at - line.at);
}

/** The line of a value that an offset into its `raw` lies in. */
export function lineOfRaw(option: ConfOption, at: number): ValueLine | undefined {
  let low = 0;
  let high = option.lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((option.lines[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return option.lines[low];
}
