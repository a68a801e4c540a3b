/** Now, the language and the time zone of whoever looks. */
import * as vscode from 'vscode';
import type { View } from './item.ts';

export function currentView(): View {
  const format = new Intl.DateTimeFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat(vscode.env.language, { month: 'short', day: 'numeric' });
  const written = (by: Intl.DateTimeFormat, date: string): string =>
    Number.isNaN(Date.parse(date)) ? date : by.format(new Date(date));
  return {
    now: Date.now(),
    t: vscode.l10n.t,
    localTime: (date) => written(format, date),
    localDay: (date) => written(day, date),
  };
}
