/** The Durant view over real servers: what a click on each node shows and does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { freePort } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { hands, stages, type Row } from './rig/hands.ts';
import { makeWorld, writeProject, type World } from './rig/world.ts';

describe('the Durant view', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('views', { servers: 2 });
    await world.configure('');
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    world.project.commit({
      message: 'Second [x](command:y)',
      files: { 'index.html': 'two\n', 'old.txt': null },
    });
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    await vscode.commands.executeCommand('durant.stage.refresh', world.stage);
  });

  beforeEach(() => {
    hands.forget();
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await world.end();
  });

  async function server(index: number): Promise<Row> {
    const stage = await stages.row(/^production/);
    const row = (await stages.rows(stage))[index];
    assert.ok(row);
    return row;
  }

  /** Its releases, newest first. */
  async function releases(): Promise<Row> {
    return stages.row(/^Releases/, await stages.row(/^production/));
  }

  it('has stages, their servers, and their releases, newest first, the live one marked', async () => {
    assert.deepEqual(
      (await stages.rows(await stages.row(/^production/))).map(({ label }) => label),
      [...world.servers.map(({ entry }) => entry), 'Releases'],
    );
    const [second, first] = await stages.rows(await releases());
    assert.match(second?.label ?? '', /^[0-9a-f]{7}$/);
    assert.match(second?.description ?? '', /^(just now|\d min ago) · Second \[x\]\(command:y\)$/);
    assert.match(first?.description ?? '', /^(just now|\d min ago) · First$/);
    assert.match(second?.icon ?? '', /live-(light|dark)\.svg/);
    assert.match(first?.context ?? '', /\bolder\b/);
    assert.doesNotMatch(second?.context ?? '', /\bolder\b/);
    assert.doesNotMatch(second?.tooltip ?? '', /[^\\]\[x[^\\]?\]\(/);
  });

  it('asks the servers when a stage is opened', async () => {
    const stage = await stages.row(/^production/);
    await stages.open(stage);
    await stages.row(/ · First$/, await releases());
  });

  it('knows how far what is live is behind, without being asked by an open file', async () => {
    world.project.commit({ message: 'Third', files: { 'index.html': 'three\n' } });
    await vscode.commands.executeCommand('durant.stage.refresh', world.stage);
    await stages.row(/^production .* · 1 behind$/);
    await vscode.workspace.openTextDocument(world.file);
    const lenses = await waitFor('the lens', async () => {
      const found = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        vscode.Uri.file(world.file),
        10,
      );
      const titles = found.map(({ command }) => command?.title ?? '');
      return titles.some((title) => title.startsWith('live: ')) ? titles : undefined;
    });
    assert.deepEqual(lenses.slice(0, 4), ['Deploy', 'Dry run', 'Roll back', 'Unlock']);
    assert.match(lenses[4] ?? '', /^live: \d{14}-[0-9a-f]{7} · .* · 1 behind$/);
  });

  it('compares a release with the live one', async () => {
    const old = await stages.row(/ · First$/, await releases());
    await vscode.commands.executeCommand('durant.release.compareWithLive', old.node);
    const tab = await waitFor('the comparison', () => {
      const active = vscode.window.tabGroups.activeTabGroup.activeTab;
      return active?.label.startsWith('production: ') === true ? active : undefined;
    });
    assert.match(tab.label, /^production: [0-9a-f]{7} ↔ live [0-9a-f]{7}/);
  });

  it('compares the project with what is live: a file beside it, and since when a line is', async () => {
    const file = vscode.Uri.file(join(world.project.directory, 'index.html'));
    await vscode.commands.executeCommand('durant.stage.compareWithStage', world.stage);
    assert.deepEqual(hands.shown(), []);
    await vscode.commands.executeCommand('durant.compareFile', file);
    const { original, modified } = await waitFor('the comparison', () => {
      const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return input instanceof vscode.TabInputTextDiff ? input : undefined;
    });
    assert.equal((await vscode.workspace.openTextDocument(original)).getText(), 'two\n');
    assert.equal(modified.fsPath, file.fsPath);
    // VS Code's git finds the project once a file of it is open.
    await vscode.window.showTextDocument(file);
    const hover = (): Thenable<readonly vscode.Hover[]> =>
      vscode.commands.executeCommand('vscode.executeHoverProvider', file, new vscode.Position(0, 0));
    await waitFor(
      'the line to be judged',
      async () => {
        const texts = (await hover()).flatMap(({ contents }) =>
          contents.map((each) => (each as vscode.MarkdownString).value),
        );
        return texts.some((text) =>
          /^Not live on production yet: [0-9a-f]{7}$/.test(text.replaceAll(/&nbsp;|\\/g, ' ')),
        );
      },
      60_000,
    );
    await vscode.commands.executeCommand('durant.stopComparing');
    assert.deepEqual(await hover(), []);
  });

  it('lists and opens files of a server when they are opened, read-only, and compares with them', async () => {
    const first = await server(0);
    const [one] = world.servers;
    assert.ok(one);
    const [files] = await stages.rows(first);
    assert.deepEqual(
      (await stages.rows(files)).map(({ label }) => label),
      ['List This Folder'],
    );
    await stages.open(first);
    await stages.open(files ?? assert.fail());
    const current = await stages.row(/^current → releases\/\d{14}-/, files);
    await stages.open(current);
    const index = await stages.row(/^index\.html 4 B · /, current);
    await vscode.commands.executeCommand('durant.server.openFile', index.node);
    const document = await waitFor('the file', () => {
      const active = vscode.window.activeTextEditor?.document;
      return active?.uri.scheme === 'durant' ? active : undefined;
    });
    assert.equal(document.getText(), 'two\n');
    assert.equal(vscode.workspace.fs.isWritableFileSystem('durant'), false);

    // Somebody has edited it there.
    const live = join(one.home, 'views', 'current', 'index.html');
    writeFileSync(live, 'edited there\n');
    hands.reply(/^Server of production$/, one.entry);
    const file = vscode.Uri.file(join(world.project.directory, 'index.html'));
    await vscode.commands.executeCommand('durant.compareWithServer', file);
    const tab = await waitFor('the comparison', () => {
      const active = vscode.window.tabGroups.activeTabGroup.activeTab;
      return active?.input instanceof vscode.TabInputTextDiff ? active : undefined;
    });
    assert.equal(tab.label, `index.html: on ${one.entry} ↔ here`);
    const { original } = tab.input as vscode.TabInputTextDiff;
    assert.equal((await vscode.workspace.openTextDocument(original)).getText(), 'edited there\n');
    writeFileSync(live, 'two\n');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('compares a folder with what is live: all files that differ, in one editor', async () => {
    writeProject(world, 'new.txt', 'new\n');
    // VS Code's git finds the project once a file of it is open, and its new file a moment later.
    await vscode.window.showTextDocument(vscode.Uri.file(join(world.project.directory, 'index.html')));
    const label = await waitFor('the comparison', async () => {
      await vscode.commands.executeCommand('durant.compareFolder', vscode.Uri.file(world.project.directory));
      const { activeTab } = vscode.window.tabGroups.activeTabGroup;
      return activeTab?.label.includes('live on production') === true ? activeTab.label : undefined;
    });
    assert.match(label, /^views: live on production ↔ here/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(join(world.project.directory, 'new.txt'));
  });

  it('shows the record of a release, read-only', async () => {
    const old = await stages.row(/ · First$/, await releases());
    await vscode.commands.executeCommand('durant.release.showRecord', old.node);
    const document = await waitFor('the record', () => {
      const active = vscode.window.activeTextEditor?.document;
      return active?.uri.scheme === 'durant-record' ? active : undefined;
    });
    assert.match(document.getText(), /^subject = "First"$/m);
    assert.match(document.getText(), /^state = "finished"$/m);
  });

  it('copies the commit, the address, and the command that does the same', async () => {
    const first = await server(0);
    const old = await stages.row(/ · First$/, await releases());
    await vscode.commands.executeCommand('durant.release.copyCommit', old.node);
    assert.match((await hands.sees(/^Copied: /)).text, /^Copied: [0-9a-f]{40}$/);
    hands.forget();
    await vscode.commands.executeCommand('durant.server.copyAddress', first.node);
    assert.equal((await hands.sees(/^Copied: /)).text, `Copied: ${world.servers[0]?.entry ?? ''}`);
  });

  it('copies a command that a terminal deploys the same with', async () => {
    await vscode.commands.executeCommand('durant.stage.copyCli', (await stages.row(/^production/)).node);
    const { text } = await hands.sees(/^Copied: durant /);
    const command = text.slice('Copied: durant '.length);
    const extension = vscode.extensions.getExtension('durant.durant')?.extensionPath ?? '';
    const ssh = vscode.workspace.getConfiguration('durant').get('sshPath', '');
    execFileSync(
      'sh',
      ['-c', `${JSON.stringify(process.execPath)} ${join(extension, 'dist', 'cli.cjs')} ${command}`],
      {
        cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
        env: { ...process.env, PATH: `${dirname(ssh)}:${process.env['PATH'] ?? ''}` },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    for (const each of world.servers) assert.equal(world.live(each, 'index.html'), 'three\n');
    await vscode.commands.executeCommand('durant.stage.refresh', world.stage);
  });

  it('rolls back to the release that was clicked', async () => {
    const first = await stages.row(/ · First$/, await releases());
    const before = world.release(world.servers[0] ?? assert.fail());
    await vscode.commands.executeCommand('durant.release.rollback', first.node);
    const question = await hands.sees(/^Roll back production\?$/);
    assert.ok(question.modal);
    assert.match(
      question.detail,
      /These commits are undone:\n• [0-9a-f]{7} Third \(.*\n• [0-9a-f]{7} Second/,
    );
    assert.equal(world.release(world.servers[0] ?? assert.fail()), before);
    assert.equal(hands.statusBar(), '$(circle-slash) production: not confirmed');
    hands.forget();
    hands.reply(/^Roll back production\?$/, 'Roll Back');
    await vscode.commands.executeCommand('durant.release.rollback', first.node);
    const said = await hands.sees(/^production is rolled back: /);
    assert.deepEqual(said.choices, ['Show Output', 'Undo']);
    for (const each of world.servers) assert.equal(world.live(each, 'index.html'), 'one\n');
    const live = await stages.row(/ · First$/, await releases());
    assert.match(live.icon, /live-(light|dark)\.svg/);
    const third = await stages.row(/ · Third$/, await releases());
    assert.equal(third.icon, 'circle-slash');
    assert.match(third.context, /\bnewer\b/);
  });

  it('makes a newer release live again, and undoes that', async () => {
    hands.reply(/^The release to go back to/, 'Third');
    hands.reply(/^Make the newer release of production live again\?$/, 'Make Live Again');
    hands.reply(/ is live again on /, 'Undo');
    hands.reply(/^Roll back production\?$/, 'Roll Back');
    const [one] = world.servers;
    assert.ok(one);
    await vscode.commands.executeCommand('durant.rollback', world.stage);
    const { choices } = await hands.sees(/^The release to go back to/);
    assert.deepEqual(choices, [
      'Newer than what is live: make live again',
      'Third',
      'Second [x](command:y)',
      'Older: roll back to',
    ]);
    assert.match(
      (await hands.sees(/^Make the newer/)).detail,
      /These commits go live again:\n• [0-9a-f]{7} Third/,
    );
    assert.deepEqual((await hands.sees(/ is live again on /)).choices, ['Show Output', 'Undo']);
    await hands.sees(/^production is rolled back: /);
    assert.equal(world.live(one, 'index.html'), 'one\n');
  });

  it('offers the releases that every server has, and goes back to the one picked', async () => {
    hands.reply(/^The release to go back to/, 'Third');
    hands.reply(/^Make the newer/, 'Make Live Again');
    await vscode.commands.executeCommand('durant.rollback', world.stage);
    const { choices } = await hands.sees(/^The release to go back to/);
    assert.ok(choices.includes('Second [x](command:y)'));
    await hands.sees(/ is live again on /);
    for (const each of world.servers) assert.equal(world.live(each, 'index.html'), 'three\n');
  });

  it('shows one server that cannot be reached as that, with its remedy, and all of the others', async () => {
    const [good] = world.servers;
    const port = await freePort();
    const nobody = `${good?.user ?? ''}@127.0.0.1:${String(port)}`;
    await world.write(
      `[production]\nrepository: .\nproject_dir: ~/views\nconnect_timeout: 20\nserver:\n    ${nobody}\n    ${good?.entry ?? ''}\n`,
    );
    const stage = await stages.row(/^production/);
    await waitFor('the new list of servers', async () =>
      (await stages.rows(stage)).some(({ label }) => label === nobody),
    );
    await vscode.commands.executeCommand('durant.stage.refresh', stage.node);
    const bad = await stages.row(/not reached/, stage);
    assert.equal(bad.label, nobody);
    assert.equal(bad.icon, 'error');
    const [error] = await stages.rows(stage);
    assert.equal(error?.context, 'error');
    assert.ok(error.label.startsWith(`${nobody}: `), error.label);
    assert.match(`${error.label}${error.tooltip}`, /cannot be reached|refused/);
    assert.equal((await stages.rows(await releases())).length, 3);
    assert.equal((await stages.row(/^production/)).icon, 'warning');
    await world.configure('');
    await vscode.commands.executeCommand('durant.error.retry', error.node);
    await waitFor('no error', async () => !(await stages.text()).includes('not reached'));
  });

  it('shows a stage that cannot even be asked as an error with a remedy', async () => {
    await world.write('[production]\nrepository: .\nproject_dir: ~/views\nserver: sh!exit 3\n');
    await waitFor('the new text', async () => {
      await vscode.commands.executeCommand('durant.stage.refresh', world.stage);
      return (await stages.text()).includes('sh!exit 3') || /exit|status 3/.test(await stages.text());
    });
    const stage = await stages.row(/^production/);
    const [error] = await stages.rows(stage);
    assert.equal(error?.context, 'error');
    await world.configure('');
    await vscode.commands.executeCommand('durant.error.retry', error.node);
    await waitFor('the releases', async () => / · First\]/.test(await stages.text()));
  });
});
