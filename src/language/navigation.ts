/** Going from a name to where it comes from, and to everywhere it is used. */
import type { ConfDocument, Range } from '../config/syntax/document.ts';
import { definitionsOf, mentionAt, mentionsLike, type Mention } from './sharedNames.ts';

/** Where the name at an offset is defined. */
export function definitionsAt(
  doc: ConfDocument,
  offset: number,
): { readonly origin: Range; readonly targets: readonly Range[] } | undefined {
  const mention = mentionAt(doc, offset);
  if (mention === undefined) return undefined;
  const targets = definitionsOf(doc, mention).map(({ range }) => range);
  return targets.length === 0 ? undefined : { origin: mention.range, targets };
}

/** Every place where the name at an offset stands; of a key, only where it is or gives the same value. */
export function referencesAt(
  doc: ConfDocument,
  offset: number,
  options: { readonly includeDeclaration: boolean },
): readonly Range[] {
  const mention = mentionAt(doc, offset);
  if (mention === undefined) return [];
  const all = mentionsLike(doc, mention);
  const reach = mention.symbol.kind === 'key' ? all.filter((other) => related(doc, mention, other)) : all;
  return reach
    .filter((other) => options.includeDeclaration || other.role === 'use')
    .map(({ range }) => range);
}

/** Two mentions of a key have to do with each other where they see each other's section: it is the same one, or one is DEFAULT. */
function related(doc: ConfDocument, mention: Mention, other: Mention): boolean {
  const shared = doc.defaults.name;
  return mention.section === other.section || mention.section === shared || other.section === shared;
}
