/**
 * Formatting that keeps meaning: blanks at line ends, around delimiters and before keys, blank lines between sections, one depth for
 * continuation lines. What it makes is parsed again and thrown away if it says anything else.
 */
import type { ConfDocument, ConfOption } from '../config/syntax/document.ts';
import { parseConf } from '../config/syntax/parse.ts';
import { skipSpace, trimEnd } from '../config/syntax/whitespace.ts';
import { blocksOf, lineAt, lineOf } from './layout.ts';
import type { TextEdit } from './rename.ts';

export interface FormatOptions {
  /** Indentation of continuation lines, such as four blanks. */
  readonly indent: string;
}

/** Line edits that format the text; none where it cannot be done safely. Edits do not overlap and are in order. */
export function formatEdits(doc: ConfDocument, options: FormatOptions): readonly TextEdit[] {
  const lines = formattedLines(doc, options);
  const edits = lines.flatMap((text, index): readonly TextEdit[] => {
    const line = lineOf(doc, index);
    const before = doc.text.slice(line.start, line.end);
    if (text === before) return [];
    if (text !== undefined) return [{ range: { start: line.start, end: line.end }, text }];
    return [{ range: { start: line.start, end: doc.lineStarts[index + 1] ?? line.end }, text: '' }];
  });
  return keepsMeaning(doc, edits) ? edits : [];
}

/** The edits of `formatEdits` that touch some lines (from 0, inclusive), if they can stand alone. */
export function formatRangeEdits(
  doc: ConfDocument,
  lines: { readonly first: number; readonly last: number },
  options: FormatOptions,
): readonly TextEdit[] {
  const start = lineOf(doc, lines.first).start;
  const { end } = lineOf(doc, lines.last);
  const edits = formatEdits(doc, options).filter(({ range }) => range.start <= end && range.end >= start);
  return keepsMeaning(doc, edits) ? edits : [];
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.range.start) + edit.text;
    at = edit.range.end;
  }
  return result + text.slice(at);
}

/** The new text of each line; undefined for lines that go. */
function formattedLines(doc: ConfDocument, { indent }: FormatOptions): readonly (string | undefined)[] {
  const roles = linesByRole(doc);
  // A line that makes no sense may swallow what is indented below it: then indentation stays as it is.
  const isSound = roles.every((role) => role.kind !== 'other');
  const common = commonIndents(doc, roles);
  const texts: (string | undefined)[] = [];
  let blanks = 0;
  let content = 0;
  for (const [index, role] of roles.entries()) {
    const { start, end } = lineOf(doc, index);
    const from = skipSpace(doc.text, start, end);
    const words = doc.text.slice(from, trimEnd(doc.text, from, end));
    const own = doc.text.slice(start, from);
    const lead = isSound ? '' : own;
    if (words === '') {
      blanks += 1;
      const isLast = index === roles.length - 1;
      texts.push(role.kind === 'value' || blanks === 1 || isLast ? '' : undefined);
      continue;
    }
    switch (role.kind) {
      case 'header': {
        const crowded = isSound && content > 0 && blanks === 0 && !followsComment(roles, index);
        texts.push((crowded ? lineEndBefore(doc, index) : '') + lead + words);
        break;
      }
      case 'key':
        texts.push(lead + keyLine(doc, role.option, words));
        break;
      case 'value':
        texts.push((isSound ? indent + deeper(own, common.get(role.option)) : own) + words);
        break;
      case 'comment':
        texts.push((isSound ? (role.inValue ? indent : '') : own) + words);
        break;
      case 'other':
        texts.push(own + words);
    }
    content += 1;
    blanks = 0;
  }
  return texts;
}

type LineRole =
  | { readonly kind: 'header' | 'other' | 'blank' }
  | { readonly kind: 'comment'; readonly inValue: boolean }
  | { readonly kind: 'key' | 'value'; readonly option: ConfOption };

function linesByRole(doc: ConfDocument): readonly LineRole[] {
  const roles: LineRole[] = doc.lineStarts.map((_, index) => {
    const { start, end } = lineOf(doc, index);
    return { kind: skipSpace(doc.text, start, end) === end ? 'blank' : 'other' };
  });
  for (const { header } of blocksOf(doc)) roles[header.line - 1] = { kind: 'header' };
  for (const option of doc.options) {
    const last = lineAt(doc, option.range.end).index;
    for (let index = option.line; index <= last; index += 1) roles[index] = { kind: 'value', option };
    roles[option.line - 1] = { kind: 'key', option };
  }
  for (const comment of doc.comments) {
    const index = lineAt(doc, comment.start).index;
    roles[index] = { kind: 'comment', inValue: roles[index]?.kind === 'value' };
  }
  return roles;
}

/** How the line above ends: in a text of mixed line ends another one might join with it. */
function lineEndBefore(doc: ConfDocument, index: number): string {
  return doc.text.slice(lineOf(doc, index - 1).end, lineOf(doc, index).start);
}

/** Comments above a header belong to it: the blank line goes before them, where its author may put it. */
function followsComment(roles: readonly LineRole[], index: number): boolean {
  return roles[index - 1]?.kind === 'comment';
}

/** `key: value` or `key = value`, with the delimiter that was written. */
function keyLine(doc: ConfDocument, option: ConfOption, words: string): string {
  const key = doc.text.slice(option.keyRange.start, option.keyRange.end);
  const delimiter = doc.text[option.delimiter] ?? ':';
  const valueAt = skipSpace(words, option.delimiter - option.keyRange.start + 1, words.length);
  const value = words.slice(valueAt);
  const left = delimiter === '=' ? `${key} =` : `${key}:`;
  return value === '' ? left : `${left} ${value}`;
}

/** The indentation that all continuation lines of each value have in common. */
function commonIndents(doc: ConfDocument, roles: readonly LineRole[]): ReadonlyMap<ConfOption, string> {
  const common = new Map<ConfOption, string>();
  for (const [index, role] of roles.entries()) {
    if (role.kind !== 'value') continue;
    const { start, end } = lineOf(doc, index);
    const from = skipSpace(doc.text, start, end);
    if (from === end) continue;
    const own = doc.text.slice(start, from);
    const least = common.get(role.option);
    if (least === undefined || own.length < least.length) common.set(role.option, own);
  }
  return common;
}

/** What a line is indented beyond that. */
function deeper(own: string, common: string | undefined): string {
  return common !== undefined && own.startsWith(common) ? own.slice(common.length) : '';
}

function keepsMeaning(doc: ConfDocument, edits: readonly TextEdit[]): boolean {
  return edits.length === 0 || meaningOf(doc) === meaningOf(parseConf(applyEdits(doc.text, edits)));
}

/** Everything that a text says: sections, keys, values, comments and what is wrong with it, without places. */
export function meaningOf(doc: ConfDocument): string {
  return JSON.stringify([
    blocksOf(doc).map(({ section }) => section.name),
    doc.options.map((option) => [option.section, option.key, option.raw, option.repeated]),
    doc.comments.map(({ start, end }) => doc.text.slice(start, end)),
    doc.problems.map((found) => [found.code, doc.text.slice(found.range.start, found.range.end)]),
  ]);
}
