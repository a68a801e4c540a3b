/** Completion of keys and section headers. */
import type { ConfDocument, Range } from '../config/syntax/document.ts';
import type { OptionSpec } from '../config/options/options.ts';
import { hasItems, itemsOf } from '../config/values/resolvers.ts';
import { placeOf, stageNames } from '../config/syntax/sections.ts';
import type { Suggestion } from './suggestion.ts';
import type { Cursor } from './cursor.ts';
import type { Translate } from './languageFacts.ts';
import { blocksOf, eolOf, lineAt } from './layout.ts';
import { optionMarkdown, shortDetail } from './markdown.ts';

type KeyCursor = Extract<Cursor, { readonly at: 'key' }>;

/** Keys that the section may have and does not; those it needs come first. */
export function completeKey(doc: ConfDocument, cursor: KeyCursor, t: Translate): readonly Suggestion[] {
  const { role, block, option, range } = cursor;
  const { options } = block.section;
  const strategy = role.place === 'stage' ? plainStrategy(doc, cursor) : undefined;
  const free = Object.entries(role.table).filter(
    ([key, spec]) =>
      (key === option?.key || !options.has(key)) &&
      (strategy === undefined || spec.strategy === undefined || spec.strategy === strategy),
  );
  const keys = free.map(([key, spec]): Suggestion & { readonly rank: number } => ({
    label: key,
    kind: 'key',
    detail: shortDetail(spec, t),
    documentation: optionMarkdown(spec, t),
    insert: option === undefined ? key + delimiterFor(doc, spec) : key,
    range,
    again: option === undefined && isListable(spec),
    rank: rankOf(doc, cursor, key, spec),
  }));
  const own = wantedKeys(doc, cursor).map((name) => ({
    label: name,
    kind: 'key' as const,
    detail: t('used by %({0})s', name),
    insert: option === undefined ? name + delimiterFor(doc) : name,
    range,
    rank: 1,
  }));
  const sorted = [...keys, ...own].sort((a, b) => a.rank - b.rank).map(({ rank: _, ...rest }) => rest);
  if (option !== undefined || isIndented(doc, range)) return sorted;
  return [...sorted, ...completeHeader(doc, range, { bracket: true, closed: false }, t)];
}

function isIndented(doc: ConfDocument, range: Range): boolean {
  return range.start > lineAt(doc, range.start).start;
}

/** Missing ones first, then the other required ones (which DEFAULT may have), then the table's order. */
function rankOf(doc: ConfDocument, { role }: KeyCursor, key: string, spec: OptionSpec): number {
  if (spec.required === undefined) return 2;
  const inherited = role.place !== 'DEFAULT' && doc.defaults.options.has(key);
  return inherited ? 1 : 0;
}

function plainStrategy(doc: ConfDocument, { block }: KeyCursor): string | undefined {
  const written = (block.section.options.get('strategy') ?? doc.defaults.options.get('strategy'))?.raw;
  if (written === undefined) return 'releases';
  return written === 'releases' || written === 'inplace' ? written : undefined;
}

/** Names that `%(name)s` of this section asks for and nobody defines. */
function wantedKeys(doc: ConfDocument, { block }: KeyCursor): readonly string[] {
  const { section } = block;
  const wanted = doc.problems.flatMap((found) => {
    if (found.code !== 'interpolation-unknown') return [];
    const name = /^%\(([^)]+)\)s$/
      .exec(doc.text.slice(found.range.start, found.range.end))?.[1]
      ?.toLowerCase();
    if (name === undefined || section.options.has(name) || /[\s=:#;[]/.test(name)) return [];
    return [name];
  });
  return [...new Set(wanted)];
}

/** Whether the values of an option can be listed, so that the list opens by itself. */
function isListable(spec: OptionSpec): boolean {
  if (spec.kind === 'enum' || spec.kind === 'bool' || spec.kind === 'servers') return true;
  return spec.kind === 'text' || spec.kind === 'list' ? spec.form !== undefined : false;
}

/** Lists that are long by nature start on the next line. */
function delimiterFor(doc: ConfDocument, spec?: OptionSpec): string {
  const [first] = doc.options;
  const isEquals = first !== undefined && doc.text[first.delimiter] === '=';
  if (spec !== undefined && hasItems(spec.kind) && spec.example.includes('\n'))
    return `${isEquals ? ' =' : ':'}${eolOf(doc)}    `;
  return isEquals ? ' = ' : ': ';
}

/** Sections that are not there yet. */
export function completeHeader(
  doc: ConfDocument,
  range: Range,
  shape: { readonly bracket: boolean; readonly closed: boolean },
  t: Translate,
): readonly Suggestion[] {
  const here = blocksOf(doc).find(({ header }) => header.nameRange.start === range.start)?.section.name;
  const taken = new Set([...doc.sections.keys()].filter((name) => name !== here));
  const wanted: readonly (readonly [string, string])[] = [
    ...(doc.defaults.headers.length === 0 || here === 'DEFAULT'
      ? [['DEFAULT', t('keys that every section inherits')] as const]
      : []),
    ...missingSections(doc).map((name) => [name, t('used, but not there yet')] as const),
    ...['production', 'staging'].map((name) => [name, t('a stage')] as const),
    ['vars', t('variables for var!name')],
    ['goal name', t('a goal for pipeline')],
    ['process name', t('a process that systemd runs')],
  ];
  return wanted.flatMap(([name, detail]): readonly Suggestion[] => {
    if (taken.has(name)) return [];
    const written = shape.bracket ? `[${name}]` : shape.closed ? name : `${name}]`;
    return [{ label: `[${name}]`, kind: 'section', detail, insert: written, range }];
  });
}

/** Goals and processes that stages name. */
function missingSections(doc: ConfDocument): readonly string[] {
  const names = new Set<string>();
  for (const stage of stageNames(doc)) {
    const options = doc.sections.get(stage)?.options;
    for (const item of itemsOf('list', options?.get('pipeline')?.raw ?? '')) {
      const name = item.text.replace(/\?$/, '');
      if (name !== 'deploy') names.add(`goal ${name}`);
    }
    for (const item of itemsOf('list', options?.get('processes')?.raw ?? ''))
      names.add(`process ${item.text}`);
  }
  return [...names].filter(
    (name) => placeOf(name).place !== 'stage' && /^(goal|process) [\w.-]+$/.test(name),
  );
}
