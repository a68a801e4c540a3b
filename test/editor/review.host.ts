/** A dry run ends in a review: what would be deleted first, and each file to look at, and then the deploy of just that. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from '../support/wait.ts';
import { hands, review } from './rig/hands.ts';
import { makeWorld, writeProject, type World } from './rig/world.ts';

/** Folders where the extension keeps what dry runs built, in what the editor keeps of its own beside the home folder. */
function copiesOfBuilds(): readonly string[] {
  const scratch = dirname(process.env['HOME'] ?? '');
  return readdirSync(scratch, { recursive: true, encoding: 'utf8' })
    .filter((path) => /durant\.durant[\\/]built[\\/]run-[^\\/]*$/.test(path))
    .map((path) => join(scratch, path));
}

describe('the review of a dry run', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('reviews', { servers: 1 });
    await world.configure('after_symlink: echo hello');
  });

  afterEach(async () => {
    hands.forget();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  after(async () => {
    await world.end();
  });

  const dryRun = (): Thenable<unknown> => vscode.commands.executeCommand('durant.dryRun', world.stage);
  const live = (): string | undefined => {
    const [server] = world.servers;
    return server === undefined ? undefined : world.live(server, 'index.html');
  };

  it('of a first deploy has new files only', async () => {
    await dryRun();
    assert.equal(live(), undefined);
    assert.match((await review.rows()).map(({ label }) => label).join('\n'), /2 files added/);
    assert.match(review.view().message ?? '', /2 to add\. Nothing was changed\./);
    await vscode.commands.executeCommand('durant.review.openAll');
    await waitFor('the new files', () => vscode.window.tabGroups.activeTabGroup.activeTab);
    await vscode.commands.executeCommand('durant.review.deploy');
    await hands.sees(/ is live: /);
    assert.equal(live(), 'one\n');
    assert.deepEqual(await review.rows(), []);
  });

  it('lists deletions first and loud, then what changes', async () => {
    world.project.commit({
      message: 'Second',
      files: { 'index.html': 'two\n', 'old.txt': null, 'new/page.html': 'new\n' },
    });
    await dryRun();
    const labels = (await review.rows()).map(({ label }) => label);
    assert.deepEqual(labels.slice(-3), ['1 file deleted', '1 file changed', '1 file added']);
    assert.equal(review.view().badge?.value, 1);
    assert.match(review.view().title ?? '', /^Dry Run: production$/);
    const commands = await review.row(/^Commands/);
    assert.match((await review.row(/echo hello/, commands)).description, /after_symlink/);
    const steps = await review.row(/^Steps/);
    const states = (await review.rows(steps)).map(({ description }) => description);
    assert.ok(states.some((state) => state.includes('pending')));
    assert.equal(live(), 'one\n');
  });

  it('opens a file as live against new', async () => {
    const changed = await review.row(/1 file changed/);
    const file = await review.row(/^index\.html/, changed);
    await vscode.commands.executeCommand('durant.review.openFile', file.node);
    const input = await waitFor('the difference', () => {
      const open = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return open instanceof vscode.TabInputTextDiff ? open : undefined;
    });
    const text = async (uri: vscode.Uri): Promise<string> =>
      (await vscode.workspace.openTextDocument(uri)).getText();
    assert.deepEqual([await text(input.original), await text(input.modified)], ['one\n', 'two\n']);
  });

  it('opens all changes at once', async () => {
    await vscode.commands.executeCommand('durant.review.openAll');
    const label = await waitFor('all changes', () => {
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
      return tab?.label.includes('production') === true ? tab.label : undefined;
    });
    assert.match(label, /^production: live [0-9a-f]{7} ↔ [0-9a-f]{7}/);
  });

  it('deploys the commit that was reviewed, even where the branch has moved on', async () => {
    world.project.commit({ message: 'Third', files: { 'index.html': 'three\n' } });
    writeProject(world, 'index.html', 'not committed\n');
    hands.reply(/^This review is out of date/, 'Deploy Anyway');
    await vscode.commands.executeCommand('durant.review.deploy');
    assert.match((await hands.sees(/^Some of your work/)).detail, /^• index\.html — not committed$/);
    world.project.git('checkout', '-q', '--', '.');
    // VS Code's git may have seen the new commit by now: then it is asked about.
    hands.reply(/^This review is out of date/, 'Deploy Anyway');
    await vscode.commands.executeCommand('durant.review.deploy');
    await hands.sees(/ is live: /);
    assert.equal(live(), 'two\n');
    const [server] = world.servers;
    const record = join(
      server?.home ?? '',
      'reviews',
      '.durant',
      'releases',
      `${world.release(server ?? assert.fail()) ?? ''}.ini`,
    );
    assert.match(readFileSync(record, 'utf8'), /^branch = "main"$/m);
  });

  it('says it where nothing would change', async () => {
    world.project.git('reset', '-q', '--hard', 'HEAD~1');
    await dryRun();
    assert.match(review.view().message ?? '', /is live already\. A deploy would change nothing\./);
    await vscode.commands.executeCommand('durant.review.close');
    assert.deepEqual(await review.rows(), []);
  });

  it('is out of date once something else is live, and says so before it deploys', async () => {
    world.project.commit({ message: 'Later', files: { 'index.html': 'later\n' } });
    await dryRun();
    assert.doesNotMatch(review.view().message ?? '', /Out of date/);
    hands.reply(/^Roll back production\?/, 'Roll Back');
    await vscode.commands.executeCommand('durant.rollback', { ...world.stage, release: 'previous' });
    await hands.sees(/ is rolled back: /);
    await waitFor('the review to notice', () =>
      /^Out of date\. Something else is live now than what it was compared with\. /.test(
        review.view().message ?? '',
      ),
    );
    assert.equal(review.view().description, 'out of date');
    hands.reply(/^This review is out of date/, 'Review Again');
    await vscode.commands.executeCommand('durant.review.deploy');
    assert.doesNotMatch(review.view().message ?? '', /Out of date/);
    assert.notEqual(live(), 'later\n');
    await world.configure('after_symlink: echo hello\nkeep_releases: 7');
    await waitFor('the review to notice', () =>
      /^Out of date\. durant\.conf /.test(review.view().message ?? ''),
    );
    world.project.git('reset', '-q', '--hard', 'HEAD~1');
    await vscode.commands.executeCommand('durant.review.close');
  });

  it('deploys by its plan: nothing where a file on the server is no longer what was deployed', async () => {
    const [server] = world.servers;
    assert.ok(server);
    world.project.commit({ message: 'By plan', files: { 'index.html': 'by plan\n' } });
    await dryRun();
    const file = join(server.home, 'reviews', 'current', 'index.html');
    const deployed = readFileSync(file, 'utf8');
    writeFileSync(file, 'changed by hand\n');
    hands.forget();
    await vscode.commands.executeCommand('durant.review.deploy');
    const { kind, text, choices } = await hands.sees(/The plan is stale: index\.html was changed on /);
    assert.equal(kind, 'error');
    assert.doesNotMatch(text, /--out/);
    assert.deepEqual(choices, ['Review Again', 'Deploy Anyway', 'Show Output']);
    assert.equal(live(), 'changed by hand\n');
    writeFileSync(file, deployed);
    const shown = review.view().message;
    hands.reply(/The plan is stale: REVISION/, 'Review Again');
    const revision = join(server.home, 'reviews', 'current', 'REVISION');
    const id = readFileSync(revision, 'utf8');
    writeFileSync(revision, 'nobody\n');
    await vscode.commands.executeCommand('durant.review.deploy');
    await hands.sees(/The plan is stale: REVISION/);
    writeFileSync(revision, id);
    await waitFor('the dry run again', () =>
      hands
        .shown()
        .some(({ kind: sort, text: said }) => sort === 'progress' && said.startsWith('Dry run of ')),
    );
    await waitFor('its review', () => !hands.statusBar().includes('sync~spin'));
    assert.equal(review.view().message, shown);
    await vscode.commands.executeCommand('durant.review.deploy');
    await hands.sees(/ is live: /);
    assert.equal(live(), 'by plan\n');
  });

  it('does not come where the dry run failed', async () => {
    await world.configure('branch: nowhere');
    await dryRun();
    assert.match((await hands.sees(/nowhere/)).kind, /error/);
    assert.deepEqual(await review.rows(), []);
  });

  it('lists what before_deploy makes once it is asked to build, and shows its new side', async () => {
    await world.configure('sub_directory: dist\nbefore_deploy: mkdir dist; echo built > dist/app.js');
    hands.forget();
    await dryRun();
    assert.match(
      review.view().message ?? '',
      /would go live\. No file is listed: before_deploy makes all that is sent\. Nothing was changed\.$/,
    );
    const build = await review.row(/^Build and List Files/);
    assert.equal(build.icon, 'tools');
    hands.reply(/^No file is listed/, 'Build and List Files');
    await vscode.commands.executeCommand('durant.review.openAll');
    await hands.sees(/before_deploy/);
    assert.match(
      review.view().message ?? '',
      /would go live: 2 to delete, 1 to add\. Nothing was changed\.$/,
    );
    assert.ok(hands.shown().some(({ kind, choices }) => kind === 'progress' && choices.includes('Cancel')));
    const added = await review.row(/1 file added/);
    const file = await review.row(/^app\.js/, added);
    await vscode.commands.executeCommand('durant.review.openFile', file.node);
    const uri = await waitFor('the file', () => {
      const open = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return open instanceof vscode.TabInputText ? open.uri : undefined;
    });
    assert.equal((await vscode.workspace.openTextDocument(uri)).getText(), 'built\n');
    const [copies, ...others] = copiesOfBuilds();
    assert.ok(copies !== undefined && others.length === 0);
    assert.equal(statSync(copies).mode & 0o777, 0o700);
    await vscode.commands.executeCommand('durant.review.openAll');
    const all = await waitFor('all changes', () => {
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
      return tab?.label.includes('↔') === true ? tab : undefined;
    });
    assert.match(all.label, /^production: live [0-9a-f]{7} ↔ [0-9a-f]{7}/);
  });

  it('deploys what was built for the review, built anew', async () => {
    const [server] = world.servers;
    assert.ok(server);
    assert.equal(world.live(server, 'app.js'), undefined);
    await vscode.commands.executeCommand('durant.review.deploy');
    await hands.sees(/ is live: /);
    assert.equal(world.live(server, 'app.js'), 'built\n');
    assert.deepEqual(await review.rows(), []);
    assert.deepEqual(copiesOfBuilds(), []);
  });

  it('says of what an earlier deploy built that no commit has it', async () => {
    await world.configure('before_deploy: echo built > app.js');
    world.project.git('commit', '-q', '--allow-empty', '-m', 'Fourth');
    hands.forget();
    await dryRun();
    assert.match(review.view().message ?? '', /not listed, or is listed as deleted\.$/);
    const deleted = await review.row(/file deleted/);
    const file = await review.row(/^app\.js/, deleted);
    await vscode.commands.executeCommand('durant.review.openFile', file.node);
    await hands.sees(/^app\.js was built by an earlier deploy: no commit has it\.$/);
    await vscode.commands.executeCommand('durant.review.build');
    assert.ok(!(await review.rows()).some(({ label }) => label === 'Build and List Files'));
    assert.equal(copiesOfBuilds().length, 1);
    await vscode.commands.executeCommand('durant.review.close');
    assert.deepEqual(copiesOfBuilds(), []);
  });
});
