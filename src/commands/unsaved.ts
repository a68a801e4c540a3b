/** Unsaved work, said before a run starts: what is not on disk is no part of it. */
import { dirname, sep } from 'node:path';
import * as vscode from 'vscode';

/**
 * Whether the run may go on.
 * @param which a deploy is concerned by every file of the project, other runs by durant.conf alone.
 */
export async function settleUnsaved(file: string, which: 'project' | 'configuration'): Promise<boolean> {
  const folder = `${dirname(file)}${sep}`;
  const unsaved = vscode.workspace.textDocuments.filter(
    ({ isDirty, uri }) =>
      isDirty &&
      uri.scheme === 'file' &&
      (which === 'project' ? uri.fsPath.startsWith(folder) : uri.fsPath === file),
  );
  if (unsaved.length === 0) return true;
  const save = vscode.l10n.t('Save All');
  const go = vscode.l10n.t('Continue');
  const names = unsaved.map(({ uri }) => `• ${vscode.workspace.asRelativePath(uri)}`);
  const chosen = await vscode.window.showWarningMessage(
    unsaved.length === 1
      ? vscode.l10n.t('1 file has unsaved changes that would not be part of this.')
      : vscode.l10n.t('{0} files have unsaved changes that would not be part of this.', unsaved.length),
    { modal: true, detail: names.slice(0, 20).join('\n') },
    save,
    go,
  );
  if (chosen === save) return (await Promise.all(unsaved.map((document) => document.save()))).every(Boolean);
  return chosen === go;
}
