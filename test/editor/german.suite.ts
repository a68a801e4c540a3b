/** A VS Code whose language is German shows the extension's German: the manifest's texts, and those of the code. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string | { readonly value: string };
    }[];
  };
}

describe('German', () => {
  const file = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'durant.conf');
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(file);
  });

  it('is the language of the window', () => {
    assert.equal(vscode.env.language, 'de');
  });

  it('is that of the commands', () => {
    const extension = vscode.extensions.getExtension<unknown>('durant.durant');
    const { contributes } = extension?.packageJSON as Manifest;
    const title = contributes.commands.find(({ command }) => command === 'durant.deploy')?.title;
    assert.equal(typeof title === 'object' ? title.value : title, 'Stage bereitstellen');
  });

  it('is that of what the code says', async () => {
    writeFileSync(file, '[production]\nserver: web1\n');
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    await vscode.extensions.getExtension('durant.durant')?.activate();
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      20,
    );
    assert.deepEqual(
      lenses.map(({ command }) => command?.title),
      ['Bereitstellen', 'Probelauf', 'Zurückrollen', 'Entsperren', 'Verbindung prüfen'],
    );
  });
});
