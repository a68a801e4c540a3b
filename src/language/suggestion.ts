/** What completion offers, as data. */
import type { Range } from '../config/syntax/document.ts';

export type SuggestionKind =
  | 'key'
  | 'section'
  | 'choice'
  | 'reference'
  | 'resolver'
  | 'variable'
  | 'branch'
  | 'tag'
  | 'remote'
  | 'host'
  | 'file'
  | 'folder'
  | 'text'
  /** Its `insert` is in VS Code's snippet syntax. */
  | 'snippet';

/** One thing that could stand here. */
export interface Suggestion {
  readonly label: string;
  readonly kind: SuggestionKind;
  /** Beside the label. */
  readonly detail?: string | undefined;
  /** Markdown of the option table; never from the file. */
  readonly documentation?: string | undefined;
  /** What is written in place of `range`, as it stands. */
  readonly insert: string;
  readonly range: Range;
  /** Suggestions are shown in the order that they come in. */
  /** Whether more can be completed after it: the list opens again. */
  readonly again?: boolean;
}
