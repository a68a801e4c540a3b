/** durant.conf in a folder that is not trusted: the text is helped with, and nothing else is looked at or run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';

describe('durant.conf in an untrusted folder', () => {
  const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'untrusted');
  const file = join(folder, 'durant.conf');
  const ran = join(folder, 'ran');
  let document: vscode.TextDocument;

  before(async () => {
    mkdirSync(folder, { recursive: true });
    execFileSync('git', ['init', '-q', '-b', 'trunk'], { cwd: folder });
    // What a hostile repository would do to whoever runs git in it.
    execFileSync('git', ['config', 'core.fsmonitor', `touch ${ran}; false`], { cwd: folder });
    writeFileSync(join(folder, 'key'), '');
    chmodSync(join(folder, 'key'), 0o644);
    writeFileSync(
      file,
      '[production]\nrepository: .\nserver: web1\nproject_dir: /srv/x\nuser: sh!touch ran\nssh_identity: ./key\nbrnch: x\nbranch: \n',
    );
    document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it('is not trusted', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });

  it('marks mistakes of the text only', async () => {
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      new vscode.Range(0, 0, document.lineCount, 0),
    );
    const titles = actions.map(({ title }) => title);
    assert.ok(titles.includes('Change to "branch"') || titles.includes('Remove "brnch"'), titles.join());
    assert.ok(!titles.some((title) => title.includes('chmod')), titles.join());
  });

  it('completes choices, and no branch', async () => {
    const at = async (line: number, character: number): Promise<readonly string[]> => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        new vscode.Position(line, character),
      );
      return list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    };
    assert.ok(!(await at(7, 8)).includes('trunk'));
    assert.ok((await at(8, 0)).includes('strategy'));
  });

  it('has no lens that would deploy', async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
    );
    assert.deepEqual(lenses, []);
  });

  it('has run nothing and changed nothing', async () => {
    await vscode.commands.executeCommand('durant.language.restrictKey', document.uri.toString(), './key');
    assert.equal(statSync(join(folder, 'key')).mode & 0o777, 0o644);
    assert.ok(!existsSync(ran));
  });
});
