/** From a folder without durant.conf to the review of its first deploy: three answers, and no line typed. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import * as vscode from 'vscode';
import { hands, review } from './rig/hands.ts';
import { makeWorld, type World } from './rig/world.ts';

describe('a first minute', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('minute', { servers: 1 });
  });

  after(async () => {
    await vscode.commands.executeCommand('durant.review.close');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(root().fsPath, { force: true });
    await world.end();
  });

  const root = (): vscode.Uri =>
    vscode.Uri.joinPath(vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail(), 'durant.conf');

  it('writes ten lines from two answers, and offers a repository where there is none', async () => {
    hands.forget();
    hands.reply(/1 of 2/, 'deploy@web1.example.com');
    hands.reply(/2 of 2/, '~/minute', { remember: true });
    await vscode.commands.executeCommand('durant.createConfig');
    assert.deepEqual((await hands.sees(/not a git repository yet/)).choices, ['Initialize Repository']);
    const text = readFileSync(root().fsPath, 'utf8');
    assert.match(text, /^server: deploy@web1\.example\.com\nproject_dir: ~\/minute\n$/m);
    // The button was pressed that turns the protection off.
    assert.doesNotMatch(text, /protected/);
    assert.ok(text.split('\n').length <= 12);
  });

  it('writes nothing where a question is left, and opens what is there already', async () => {
    const before = readFileSync(root().fsPath, 'utf8');
    hands.forget();
    await vscode.commands.executeCommand('durant.createConfig');
    assert.equal(readFileSync(root().fsPath, 'utf8'), before);
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, root().fsPath);
    rmSync(root().fsPath);
    await vscode.commands.executeCommand('durant.createConfig');
    await hands.sees(/1 of 2/);
    await assert.rejects(async () => vscode.workspace.fs.stat(root()));
  });

  it('checks the connection, changes nothing, and goes on with a dry run', async () => {
    await world.configure('');
    hands.forget();
    hands.reply(/everything that a deploy needs is there/, 'Dry Run');
    await vscode.commands.executeCommand('durant.checkConnection', world.stage);
    await hands.sees(/everything that a deploy needs is there\. Nothing was changed\.$/);
    assert.match(review.view().message ?? '', /2 to add\. Nothing was changed\./);
    assert.equal(world.release(world.servers[0] ?? assert.fail()), undefined);
  });

  it('names what is missing', async () => {
    await world.configure('shared_files: config.php');
    hands.forget();
    await vscode.commands.executeCommand('durant.checkConnection', world.stage);
    const said = await hands.sees(/config\.php/);
    assert.deepEqual([said.kind, said.choices], ['error', ['Retry', 'Open Configuration', 'Show Output']]);
  });
});
