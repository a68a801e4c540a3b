/** Completion: keys, values, section headers, `%(` names and resolvers. */
import type { ConfDocument } from '../config/syntax/document.ts';
import { cursorAt } from './cursor.ts';
import type { Surroundings, Translate } from './languageFacts.ts';
import { completeHeader, completeKey } from './keyCompletion.ts';
import { completeReference, completeResolver } from './nameCompletion.ts';
import { completeSnippet } from './snippetCompletion.ts';
import type { Suggestion } from './suggestion.ts';
import { completeValue } from './valueCompletion.ts';

/** What could stand at an offset, the likeliest first. */
export function completionsAt(
  doc: ConfDocument,
  offset: number,
  surroundings: Surroundings,
  t: Translate,
): readonly Suggestion[] {
  const cursor = cursorAt(doc, offset);
  switch (cursor.at) {
    case 'nowhere':
      return [];
    case 'outside':
      return [
        ...completeHeader(doc, cursor.range, { bracket: true, closed: false }, t),
        ...completeSnippet(doc, cursor),
      ];
    case 'header':
      return completeHeader(doc, cursor.range, { bracket: false, closed: cursor.closed }, t);
    case 'key':
      return [
        ...completeKey(doc, cursor, t),
        ...(cursor.option === undefined ? completeSnippet(doc, cursor) : []),
      ];
    case 'reference':
      return completeReference(doc, cursor, t);
    case 'resolver':
      return completeResolver(doc, cursor, surroundings);
    case 'value':
      return completeValue(doc, cursor, surroundings, t);
  }
}
