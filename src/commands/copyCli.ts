/** Copy as CLI Command: the same deploy for a terminal or a CI job. */
import { basename, dirname, relative } from 'node:path';
import * as vscode from 'vscode';
import { quote } from '../remote/shell.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function copyCli(app: App, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to copy the command of'));
  if (stage === undefined) return;
  const command = cliCommand(stage);
  await vscode.env.clipboard.writeText(command);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', command), 5000);
}

/** For a terminal in the workspace's folder, which is where the editor opens one. */
function cliCommand({ file, stage }: StageId): string {
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
  const path = folder === undefined ? file : relative(folder.uri.fsPath, file);
  const config = dirname(path) === '.' && basename(path) === path ? '' : ` --config ${quote(path)}`;
  return `durant${config} deploy ${quote(stage)}`;
}
