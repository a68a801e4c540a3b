/** Completion of names inside of `%(…)s`, `var!`, `env!` and `secret!`. */
import type { ConfDocument } from '../config/syntax/document.ts';
import { resolversIn } from '../config/values/resolvers.ts';
import type { Suggestion } from './suggestion.ts';
import type { Cursor } from './cursor.ts';
import type { Surroundings, Translate } from './languageFacts.ts';
import { sectionOf } from './layout.ts';

type ReferenceCursor = Extract<Cursor, { readonly at: 'reference' }>;
type ResolverCursor = Extract<Cursor, { readonly at: 'resolver' }>;

/** Keys that the section sees, its own first; never the key itself. */
export function completeReference(
  doc: ConfDocument,
  cursor: ReferenceCursor,
  t: Translate,
): readonly Suggestion[] {
  const { option, range, closed } = cursor;
  const section = sectionOf(doc, option);
  const own = [...section.options.values()];
  const inherited = [...doc.defaults.options.values()].filter((other) => !section.options.has(other.key));
  return [...own, ...(section === doc.defaults ? [] : inherited)].flatMap((other): readonly Suggestion[] => {
    if (other.key === option.key || other.key.includes(')')) return [];
    return [
      {
        label: other.key,
        kind: 'reference',
        detail: t('from [{0}]', other.section),
        insert: closed ? other.key : `${other.key})s`,
        range,
      },
    ];
  });
}

/** Variables of `[vars]`; environment variables; names of secrets that the file has already. */
export function completeResolver(
  doc: ConfDocument,
  cursor: ResolverCursor,
  surroundings: Surroundings,
): readonly Suggestion[] {
  const suggest = (label: string): Suggestion => ({
    label,
    kind: 'variable',
    insert: label,
    range: cursor.range,
  });
  switch (cursor.kind) {
    case 'var':
      return [...(doc.sections.get('vars')?.options.keys() ?? [])]
        .filter((name) => cursor.role.place !== 'vars' || name !== cursor.option.key)
        .map(suggest);
    case 'env':
      return [...new Set([...usedNames(doc, 'env', cursor), ...(surroundings.variables ?? [])])].map(suggest);
    case 'secret':
      return usedNames(doc, 'secret', cursor).map(suggest);
    case 'sh':
    case 'pgp':
      return [];
  }
}

function usedNames(doc: ConfDocument, kind: 'env' | 'secret', cursor: ResolverCursor): readonly string[] {
  const names = doc.options.flatMap((option) => {
    if (option === cursor.option || !option.raw.includes(`${kind}!`)) return [];
    const found = [...resolversIn('text', option.raw), ...resolversIn('env', option.raw)];
    return found.flatMap(({ resolver }) =>
      resolver.kind === kind && /^[\w.-]+$/.test(resolver.argument) ? [resolver.argument] : [],
    );
  });
  return [...new Set(names)].sort();
}
