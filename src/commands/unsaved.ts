/** Unsaved work, known before a run starts: what is not on disk is no part of it. */
import { dirname, sep } from 'node:path';
import * as vscode from 'vscode';

/** Whether the run may go on: it reads durant.conf from disk. */
export async function settleUnsaved(file: string): Promise<boolean> {
  const [conf] = unsavedDocuments((path) => path === file);
  if (conf === undefined) return true;
  const save = vscode.l10n.t('Save');
  const go = vscode.l10n.t('Continue');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('durant.conf has unsaved changes that would not be part of this.'),
    { modal: true, detail: vscode.workspace.asRelativePath(conf.uri) },
    save,
    go,
  );
  if (chosen === save) return conf.save();
  return chosen === go;
}

/** Paths of files of the project with changes that are only in the editor. */
export function unsavedFiles(file: string): readonly string[] {
  const folder = `${dirname(file)}${sep}`;
  return unsavedDocuments((path) => path.startsWith(folder)).map(({ uri }) => uri.fsPath);
}

function unsavedDocuments(which: (path: string) => boolean): readonly vscode.TextDocument[] {
  return vscode.workspace.textDocuments.filter(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && which(uri.fsPath),
  );
}
