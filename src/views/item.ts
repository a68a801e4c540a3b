/** What a node of a tree looks like, as data. Pure. */
import type { Translate } from '../format.ts';

export type Icon =
  /** A pair in media/icons. */
  | { readonly file: 'stage' | 'server' | 'release' | 'live' }
  | { readonly codicon: string; readonly color?: string }
  /** That of the user's file icons. */
  | { readonly fileNamed: string; readonly kind: 'file' | 'folder' };

export interface Item {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Label and value, a line each. */
  readonly tooltip: readonly (readonly [label: string, value: string])[];
  readonly icon: Icon | undefined;
  readonly expands: 'no' | 'closed' | 'open';
  /** Words that menus match. */
  readonly context: string;
  /** A command that takes the node when it is clicked. */
  readonly opens?: { readonly command: string; readonly title: string };
  /** What only the icon says, for screen readers. */
  readonly spoken?: string;
}

export interface View {
  readonly now: number;
  readonly t: Translate;
  /** A UTC ISO 8601 date in words of the user's language and time zone; the text itself where it is no date. */
  readonly localTime: (date: string) => string;
  /** Its day alone, short; default: as `localTime`. */
  readonly localDay?: (date: string) => string;
}

/** An item that only says something. */
export function noteOf(id: string, label: string, codicon: string): Item {
  return { id, label, description: '', tooltip: [], icon: { codicon }, expands: 'no', context: 'note' };
}

/** A failure: its first line, and all of it on hovering. */
export function failureOf(id: string, message: string, { t }: View): Item {
  const [first = ''] = message.split('\n');
  return {
    id,
    label: first,
    description: '',
    tooltip: [[t('Error'), message]],
    icon: failed,
    expands: 'no',
    context: 'error',
  };
}

export const failed: Icon = { codicon: 'error', color: 'list.errorForeground' };
export const warned: Icon = { codicon: 'warning', color: 'list.warningForeground' };
export const passed: Icon = { codicon: 'pass', color: 'testing.iconPassed' };
