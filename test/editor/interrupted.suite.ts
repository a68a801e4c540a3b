/** A run that was cut off with the window that it was in is explained when the project is opened again. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { durantFolders } from '../../src/engine/thisMachine.ts';
import { openJournal } from '../../src/engine/server/journal.ts';
import { processPlace } from '../../src/git/processIdentity.ts';
import { hands, output } from './rig/hands.ts';

describe('a run that was cut off', () => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const file = join(folder, 'durant.conf');
  const { stateDir } = durantFolders(process.env);

  after(() => {
    rmSync(join(stateDir, 'runs'), { recursive: true });
  });

  it('is explained once at the start, with what helps; those of other projects are not', async () => {
    writeFileSync(file, '[production]\nrepository: .\nserver: nobody@127.0.0.1:1\nproject_dir: ~/x\n');
    const run = (name: string, config: string): string =>
      JSON.stringify({
        run: name,
        stage: 'production',
        config,
        action: 'deploy',
        servers: ['web1', 'web2'],
        started: '2026-01-02T03:04:05Z',
        pid: 1,
        processStarted: 'long ago',
        place: processPlace(),
        ended: false,
      });
    mkdirSync(join(stateDir, 'runs'), { recursive: true });
    writeFileSync(join(stateDir, 'runs', '20260102030405-aaaa.json'), run('20260102030405-aaaa', file));
    writeFileSync(
      join(stateDir, 'runs', '20260102030405-bbbb.json'),
      run('20260102030405-bbbb', '/other/durant.conf'),
    );
    assert.equal((await openJournal(stateDir).interrupted()).length, 2);

    await vscode.extensions.getExtension('durant.durant')?.activate();
    const said = await hands.sees(/was cut off/);
    assert.equal(said.kind, 'warning');
    assert.match(said.text, /^The deploy of production that began .* web1, web2 may still be locked/);
    assert.deepEqual(said.choices, ['Show What Is Live', 'Deploy']);
    assert.equal(hands.shown().length, 1);
    await output(/The deploy of production that began/);
  });
});
