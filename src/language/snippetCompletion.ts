/**
 * Snippets, offered where a line of durant.conf may start. VS Code would offer the file's own in values, too: there they have no prefix,
 * so that it has them under Insert Snippet only.
 */
import SNIPPETS from '../../media/snippets.json' with { type: 'json' };
import type { ConfDocument } from '../config/syntax/document.ts';
import type { Cursor } from './cursor.ts';
import { lineAt } from './layout.ts';
import type { Suggestion } from './suggestion.ts';

interface Snippet {
  readonly name: string;
  readonly description: string;
  /** In VS Code's syntax. */
  readonly text: string;
}

const ALL: readonly Snippet[] = Object.entries(SNIPPETS).map(([name, { description, body }]) => ({
  name,
  description,
  text: body.join('\n'),
}));

/** Those that make sense here; none on an indented line, which would belong to the value above. */
export function completeSnippet(
  doc: ConfDocument,
  cursor: Extract<Cursor, { readonly at: 'key' | 'outside' }>,
): readonly Suggestion[] {
  const { range } = cursor;
  if (range.start > lineAt(doc, range.start).start) return [];
  return ALL.filter((snippet) => isOfUse(doc, cursor, snippet)).map(({ name, description, text }) => ({
    label: name,
    kind: 'snippet',
    detail: description,
    insert: text,
    range,
  }));
}

function isOfUse(
  doc: ConfDocument,
  cursor: Extract<Cursor, { readonly at: 'key' | 'outside' }>,
  { text }: Snippet,
): boolean {
  if (text.startsWith('[DEFAULT]')) return doc.defaults.headers.length === 0 && doc.sections.size === 0;
  if (text.startsWith('[vars]')) return !doc.sections.has('vars');
  if (text.startsWith('[')) return true;
  if (cursor.at === 'outside') return false;
  const { place } = cursor.role;
  if (place !== 'stage' && place !== 'DEFAULT') return false;
  const keys = [...text.matchAll(/^([a-z_]+):/gm)].map(([, key = '']) => key);
  return keys.every((key) => !cursor.block.section.options.has(key));
}
