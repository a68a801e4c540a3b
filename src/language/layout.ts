/** Where things stand in a parsed durant.conf: which section, option or line an offset belongs to. */
import type {
  ConfDocument,
  ConfOption,
  ConfSection,
  Range,
  SectionHeader,
} from '../config/syntax/document.ts';
import { optionsAt, type OptionSpec, type OptionTable, type Place } from '../config/options/options.ts';
import { placeOf } from '../config/syntax/sections.ts';
import { trimEnd } from '../config/syntax/whitespace.ts';

/** One header with the lines below it, to the next header or the end of the text. */
export interface Block {
  readonly section: ConfSection;
  readonly header: SectionHeader;
  /** From the header's line to the start of the next header's line. */
  readonly range: Range;
}

/** Every header in the order of the text. */
export function blocksOf(doc: ConfDocument): readonly Block[] {
  const headers = [doc.defaults, ...doc.sections.values()].flatMap((section) =>
    section.headers.map((header) => ({ section, header })),
  );
  headers.sort((a, b) => a.header.line - b.header.line);
  const starts = headers.map(({ header }) => doc.lineStarts[header.line - 1] ?? header.range.start);
  return headers.map(({ section, header }, index) => ({
    section,
    header,
    range: { start: starts[index] ?? 0, end: starts[index + 1] ?? doc.text.length },
  }));
}

/** The section that an offset lies in; undefined before the first header. */
export function blockAt(doc: ConfDocument, offset: number): Block | undefined {
  const blocks = blocksOf(doc);
  return blocks[lastIndexWhere(blocks, (block) => block.range.start <= offset)];
}

/** The last option that starts at or before an offset, whether it reaches it or not. */
export function optionBefore(doc: ConfDocument, offset: number): ConfOption | undefined {
  return doc.options[lastIndexWhere(doc.options, (option) => option.range.start <= offset)];
}

/** The option whose key or value covers an offset; its ends count. */
export function optionAt(doc: ConfDocument, offset: number): ConfOption | undefined {
  const option = optionBefore(doc, offset);
  return option !== undefined && offset <= option.range.end ? option : undefined;
}

/** Index of the last element that passes, in a list where those that pass come first; -1 for none. */
export function lastIndexWhere<T>(list: readonly T[], passes: (element: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = list[middle];
    if (element !== undefined && passes(element)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A line without its end; `index` counts from 0. */
export interface Line {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/** The line at an offset; offsets outside of the text count as its ends. */
export function lineAt(doc: ConfDocument, offset: number): Line {
  const index = Math.max(
    0,
    lastIndexWhere(doc.lineStarts, (start) => start <= offset),
  );
  return lineOf(doc, index);
}

export function lineOf(doc: ConfDocument, index: number): Line {
  const start = doc.lineStarts[index] ?? doc.text.length;
  let end = doc.lineStarts[index + 1] ?? doc.text.length;
  if (index + 1 < doc.lineStarts.length) {
    if (end > start && doc.text[end - 1] === '\n') end -= 1;
    if (end > start && doc.text[end - 1] === '\r') end -= 1;
  }
  return { index, start, end };
}

/** The line end that the text uses. */
export function eolOf(doc: Pick<ConfDocument, 'text'>): '\n' | '\r\n' {
  return doc.text.includes('\r\n') ? '\r\n' : '\n';
}

/** What a section may hold. */
export interface Role {
  readonly place: Place;
  /** The stage, or the NAME of a goal or process. */
  readonly name: string;
  /** Of a goal: its type as written. */
  readonly goalType: string | undefined;
  readonly table: OptionTable;
}

export function roleOf(doc: ConfDocument, section: ConfSection): Role {
  const { place, name } = placeOf(section.name);
  const goalType =
    place === 'goal' ? (section.options.get('type') ?? doc.defaults.options.get('type'))?.raw : undefined;
  return { place, name, goalType, table: optionsAt(place, goalType) };
}

/** The section that an option is written in. */
export function sectionOf(doc: ConfDocument, option: ConfOption): ConfSection {
  return option.section === doc.defaults.name
    ? doc.defaults
    : (doc.sections.get(option.section) ?? doc.defaults);
}

/** The row of the option table for a key of that role; undefined for keys of one's own. */
export function specOf(role: Role, key: string): OptionSpec | undefined {
  return Object.hasOwn(role.table, key) ? role.table[key] : undefined;
}

/** Where the text of a section ends: after its last line that is not blank. */
export function contentEnd(doc: ConfDocument, range: Range): number {
  return trimEnd(doc.text, range.start, range.end);
}

/** The place in an option's `raw` of an offset of the text; offsets in indentation count as the start of their line. */
export function rawOffset(doc: ConfDocument, option: ConfOption, offset: number): number {
  const index = Math.max(
    0,
    lastIndexWhere(option.lines, (line) => lineAt(doc, line.range.start).start <= offset),
  );
  const line = option.lines[index];
  if (line === undefined) return 0;
  return line.at + Math.max(0, Math.min(offset - line.range.start, line.text.length));
}
