/** No folder is open: each command says what is missing. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { hands, stages } from './rig/hands.ts';

describe('with no folder open', () => {
  before(async () => {
    await vscode.extensions.getExtension('durant.durant')?.activate();
  });

  beforeEach(() => {
    hands.forget();
  });

  it('a command says that there is no durant.conf, and offers to create one', async () => {
    for (const id of ['deploy', 'dryRun', 'rollback', 'unlock', 'deployRef', 'copyCli']) {
      hands.forget();
      await vscode.commands.executeCommand(`durant.${id}`);
      const said = await hands.sees(/There is no durant\.conf in this workspace yet/);
      assert.deepEqual(said.choices, ['Create durant.conf']);
    }
  });

  it('Create durant.conf says that a folder has to be opened', async () => {
    await vscode.commands.executeCommand('durant.createConfig');
    assert.deepEqual((await hands.sees(/^Open the folder of a git project first/)).choices, ['Open Folder']);
  });

  it('the others do nothing, and say so', async () => {
    await vscode.commands.executeCommand('durant.cancel');
    await hands.sees(/^No run is on in this window\.$/);
    await vscode.commands.executeCommand('durant.refresh');
    assert.deepEqual(await stages.rows(), []);
  });
});
