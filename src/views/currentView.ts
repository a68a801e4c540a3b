/** Now, the language and the time zone of whoever looks. */
import * as vscode from 'vscode';
import type { View } from './item.ts';

export function currentView(): View {
  const format = new Intl.DateTimeFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'medium' });
  return {
    now: Date.now(),
    t: vscode.l10n.t,
    localTime: (date) => (Number.isNaN(Date.parse(date)) ? date : format.format(new Date(date))),
  };
}
