/** A section as rules look at it, and the ways they point at its parts. */
import type { ConfDocument, ConfOption, ConfSection, Range } from '../syntax/document.ts';
import type { RuleFacts } from './validationFacts.ts';
import { itemRange, parseWhole, type Item } from '../values/kinds.ts';
import { OPTIONS, optionsAt, type OptionSpec, type OptionTable, type Place } from '../options/options.ts';
import type { QuickFix } from '../syntax/problems.ts';
import { readSection, type SettingText, type SettingTexts } from '../values/stage.ts';
import { itemResolver, itemsOf, wholeResolver } from '../values/resolvers.ts';
import { placeOf } from '../syntax/sections.ts';

export interface SectionView {
  readonly doc: ConfDocument;
  readonly section: ConfSection;
  readonly place: Place;
  /** The stage, or the NAME of a goal or process. */
  readonly name: string;
  /** Of a goal: its type, where it is written in plain. */
  readonly goalType: string | undefined;
  readonly table: OptionTable;
  readonly values: SettingTexts;
  readonly facts: RuleFacts;
}

export function viewOf(doc: ConfDocument, section: ConfSection, facts: RuleFacts): SectionView {
  const { place, name } = placeOf(section.name);
  const goalType =
    place === 'goal' ? (section.options.get('type') ?? doc.defaults.options.get('type'))?.raw : undefined;
  const table = optionsAt(place, goalType);
  return { doc, section, place, name, goalType, table, values: readSection(doc, section, table), facts };
}

/** A value that was written and could be interpolated. */
export function written(
  view: SectionView,
  key: string,
): (SettingText & { readonly option: ConfOption }) | undefined {
  const found = view.values.get(key);
  return found?.option === undefined || found.broken ? undefined : { ...found, option: found.option };
}

/** The text of a value, defaults included; undefined where it is not known yet: a resolver, or a broken interpolation. */
export function plainText(view: SectionView, key: string): string | undefined {
  const found = view.values.get(key);
  if (found === undefined || found.broken) return undefined;
  return wholeResolver(view.table[key]?.kind ?? 'text', found.value) === undefined ? found.value : undefined;
}

/** Items that no resolver will fill in. */
export function plainItems(view: SectionView, key: string): readonly (Item & { readonly range: Range })[] {
  const found = view.values.get(key);
  const spec = view.table[key];
  if (found === undefined || found.broken || spec === undefined) return [];
  if (wholeResolver(spec.kind, found.value) !== undefined) return [];
  const { option, value } = found;
  return itemsOf(spec.kind, value).flatMap((item) => {
    if (itemResolver(spec.kind, item.text) !== undefined) return [];
    const range = option === undefined ? headerRange(view.section) : itemRange(option, value, item);
    return [{ ...item, range }];
  });
}

/** The strategy of a stage; undefined where it is not known yet, or is none. */
export function knownStrategy(view: SectionView): string | undefined {
  const strategy = plainText(view, 'strategy');
  return strategy !== undefined && Object.hasOwn(OPTIONS.strategy.values, strategy) ? strategy : undefined;
}

export function sshPortOf(view: SectionView): number | undefined {
  return parseWhole(plainText(view, 'ssh_port') ?? '');
}

/** The name in the section's header; the start of the text for a DEFAULT that is not written. */
export function headerRange(section: ConfSection): Range {
  return section.headers[0]?.nameRange ?? { start: 0, end: 0 };
}

/** The value, or the key where the value is empty. */
export function valueOrKey(option: ConfOption): Range {
  return option.valueRange.start === option.valueRange.end ? option.keyRange : option.valueRange;
}

/** Where to point for a key of a section: the option if this very section has it, else the section's header. */
export function ownRange(view: SectionView, key: string): Range {
  const own = view.section.options.get(key);
  return own === undefined ? headerRange(view.section) : valueOrKey(own);
}

/** Takes an option out of the text, with its lines. */
export function removeOption(doc: ConfDocument, option: ConfOption): QuickFix {
  const first = option.line - 1;
  const lastLine = doc.lineStarts.findIndex((start) => start > option.range.end);
  const start = doc.lineStarts[first] ?? option.range.start;
  const end = lastLine < 0 ? doc.text.length : (doc.lineStarts[lastLine] ?? doc.text.length);
  return { title: `Remove "${option.key}"`, edits: [{ range: { start, end }, text: '' }] };
}

/** Writes a key below the section's first header. */
export function insertOption(view: SectionView, key: string, spec: OptionSpec): QuickFix | undefined {
  const header = view.section.headers[0];
  if (header === undefined) return undefined;
  const eol = view.doc.text.includes('\r\n') ? '\r\n' : '\n';
  const next = view.doc.lineStarts[header.line];
  const at = next ?? view.doc.text.length;
  const line = `${key}: ${spec.example.split('\n')[0] ?? ''}`;
  const text = next === undefined ? eol + line : line + eol;
  return { title: `Add "${key}"`, edits: [{ range: { start: at, end: at }, text }] };
}
