/** Hover: what an option is for, what it is worth here, and where that comes from. */
import type { ConfDocument, ConfSection, Range } from '../config/syntax/document.ts';
import { positionAt } from '../config/syntax/document.ts';
import { GOAL_TYPES, isGoalType } from '../config/options/options.ts';
import { hasItems, itemsOf, resolversIn, type ResolverKind } from '../config/values/resolvers.ts';
import { effectiveValue, type Effective } from './effective.ts';
import type { Translate } from './languageFacts.ts';
import { blockAt, optionAt, roleOf, sectionOf, specOf } from './layout.ts';
import { codeBlock, inlineCode, optionLink, optionMarkdown, plainMarkdown } from './markdown.ts';
import { mentionAt, type Mention } from './sharedNames.ts';

export interface Hover {
  /** Markdown in which everything that came from the file is escaped; each element a block of its own. */
  readonly markdown: readonly string[];
  readonly range: Range;
}

/** What there is to say about an offset. */
export function hoverAt(doc: ConfDocument, offset: number, t: Translate): Hover | undefined {
  const mention = mentionAt(doc, offset);
  if (mention?.role === 'use') return hoverUse(doc, mention, t);
  const block = blockAt(doc, offset);
  if (block !== undefined && offset >= block.header.range.start && offset <= block.header.range.end)
    return { markdown: describeSection(doc, block.section, t), range: block.header.range };
  const option = optionAt(doc, offset);
  if (option === undefined) return undefined;
  const onKey = offset <= option.keyRange.end;
  if (!onKey && (offset < option.valueRange.start || option.raw === '')) return undefined;
  const section = sectionOf(doc, option);
  return {
    markdown: [...describeOption(doc, section, option.key, t), ...resolverNotes(doc, section, option.key, t)],
    range: onKey ? option.keyRange : singleLine(doc, option.valueRange, offset),
  };
}

/** The part of a range on the line of an offset: an editor marks no more. */
function singleLine(doc: ConfDocument, range: Range, offset: number): Range {
  const before = doc.text.lastIndexOf('\n', offset - 1) + 1;
  const after = doc.text.indexOf('\n', offset);
  return {
    start: Math.max(range.start, before),
    end: Math.min(range.end, after < 0 ? doc.text.length : after),
  };
}

function describeOption(
  doc: ConfDocument,
  section: ConfSection,
  key: string,
  t: Translate,
): readonly string[] {
  const role = roleOf(doc, section);
  const spec = specOf(role, key);
  const parts: string[] = [];
  if (spec !== undefined) {
    const known = role.place === 'stage' || role.place === 'DEFAULT';
    const title = known ? `**[${key}](${optionLink(key)})**` : `**${key}**`;
    parts.push(title, optionMarkdown(spec, t));
  } else if (role.place === 'vars') parts.push(t('A variable: {0}', inlineCode(`var!${key}`)));
  else parts.push(t('A key of your own, for {0}', inlineCode(`%(${key})s`)));
  const effective = effectiveValue(doc, section, key);
  if (effective !== undefined) parts.push(...describeValue(doc, section, effective, t));
  if (section === doc.defaults) parts.push(...overriding(doc, key, t));
  return parts;
}

function describeValue(
  doc: ConfDocument,
  section: ConfSection,
  effective: Effective,
  t: Translate,
): readonly string[] {
  const where = plainMarkdown(section.name);
  const heading =
    effective.source.from === 'built-in'
      ? t('In [{0}], built in:', where)
      : t(
          'In [{0}], from [{1}] line {2}:',
          where,
          plainMarkdown(effective.source.option.section),
          lineOf(doc, effective),
        );
  const parts = [heading, codeBlock(effective.value)];
  if (effective.value === '') parts[1] = t('_empty_');
  if (effective.secret) parts.push(t('It looks like a secret, so it is not shown.'));
  if (effective.broken)
    parts.push(t('A %(name)s in it is unknown or goes in circles, so it stays as written.'));
  return parts;
}

function lineOf(doc: ConfDocument, { source }: Effective): number {
  return source.from === 'built-in' ? 0 : positionAt(doc, source.option.keyRange.start).line;
}

/** Stages that have their own value. */
function overriding(doc: ConfDocument, key: string, t: Translate): readonly string[] {
  const names = [...doc.sections.values()]
    .filter((section) => roleOf(doc, section).place === 'stage' && section.options.has(key))
    .map((section) => `[${plainMarkdown(section.name)}]`);
  if (names.length === 0) return [];
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ' …' : '');
  return [t('Other values in {0}', shown)];
}

function resolverNote(kind: ResolverKind, t: Translate): string {
  switch (kind) {
    case 'env':
      return t('Replaced at each run by the environment variable.');
    case 'sh':
      return t('Replaced at each run by the output of the command; never while you type.');
    case 'var':
      return t('Replaced at each run by the variable of [vars].');
    case 'secret':
      return t("Replaced at each run from the editor's secret store; masked wherever text is shown.");
    case 'pgp':
      return t('Decrypted at each run by gpg; masked wherever text is shown.');
  }
}

function resolverNotes(
  doc: ConfDocument,
  section: ConfSection,
  key: string,
  t: Translate,
): readonly string[] {
  const raw = section.options.get(key)?.raw ?? '';
  const spec = specOf(roleOf(doc, section), key);
  const kinds = new Set(resolversIn(spec?.kind ?? 'text', raw).map(({ resolver }) => resolver.kind));
  return [...kinds].map((kind) => resolverNote(kind, t));
}

/** What a `%(name)s`, a `var!name` or the name of a goal or process stands for. */
function hoverUse(doc: ConfDocument, mention: Mention, t: Translate): Hover {
  const { symbol, range } = mention;
  switch (symbol.kind) {
    case 'key':
    case 'variable':
    case 'stage': {
      const section =
        symbol.kind === 'variable' ? doc.sections.get('vars') : sectionNamed(doc, mention.section);
      const has = section !== undefined && (symbol.kind === 'key' || section.options.has(symbol.name));
      const effective = has ? effectiveValue(doc, section, symbol.name) : undefined;
      const written = symbol.kind === 'variable' ? `var!${symbol.name}` : `%(${symbol.name})s`;
      const nothing =
        symbol.kind === 'variable'
          ? t('[vars] has no such key.')
          : t('Neither this section nor [DEFAULT] has such a key.');
      if (section === undefined || effective === undefined || effective.source.from === 'built-in')
        return { markdown: [inlineCode(written), nothing], range };
      return { markdown: [inlineCode(written), ...describeValue(doc, section, effective, t)], range };
    }
    case 'goal':
    case 'process': {
      const section = [...doc.sections.values()].find((each) => {
        const role = roleOf(doc, each);
        return role.place === symbol.kind && role.name === symbol.name;
      });
      if (section !== undefined) return { markdown: describeSection(doc, section, t), range };
      const text =
        symbol.name === 'deploy' && symbol.kind === 'goal'
          ? t('The built-in goal: this commit is live on every server of the stage.')
          : t('There is no such section.');
      return { markdown: [text], range };
    }
  }
}

function sectionNamed(doc: ConfDocument, name: string): ConfSection | undefined {
  return name === doc.defaults.name ? doc.defaults : doc.sections.get(name);
}

/** What matters most of each kind of section. */
const SUMMARY: Readonly<Record<string, readonly string[]>> = {
  stage: ['repository', 'branch', 'server', 'project_dir', 'strategy'],
  goal: ['type'],
  process: ['command', 'replicas', 'socket', 'timer'],
};

function describeSection(doc: ConfDocument, section: ConfSection, t: Translate): readonly string[] {
  const role = roleOf(doc, section);
  const name = plainMarkdown(role.name);
  switch (role.place) {
    case 'DEFAULT':
      return [t('**[DEFAULT]**: its keys are inherited by every section.')];
    case 'vars':
      return [t('**[vars]**: values for {0} in any section.', '`var!name`')];
    case 'stage':
    case 'goal':
    case 'process': {
      const titles = {
        stage: t('Stage **{0}**', name),
        goal: t('Goal **{0}**', name),
        process: t('Process **{0}**', name),
      };
      const rows = (SUMMARY[role.place] ?? []).flatMap((key) => {
        const effective = effectiveValue(doc, section, key);
        if (effective === undefined || effective.value === '') return [];
        const kind = specOf(role, key)?.kind ?? 'text';
        const items =
          hasItems(kind) && !effective.secret
            ? itemsOf(kind, effective.value).map((item) => item.text)
            : [effective.value];
        const shown = items.slice(0, 5).map(inlineCode).join(', ') + (items.length > 5 ? ' …' : '');
        return [`- ${key}: ${shown}`];
      });
      const type = role.place === 'goal' ? effectiveValue(doc, section, 'type')?.value : undefined;
      const achieved = type !== undefined && isGoalType(type) ? [GOAL_TYPES[type].doc] : [];
      return [titles[role.place], ...achieved, ...(rows.length === 0 ? [] : [rows.join('\n')])];
    }
  }
}
