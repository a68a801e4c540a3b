/** Prune Releases…, against real servers. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { hands, stages } from './rig/hands.ts';
import { makeWorld, type World } from './rig/world.ts';

describe('pruning from the editor', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('prunes', { servers: 2 });
    await world.configure('');
    for (const version of ['two', 'three', 'four']) {
      await vscode.commands.executeCommand('durant.deploy', world.stage);
      world.project.commit({ message: version, files: { 'index.html': `${version}\n` } });
    }
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    assert.deepEqual(counts(), [4, 4]);
  });

  beforeEach(() => {
    hands.forget();
  });

  after(async () => {
    await world.end();
  });

  const releases = (server: TestServer): readonly string[] =>
    readdirSync(join(server.home, 'prunes', 'releases')).sort();
  const counts = (): readonly number[] => world.servers.map((server) => releases(server).length);

  it('removes the releases beyond keep_releases from one server, and says which', async () => {
    await world.configure('keep_releases: 3');
    const [first] = world.servers;
    assert.ok(first);
    const before = releases(first);
    const row = await stages.row(new RegExp(`^${first.entry}`), await stages.row(/^production/));
    await vscode.commands.executeCommand('durant.server.prune', row.node);
    const { text, modal } = await hands.sees(/^production: 1 release is removed/);
    const gone = before.filter((name) => !releases(first).includes(name));
    assert.equal(gone.length, 1);
    assert.ok(text.endsWith(` ${first.entry}: ${gone.join()}`), text);
    assert.equal(modal, false);
    assert.deepEqual(counts(), [3, 4]);
    await waitFor('the tree to know', async () => {
      const releases = await stages.rows(await stages.row(/^Releases/, await stages.row(/^production/)));
      return releases.some(({ description }) => description.includes(' · only on '));
    });
  });

  it('asks first where the stage is protected, and says which releases are meant', async () => {
    await world.configure('keep_releases: 2\nprotected: yes');
    await vscode.commands.executeCommand('durant.prune', world.stage);
    const { modal, detail, choices } = await hands.sees(/^production is protected/);
    assert.equal(modal, true);
    assert.deepEqual(choices, ['Remove Old Releases']);
    const before = world.servers.map(releases);
    assert.deepEqual(counts(), [3, 4]);

    hands.forget();
    hands.reply(/^production is protected/, 'Remove Old Releases');
    await vscode.commands.executeCommand('durant.prune', world.stage);
    await hands.sees(/^production: 3 releases are removed/);
    assert.deepEqual(counts(), [2, 2]);
    for (const [index, server] of world.servers.entries())
      for (const name of before[index] ?? [])
        assert.equal(detail.includes(name), !releases(server).includes(name), `${name}\n${detail}`);
  });

  it('says so where there is nothing to remove, and asks nothing', async () => {
    await vscode.commands.executeCommand('durant.prune', world.stage);
    await hands.sees(/^production: there are no releases to remove\./);
    assert.deepEqual(
      hands.shown().filter(({ modal }) => modal),
      [],
    );
  });
});
