/** Several folders, each with a durant.conf, side by side. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { makeRepository } from '../support/repo.ts';
import { startSshd, writeSshForServers, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { hands, stages } from './rig/hands.ts';
import { setting } from './rig/world.ts';

describe('two folders', () => {
  const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const scratch = mkdtempSync(join(tmpdir(), 'durant-folders-'));
  let server: TestServer;

  before(async () => {
    server = await startSshd();
    const { bin } = await writeSshForServers(join(scratch, 'ssh'), [server]);
    await setting('sshPath', join(bin, 'ssh'));
    for (const [index, folder] of folders.entries()) {
      makeRepository([{ message: 'First', files: { 'index.html': `${String(index)}\n` } }], folder);
      await vscode.workspace.fs.writeFile(
        vscode.Uri.file(join(folder, 'durant.conf')),
        Buffer.from(
          `[production]\nrepository: .\nserver: ${server.entry}\nproject_dir: ~/site${String(index)}\nspare: no\n`,
        ),
      );
    }
    await vscode.extensions.getExtension('durant.durant')?.activate();
    await waitFor('both folders', async () => (await stages.rows()).length === 2);
  });

  beforeEach(() => {
    hands.forget();
  });

  after(async () => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('are told apart in the tree', async () => {
    assert.deepEqual(
      (await stages.rows()).map(({ label }) => label),
      ['one', 'two'],
    );
    const [one] = await stages.rows();
    assert.deepEqual(
      (await stages.rows(one)).map(({ label }) => label),
      ['production'],
    );
  });

  it('are told apart where a stage is picked, and only the picked one runs', async () => {
    hands.reply(/^Stage to deploy$/, undefined);
    await vscode.commands.executeCommand('durant.deploy');
    const pick = await hands.sees(/^Stage to deploy$/);
    assert.deepEqual(pick.choices, ['production', 'production']);
    assert.match(pick.detail, /^one .*\ntwo /);
    assert.ok(!existsSync(join(server.home, 'site0')));
  });

  it('deploy at the same time', async () => {
    const run = (folder: string | undefined): Thenable<unknown> =>
      vscode.commands.executeCommand('durant.deploy', {
        file: join(folder ?? '', 'durant.conf'),
        stage: 'production',
      });
    await Promise.all(folders.map(run));
    for (const index of [0, 1]) assert.ok(existsSync(join(server.home, `site${String(index)}`, 'current')));
    const said = hands.shown().filter(({ text }) => / is live: /.test(text));
    assert.deepEqual(said.map(({ text }) => text.split(' is live')[0]).sort(), [
      'production (one)',
      'production (two)',
    ]);
  });

  it('are tasks, each with its own folder', async () => {
    const tasks = await vscode.tasks.fetchTasks({ type: 'durant' });
    const scopes = tasks.map(({ scope }) => (typeof scope === 'object' ? scope.name : ''));
    assert.deepEqual([...scopes].sort(), ['one', 'one', 'two', 'two']);
  });

  it('copy a command for a terminal in their folder', async () => {
    await vscode.commands.executeCommand('durant.stage.copyCli', {
      file: join(folders[1] ?? '', 'durant.conf'),
      stage: 'production',
    });
    assert.match((await hands.sees(/^Copied: /)).text, /^Copied: durant deploy production$/);
  });
});
