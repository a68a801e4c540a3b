/** `durant` on the PATH of VS Code's terminals: of the folder that is trusted, and unless a setting says no. */
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { reasonOf } from '../errors.ts';
import { hasTerminalCommand } from './configuration.ts';
import { settings } from './ids.ts';
import { writeLauncher } from './launcher.ts';

export interface TerminalCommandOptions {
  readonly variables: vscode.EnvironmentVariableCollection;
  /** A folder of the extension's own, for the launcher. */
  readonly folder: string;
  /** Path of the command line's bundle. */
  readonly cli: string;
  readonly onFailure: (message: string) => void;
}

export function provideTerminalCommand({
  variables,
  folder,
  cli,
  onFailure,
}: TerminalCommandOptions): vscode.Disposable {
  const update = async (): Promise<void> => {
    if (!vscode.workspace.isTrusted || !hasTerminalCommand()) {
      variables.clear();
      return;
    }
    try {
      await writeLauncher(folder, { node: process.execPath, cli });
      variables.description = vscode.l10n.t('Adds the command `durant`.');
      // A shell's own start-up files may set PATH anew.
      variables.prepend('PATH', `${folder}${delimiter}`, {
        applyAtProcessCreation: true,
        applyAtShellIntegration: true,
      });
    } catch (error) {
      variables.clear();
      onFailure(reasonOf(error));
    }
  };
  void update();
  return vscode.Disposable.from(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void update()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${settings.section}.${settings.terminalCommand}`)) void update();
    }),
  );
}

/** Where the launcher lies. */
export function launcherFolder(globalStorage: vscode.Uri): string {
  return join(globalStorage.fsPath, 'bin');
}
