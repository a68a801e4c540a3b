/** Passphrases are asked for masked, remembered only where that is wanted, and forgotten when they were wrong or when told. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { endProcesses, processTree } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { hands } from './rig/hands.ts';
import { makeWorld, setting, type World } from './rig/world.ts';

describe('secrets', () => {
  const passphrase = 'open $(sesame) "42"';
  let world: World;

  before(async () => {
    world = await makeWorld('secrets', { servers: 1, sshd: { passphrase } });
    await setting('keepConnections', 0);
    await world.configure('');
  });

  /** The engine process knows the keys that it has opened: each test begins with another process. */
  beforeEach(async () => {
    await restartEngine();
    hands.forget();
  });

  after(async () => {
    await setting('keepConnections', undefined);
    await world.end();
  });

  const dryRun = (): Thenable<unknown> => vscode.commands.executeCommand('durant.dryRun', world.stage);
  const asked = () => hands.shown().filter(({ kind }) => kind === 'input');

  it('are asked for in a masked box that names what for', async () => {
    hands.reply(/^Passphrase of /, passphrase);
    await dryRun();
    const [box] = asked();
    assert.ok(box?.masked);
    assert.ok(box.text.includes('client_key'), box.text);
    assert.match(box.detail, /127\.0\.0\.1/);
    assert.deepEqual(
      hands.shown().filter(({ kind }) => kind === 'error'),
      [],
    );
  });

  it('end the run where they are wrong three times, and the next run asks again', async () => {
    for (let time = 0; time < 3; time += 1) hands.reply(/^Passphrase of /, 'wrong', { remember: true });
    await dryRun();
    const said = await hands.sees(/^production: /);
    assert.equal(said.kind, 'error');
    assert.equal(asked().length, 3);
    assert.match(asked()[1]?.detail ?? '', /That was not right\. Try again\./);
    assert.ok(!said.text.includes('wrong'));
    hands.forget();
    hands.reply(/^Passphrase of /, passphrase);
    await dryRun();
    assert.equal(asked().length, 1);
    assert.doesNotMatch(
      asked()[0]?.detail ?? '',
      /That was not right/,
      'the last wrong one was not remembered',
    );
    await vscode.commands.executeCommand('durant.forgetSecrets');
    await hands.sees(/^Durant remembers no passphrase/);
  });

  it('are remembered where the user wants that', async () => {
    await vscode.commands.executeCommand('durant.forgetSecrets');
    hands.forget();
    // A wrong one that was to be remembered, too.
    hands.reply(/^Passphrase of /, 'wrong', { remember: true });
    hands.reply(/^Passphrase of /, passphrase, { remember: true });
    await dryRun();
    await restartEngine();
    hands.forget();
    await dryRun();
    assert.deepEqual(asked(), []);
    assert.deepEqual(
      hands.shown().filter(({ kind }) => kind === 'error'),
      [],
    );
  });

  it('are forgotten when told', async () => {
    hands.reply(/^What to forget/, undefined);
    await vscode.commands.executeCommand('durant.forgetSecrets');
    const [name = ''] = (await hands.sees(/^What to forget/)).choices;
    assert.match(name, /^Passphrase of /);
    hands.reply(/^What to forget/, name);
    await vscode.commands.executeCommand('durant.forgetSecrets');
    await hands.sees(/^1 secret forgotten\.$/);
    hands.forget();
    hands.reply(/^Passphrase of /, passphrase);
    await dryRun();
    assert.equal(asked().length, 1);
  });
});

async function restartEngine(): Promise<void> {
  const tree = await processTree(process.pid);
  const engines = tree.filter(({ command }) => command.includes('engine.cjs'));
  endProcesses(engines);
  // Gone from here, too: its end has been noticed.
  await waitFor('the engine to end', () => engines.every(({ pid }) => !existsSync(`/proc/${String(pid)}`)));
}
