/** Renaming: keys of one's own with their `%(name)s`, variables, stages, goals and processes. Options of Durant keep their names. */
import type { ConfDocument, Range } from '../config/syntax/document.ts';
import { findOption, OPTIONS, placesOf } from '../config/options/options.ts';
import { placeOf } from '../config/syntax/sections.ts';
import type { Translate } from './languageFacts.ts';
import { mentionAt, mentionsLike, mentionsOf, type Mention } from './sharedNames.ts';

/** A replacement in the text. */
export interface TextEdit {
  readonly range: Range;
  readonly text: string;
}

export type Renaming =
  | { readonly refused: string }
  | { readonly refused?: undefined; readonly range: Range; readonly name: string };

/** What would be renamed at an offset, or why nothing can be. */
export function prepareRename(doc: ConfDocument, offset: number, t: Translate): Renaming {
  const mention = mentionAt(doc, offset);
  if (mention === undefined)
    return { refused: t('There is nothing to rename here. Try it on a stage, a %(name)s or a var!name.') };
  const refused = fixedName(doc, mention, t);
  if (refused !== undefined) return { refused };
  return { range: mention.range, name: doc.text.slice(mention.range.start, mention.range.end) };
}

/** Names that mean something to Durant. */
function fixedName(doc: ConfDocument, { symbol, range }: Mention, t: Translate): string | undefined {
  const { kind, name } = symbol;
  if (range.start === range.end) return t('There is no name here. Write one first.');
  if (kind === 'goal' && name === 'deploy') return t('"deploy" is the built-in goal. It keeps its name.');
  if (kind === 'variable' && name === 'version')
    return t('Durant itself reads the variable "version" for {0}. It keeps its name.', '{version}');
  if (kind !== 'key') return undefined;
  const isOption = doc.options.some((option) => {
    if (option.key !== name) return false;
    const { place } = placeOf(option.section);
    return place !== 'vars' && (findOption(place, name) !== undefined || placesOf(name).length > 0);
  });
  return isOption || Object.hasOwn(OPTIONS, name)
    ? t('"{0}" is an option of Durant and keeps its name.', name)
    : undefined;
}

const WORD = /^[A-Za-z0-9_.-]+$/;

/** The edits that give a name another one, or why it cannot be. */
export function renameEdits(
  doc: ConfDocument,
  offset: number,
  newName: string,
  t: Translate,
): { readonly refused: string } | { readonly refused?: undefined; readonly edits: readonly TextEdit[] } {
  const prepared = prepareRename(doc, offset, t);
  const mention = mentionAt(doc, offset);
  if (prepared.refused !== undefined || mention === undefined)
    return { refused: prepared.refused ?? t('There is nothing to rename here.') };
  const refused = badName(doc, mention, newName, t);
  if (refused !== undefined) return { refused };
  return { edits: mentionsLike(doc, mention).map(({ range }) => ({ range, text: newName })) };
}

function badName(doc: ConfDocument, { symbol }: Mention, name: string, t: Translate): string | undefined {
  const taken = t('"{0}" is taken already. Choose another name.', name);
  switch (symbol.kind) {
    case 'stage': {
      if (/[\r\n\]]/.test(name) || name.trim() !== name || name === '')
        return t('A stage is one line without "]" and without blanks at its ends.');
      const { place } = placeOf(name);
      if (place !== 'stage') return t('[{0}] is not a stage. Choose another name.', name);
      return name !== symbol.name && doc.sections.has(name) ? taken : undefined;
    }
    case 'goal':
    case 'process':
      if (!WORD.test(name)) return t('Use letters, digits, ".", "_" and "-".');
      if (symbol.kind === 'goal' && name === 'deploy') return taken;
      return name !== symbol.name && sectionExists(doc, symbol.kind, name) ? taken : undefined;
    case 'variable':
    case 'key': {
      if (!WORD.test(name)) return t('Use letters, digits, ".", "_" and "-".');
      const key = name.toLowerCase();
      if (key === symbol.name) return undefined;
      if (symbol.kind === 'key' && placesOf(key).length > 0)
        return t('"{0}" is an option of Durant. Choose another name.', name);
      // A name that nobody defines is not free either: what refers to it would suddenly find it.
      return isMentioned(doc, key) ? taken : undefined;
    }
  }
}

function sectionExists(doc: ConfDocument, kind: 'goal' | 'process', name: string): boolean {
  return [...doc.sections.keys()].map(placeOf).some((found) => found.place === kind && found.name === name);
}

function isMentioned(doc: ConfDocument, key: string): boolean {
  return mentionsOf(doc).some(
    ({ symbol }) => (symbol.kind === 'key' || symbol.kind === 'variable') && symbol.name === key,
  );
}
