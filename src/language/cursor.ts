/** What the cursor stands on, as completion needs to know it. */
import type { ConfDocument, ConfOption, Range } from '../config/syntax/document.ts';
import { rangeInRaw } from '../config/syntax/document.ts';
import { partsOf } from '../config/syntax/interpolate.ts';
import type { Item } from '../config/values/kinds.ts';
import type { OptionSpec } from '../config/options/options.ts';
import {
  hasItems,
  itemsOf,
  parseAssignment,
  resolverOf,
  type ResolverKind,
} from '../config/values/resolvers.ts';
import { skipSpace, trimEnd } from '../config/syntax/whitespace.ts';
import {
  blockAt,
  lineAt,
  optionBefore,
  rawOffset,
  roleOf,
  sectionOf,
  specOf,
  type Block,
  type Line,
  type Role,
} from './layout.ts';

/** A value as the cursor sees it. */
export interface ValueCursor {
  readonly option: ConfOption;
  readonly role: Role;
  /** Undefined for keys of one's own. */
  readonly spec: OptionSpec | undefined;
  /** What would be replaced: the item, or the whole value, or the name inside of `%(`, `var!`… */
  readonly range: Range;
  /** The part of it before the cursor. */
  readonly prefix: string;
  /** Other items of the value. */
  readonly others: readonly string[];
  /** Whether several items stand on the line of the cursor, with commas between. */
  readonly inline: boolean;
}

export type Cursor =
  /** In a comment, or where nothing can be completed. */
  | { readonly at: 'nowhere' }
  | { readonly at: 'header'; readonly range: Range; readonly closed: boolean }
  | {
      readonly at: 'key';
      readonly block: Block;
      readonly role: Role;
      /** What would be replaced. */
      readonly range: Range;
      /** The option whose key it is; undefined while it has no delimiter yet. */
      readonly option: ConfOption | undefined;
    }
  | { readonly at: 'outside'; readonly range: Range }
  | ({ readonly at: 'value' } & ValueCursor)
  | ({ readonly at: 'reference'; readonly closed: boolean } & ValueCursor)
  | ({ readonly at: 'resolver'; readonly kind: ResolverKind } & ValueCursor);

/** Where a cursor is, on any text. What would be replaced is part of one line, and the cursor is in it or at its ends. */
export function cursorAt(doc: ConfDocument, offset: number): Cursor {
  const cursor = findCursor(doc, offset);
  if (cursor.at === 'nowhere') return cursor;
  const { start, end } = cursor.range;
  return start <= offset && offset <= end ? cursor : { at: 'nowhere' };
}

function findCursor(doc: ConfDocument, offset: number): Cursor {
  const line = lineAt(doc, offset);
  const start = skipSpace(doc.text, line.start, line.end);
  const end = trimEnd(doc.text, start, line.end);
  const first = doc.text[start];
  if (start < end && (first === '#' || first === ';') && offset > start) return { at: 'nowhere' };

  const option = optionBefore(doc, offset);
  const block = blockAt(doc, offset);
  const onHeader = block !== undefined && block.header.line === line.index + 1;
  if (onHeader || (first === '[' && start < end && option?.line !== line.index + 1)) {
    const closed = onHeader && block.header.range.end <= end;
    const nameEnd = closed ? block.header.nameRange.end : end;
    if (offset > nameEnd) return { at: 'nowhere' };
    return { at: 'header', range: { start: start + 1, end: nameEnd }, closed };
  }
  if (option !== undefined && (block === undefined || option.range.start >= block.range.start)) {
    if (option.line === line.index + 1) {
      if (offset > option.delimiter) return valueCursor(doc, option, offset, line);
      const owner = block ?? blockAt(doc, option.range.start);
      if (owner !== undefined) return keyCursor(doc, owner, option.keyRange, option);
    } else if (continues(doc, option, line, offset)) return valueCursor(doc, option, offset, line);
  }
  const range = start === end ? { start: offset, end: offset } : { start, end };
  return block === undefined ? { at: 'outside', range } : keyCursor(doc, block, range, undefined);
}

function keyCursor(doc: ConfDocument, block: Block, range: Range, option: ConfOption | undefined): Cursor {
  return { at: 'key', block, role: roleOf(doc, block.section), range, option };
}

/** Whether what is typed here belongs to the value above: the line is part of it, or blank and indented deeper. */
function continues(doc: ConfDocument, option: ConfOption, line: Line, offset: number): boolean {
  if (line.start <= option.range.end) return true;
  const blank = skipSpace(doc.text, line.start, line.end) === line.end;
  const indent = option.keyRange.start - lineAt(doc, option.keyRange.start).start;
  return blank && Math.min(offset, line.end) - line.start > indent;
}

function valueCursor(doc: ConfDocument, option: ConfOption, offset: number, line: Line): Cursor {
  const role = roleOf(doc, sectionOf(doc, option));
  const spec = specOf(role, option.key);
  const kind = spec?.kind ?? 'text';
  const below = line.start > option.range.end;
  const inRaw = below ? option.raw.length : rawOffset(doc, option, offset);
  const items = hasItems(kind) ? itemsOf(kind, option.raw) : linesOf(option.raw);
  const item = below
    ? undefined
    : items.find((each) => each.start <= inRaw && inRaw <= each.end && (each.text !== '' || !hasItems(kind)));
  const others = items.filter((each) => each !== item).map((each) => each.text);
  const inline = hasItems(kind) && kind !== 'commands' && !option.raw.includes('\n') && !below;
  const base = { option, role, spec, others, inline };
  if (item === undefined || item.text === '')
    return { at: 'value', ...base, range: { start: offset, end: offset }, prefix: '' };

  const { text } = item;
  // A PGP message: there is nothing to complete in it.
  if (text.includes('\n')) return { at: 'nowhere' };
  const within = inRaw - item.start;
  const place = (from: number, to: number): Range => rangeInRaw(option, item.start + from, item.start + to);

  const reference = referenceAround(text, within);
  if (reference !== undefined)
    return {
      at: 'reference',
      ...base,
      closed: reference.closed,
      range: place(reference.start, reference.end),
      prefix: text.slice(reference.start, within),
    };

  const valueStart = kind === 'env' ? assignedAt(text) : 0;
  const resolver = resolverOf(text.slice(valueStart));
  if (resolver !== undefined && resolver.kind !== 'pgp') {
    const argument = text.indexOf('!', valueStart + resolver.prefix.length) + 1;
    const from = Math.min(skipSpace(text, argument, text.length), within);
    if (within >= argument)
      return {
        at: 'resolver',
        kind: resolver.kind,
        ...base,
        range: place(from, text.length),
        prefix: text.slice(from, within),
      };
  }
  const from = within >= valueStart ? valueStart : 0;
  return { at: 'value', ...base, range: place(from, text.length), prefix: text.slice(from, within) };
}

function linesOf(raw: string): readonly Item[] {
  let start = 0;
  return raw.split('\n').map((text) => {
    const item = { text, start, end: start + text.length };
    start = item.end + 1;
    return item;
  });
}

/** Where the value of a `NAME=value` item starts. */
function assignedAt(text: string): number {
  const assignment = parseAssignment(text);
  return assignment === undefined ? 0 : text.length - assignment.value.length;
}

/** The name inside of `%(…)s`, also of one that is still being written. */
function referenceAround(
  text: string,
  at: number,
): { readonly start: number; readonly end: number; readonly closed: boolean } | undefined {
  const parts = partsOf(text);
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'reference' && part.start + 2 <= at && at <= part.end - 2)
      return { start: part.start + 2, end: part.end - 2, closed: true };
    if (part.kind !== 'lone-percent' || at < part.end + 1) continue;
    const next = parts[index + 1];
    if (next?.kind !== 'text' || !next.text.startsWith('(')) continue;
    // The name that is being written ends where a name ordinarily would.
    const length = /^\([A-Za-z0-9_.-]*/.exec(next.text)?.[0].length ?? 1;
    const end = next.start + length;
    if (at > end) continue;
    const rest = text.slice(end);
    return {
      start: next.start + 1,
      end: rest.startsWith(')') && !rest.startsWith(')s') ? end + 1 : end,
      closed: rest.startsWith(')s'),
    };
  }
  return undefined;
}
