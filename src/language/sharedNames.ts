/** Names that one part of durant.conf defines and others use: keys for `%(name)s`, variables for `var!name`, stages, goals, processes. */
import type { ConfDocument, ConfOption, Range } from '../config/syntax/document.ts';
import { rangeInRaw } from '../config/syntax/document.ts';
import { partsOf } from '../config/syntax/interpolate.ts';
import { itemRange, type Item } from '../config/values/kinds.ts';
import { itemsOf, resolversIn, type Resolver } from '../config/values/resolvers.ts';
import { placeOf } from '../config/syntax/sections.ts';
import { roleOf, sectionOf, specOf, type Role } from './layout.ts';

/** What a name names. Keys of `[vars]` are variables, everywhere else they are keys. */
export interface Symbolic {
  readonly kind: 'key' | 'variable' | 'stage' | 'goal' | 'process';
  readonly name: string;
}

/** One place where a name stands. */
export interface Mention {
  readonly symbol: Symbolic;
  readonly range: Range;
  readonly role: 'definition' | 'use';
  /** Section that it stands in; of a header: its own. */
  readonly section: string;
  /** The option that it stands in or defines. */
  readonly option?: ConfOption | undefined;
}

const VARS = 'vars';

/** Every mention, in the order of the text. */
export function mentionsOf(doc: ConfDocument): readonly Mention[] {
  const roles = new Map<string, Role>();
  const found: Mention[] = [...headerMentions(doc)];
  for (const option of doc.options) {
    let role = roles.get(option.section);
    if (role === undefined) {
      role = roleOf(doc, sectionOf(doc, option));
      roles.set(option.section, role);
    }
    found.push(...optionMentions(doc, option, role));
  }
  return found.sort((a, b) => a.range.start - b.range.start);
}

function headerMentions(doc: ConfDocument): readonly Mention[] {
  return [...doc.sections.values()].flatMap((section) => {
    const { place, name } = placeOf(section.name);
    if (place === 'vars' || place === 'DEFAULT') return [];
    return section.headers.map(({ nameRange }): Mention => {
      const at = place === 'stage' ? 0 : section.name.lastIndexOf(name);
      const start = nameRange.start + at;
      return {
        symbol: { kind: place, name },
        range: { start, end: start + name.length },
        role: 'definition',
        section: section.name,
      };
    });
  });
}

function optionMentions(doc: ConfDocument, option: ConfOption, role: Role): readonly Mention[] {
  const kind = role.place === VARS ? 'variable' : 'key';
  const found: Mention[] = [
    {
      symbol: { kind, name: option.key },
      range: option.keyRange,
      role: 'definition',
      section: option.section,
      option,
    },
  ];
  const use = (symbol: Symbolic, range: Range): void => {
    found.push({ symbol, range, role: 'use', section: option.section, option });
  };
  if (option.raw.includes('%('))
    for (const part of partsOf(option.raw))
      if (part.kind === 'reference')
        use(
          { kind: keyKind(doc, role, part.name), name: part.name },
          rangeInRaw(option, part.start + 2, part.end - 2),
        );

  const spec = specOf(role, option.key);
  if (option.raw.includes('var!'))
    for (const { resolver, item } of resolversIn(spec?.kind ?? 'text', option.raw)) {
      const range = variableRange(option, resolver, item);
      if (range !== undefined) use({ kind: 'variable', name: resolver.argument.toLowerCase() }, range);
    }
  if (role.place === 'stage' || role.place === 'DEFAULT') {
    if (option.key === 'pipeline') found.push(...listed(option, 'goal'));
    if (option.key === 'processes') found.push(...listed(option, 'process'));
  }
  return found;
}

/** `%(name)s` in `[vars]` means a variable where `[vars]` has it. */
function keyKind(doc: ConfDocument, role: Role, name: string): 'key' | 'variable' {
  return role.place === VARS && doc.sections.get(VARS)?.options.has(name) === true ? 'variable' : 'key';
}

/** Where the name after `var!` stands; undefined for what is no name. */
function variableRange(option: ConfOption, resolver: Resolver, item: Item): Range | undefined {
  const { kind, argument } = resolver;
  if (kind !== 'var' || argument === '' || argument.includes('\n') || argument.includes('%'))
    return undefined;
  const at = item.text.lastIndexOf(argument);
  return rangeInRaw(option, item.start + at, item.start + at + argument.length);
}

function listed(option: ConfOption, kind: 'goal' | 'process'): readonly Mention[] {
  return itemsOf('list', option.raw).flatMap((item): readonly Mention[] => {
    const name = item.text.replace(/\?$/, '');
    if (!/^[A-Za-z0-9._-]+$/.test(name)) return [];
    const { start } = itemRange(option, option.raw, item);
    const range = { start, end: start + name.length };
    return [{ symbol: { kind, name }, range, role: 'use', section: option.section, option }];
  });
}

/** The mention at an offset; its ends count. Uses come before definitions where two touch. */
export function mentionAt(doc: ConfDocument, offset: number): Mention | undefined {
  const here = mentionsOf(doc).filter(({ range }) => range.start <= offset && offset <= range.end);
  return here.find((mention) => mention.role === 'use') ?? here[0];
}

export function isSame(a: Symbolic, b: Symbolic): boolean {
  return a.kind === b.kind && a.name === b.name;
}

/**
 * Where a name comes from. Of `%(name)s`: the key of its own section, else that of DEFAULT; seen from DEFAULT, the keys of the sections
 * that set it too.
 */
export function definitionsOf(doc: ConfDocument, mention: Mention): readonly Mention[] {
  const all = mentionsOf(doc).filter(
    (other) => other.role === 'definition' && isSame(other.symbol, mention.symbol),
  );
  if (mention.symbol.kind !== 'key') return all;
  if (mention.role === 'definition') return all.filter((other) => other.range.start === mention.range.start);
  const own = all.filter((other) => other.section === mention.section);
  const inherited = all.filter((other) => other.section === doc.defaults.name);
  if (mention.section === doc.defaults.name)
    return [...inherited, ...all.filter((other) => !inherited.includes(other))];
  return own.length > 0 ? own : inherited;
}

/** Every place where the name of a mention stands. */
export function mentionsLike(doc: ConfDocument, mention: Mention): readonly Mention[] {
  return mentionsOf(doc).filter((other) => isSame(other.symbol, mention.symbol));
}
