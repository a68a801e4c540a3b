/** Markdown made of texts that may be hostile: what a file says is shown, never obeyed. */
import { kindOf } from '../config/generate/reference.ts';
import { GOAL_TYPES, type OptionSpec } from '../config/options/options.ts';
import type { Translate } from './languageFacts.ts';

const LONGEST = 2000;
const MOST_LINES = 20;

/** A text as plain words of a paragraph: no links, images, HTML, icons or formatting come of it. */
export function plainMarkdown(text: string): string {
  return shortened(text)
    .replaceAll(/[\s\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replaceAll(/[\\`*_{}[\]()#+\-.!|<>~$:@/&=^"']/g, (mark) =>
      mark === '&' ? '&amp;' : mark === '<' ? '&lt;' : `\\${mark}`,
    );
}

/** A text as a block of code, whatever back-ticks it has. */
export function codeBlock(text: string, language = ''): string {
  const shown = shortened(text).replaceAll(
    /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g,
    '�',
  );
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** A short text as code in a paragraph. */
export function inlineCode(text: string): string {
  const shown = shortened(text).replaceAll(/[\s\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]+/g, ' ');
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return shown.trim() === '' ? '` `' : `${fence}${pad}${shown}${pad}${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

function shortened(text: string): string {
  const lines = text.slice(0, LONGEST).split('\n');
  const cut = lines.length > MOST_LINES || text.length > LONGEST;
  return cut ? `${lines.slice(0, MOST_LINES).join('\n')}…` : text;
}

/** What the option table says of a key: one paragraph each for the doc, its kind and default, and its choices. */
export function optionMarkdown(spec: OptionSpec, t: Translate): string {
  const parts = [spec.doc];
  const choices = choicesOf(spec);
  if (choices.length > 0)
    parts.push(choices.map(([name, meaning]) => `- \`${name}\`: ${meaning}`).join('\n'));
  parts.push(`_${summaryOf(spec, t)}_`);
  return parts.join('\n\n');
}

function choicesOf(spec: OptionSpec): readonly (readonly [name: string, meaning: string])[] {
  if (spec.kind === 'enum') return Object.entries(spec.values);
  if (spec.kind !== 'text' || spec.form !== 'goal-type') return [];
  return Object.entries(GOAL_TYPES).map(([name, { doc }]) => [name, doc]);
}

function summaryOf(spec: OptionSpec, t: Translate): string {
  const facts = [spec.kind === 'enum' ? t('one of these') : kindOf(spec)];
  if (spec.required !== undefined) facts.push(t('required'));
  if (spec.default !== undefined) facts.push(t('default: {0}', `\`${spec.default}\``));
  else if (spec.defaultDoc !== undefined) facts.push(t('default: {0}', spec.defaultDoc));
  if (spec.strategy !== undefined) facts.push(t('only with {0}', `\`strategy: ${spec.strategy}\``));
  facts.push(t('since {0}', spec.since));
  return facts.join('; ');
}

/** What a key takes when nothing is written, in a few words for lists. */
export function shortDetail(spec: OptionSpec, t: Translate): string {
  if (spec.required !== undefined) return t('required');
  if (spec.default !== undefined) return t('default: {0}', spec.default);
  return kindOf(spec).replaceAll('`', '');
}

/** The part of docs/configuration.md about a key of a stage. */
export function optionLink(key: string): string {
  return `https://github.com/durant-deploy/durant/blob/main/docs/configuration.md#${key}`;
}
