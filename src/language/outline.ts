/** The outline: sections with their keys; and what can be folded. */
import type { ConfDocument, ConfOption, Range } from '../config/syntax/document.ts';
import { hasItems, itemsOf } from '../config/values/resolvers.ts';
import type { Place } from '../config/options/options.ts';
import type { Translate } from './languageFacts.ts';
import { blocksOf, contentEnd, lineAt, roleOf, specOf, type Block, type Role } from './layout.ts';

export interface OutlineNode {
  readonly name: string;
  readonly detail: string;
  readonly kind: Place | 'key';
  /** Everything that belongs to it. */
  readonly range: Range;
  /** Its name; lies in `range`. */
  readonly selection: Range;
  readonly children: readonly OutlineNode[];
}

export function outlineOf(doc: ConfDocument, t: Translate): readonly OutlineNode[] {
  const options = optionsByBlock(doc);
  return blocksOf(doc).map((block) => {
    const role = roleOf(doc, block.section);
    const start = block.header.range.start;
    const end = Math.max(block.header.range.end, contentEnd(doc, { start, end: block.range.end }));
    return {
      name: block.section.name.trim() === '' ? t('(no name)') : block.section.name,
      detail: '',
      kind: role.place,
      range: { start, end },
      selection: block.header.nameRange,
      children: (options.get(block.header.line) ?? []).map((option) => keyNode(option, role)),
    };
  });
}

function keyNode(option: ConfOption, role: Role): OutlineNode {
  const kind = specOf(role, option.key)?.kind ?? 'text';
  const [first = '', ...more] = hasItems(kind)
    ? itemsOf(kind, option.raw).map((item) => item.text)
    : option.raw.split('\n');
  const hidden = role.place === 'vars' || /pass|secret|token|key$|authorization|env$/.test(option.key);
  const shown = first.length > 60 ? `${first.slice(0, 60)}…` : first;
  return {
    name: option.key,
    detail: hidden ? '' : more.length === 0 ? shown : `${shown} +${String(more.length)}`,
    kind: 'key',
    range: option.range,
    selection: option.keyRange,
    children: [],
  };
}

/** Options by the line of the header that they stand below. */
function optionsByBlock(doc: ConfDocument): ReadonlyMap<number, readonly ConfOption[]> {
  const blocks = blocksOf(doc);
  const found = new Map<number, ConfOption[]>();
  let at = 0;
  for (const option of doc.options) {
    while ((blocks[at]?.range.end ?? Infinity) <= option.range.start) at += 1;
    const block: Block | undefined = blocks[at];
    if (block === undefined) break;
    const list = found.get(block.header.line);
    if (list === undefined) found.set(block.header.line, [option]);
    else list.push(option);
  }
  return found;
}

/** Lines count from 0; the first one stays visible. */
export interface Fold {
  readonly first: number;
  readonly last: number;
  readonly kind: 'region' | 'comment';
}

/** Sections, values of several lines, and blocks of comments. */
export function foldsOf(doc: ConfDocument): readonly Fold[] {
  const folds: Fold[] = [];
  const add = (first: number, end: number, kind: Fold['kind']): void => {
    const last = lineAt(doc, end).index;
    if (last > first) folds.push({ first, last, kind });
  };
  for (const { header, range } of blocksOf(doc)) add(header.line - 1, contentEnd(doc, range), 'region');
  for (const option of doc.options) add(option.line - 1, option.range.end, 'region');

  let first: number | undefined;
  let last = -1;
  for (const comment of doc.comments) {
    const line = lineAt(doc, comment.start).index;
    if (first !== undefined && line === last + 1) last = line;
    else {
      if (first !== undefined && last > first) folds.push({ first, last, kind: 'comment' });
      first = line;
      last = line;
    }
  }
  if (first !== undefined && last > first) folds.push({ first, last, kind: 'comment' });
  return folds.sort((a, b) => a.first - b.first || b.last - a.last);
}
