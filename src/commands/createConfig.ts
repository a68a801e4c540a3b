/** Create durant.conf: a commented file made from the option table, opened where the first word has to be typed. */
import * as vscode from 'vscode';
import { sampleConf } from '../config/generate/sample.ts';
import { configName } from '../editor/ids.ts';
import type { App } from './commandContext.ts';

export async function createConfig(app: App): Promise<void> {
  const folder = await pickFolder();
  if (folder === undefined) return;
  const uri = vscode.Uri.joinPath(folder.uri, configName);
  if (!(await exists(uri))) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(sampleConf()));
  await app.findConfigurations();
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document);
  const at = document.getText().indexOf('server.example.com');
  if (at === -1) return;
  const start = document.positionAt(at);
  const end = document.positionAt(at + 'server.example.com'.length);
  editor.selection = new vscode.Selection(start, end);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length > 1)
    return vscode.window.showWorkspaceFolderPick({
      placeHolder: vscode.l10n.t('Folder of the project to deploy'),
    });
  const [only] = folders;
  if (only !== undefined) return only;
  const open = vscode.l10n.t('Open Folder');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Open the folder of a git project first: durant.conf lies in its root.'),
    open,
  );
  if (chosen === open) await vscode.commands.executeCommand('vscode.openFolder');
  return undefined;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
