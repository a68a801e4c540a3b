/** Verify, Hold…, Promote…, Set Up Server… and Take Down… on a server of one's own, as the palette and the tree have them. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from '../support/wait.ts';
import { hands, stages, treeOf } from './rig/hands.ts';
import { makeWorld, type World } from './rig/world.ts';

const history = treeOf('durant.history');

describe('a deployed stage in the editor', () => {
  let world: World;
  let staging: { readonly file: string; readonly stage: string };

  before(async () => {
    world = await makeWorld('kept', { servers: 1 });
    staging = { file: world.file, stage: 'staging' };
    await world.configure(other());
    await stages.row(/^staging/);
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    await hands.sees(/^production is live/);
  });

  beforeEach(() => {
    hands.forget();
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await world.end();
  });

  const other = (): string =>
    `[staging]\nrepository: .\nproject_dir: ~/kept-staging\nspare: no\nserver: ${world.servers[0]?.entry ?? ''}`;
  const home = (): string => world.servers[0]?.home ?? '';
  const shownText = (name: RegExp): Promise<string> =>
    waitFor('the text', () => {
      const document = vscode.window.activeTextEditor?.document;
      return document?.uri.scheme === 'durant-text' && name.test(document.uri.path)
        ? document.getText()
        : undefined;
    });

  it('is verified: as it was deployed, or what is otherwise, in a text to read', async () => {
    await vscode.commands.executeCommand('durant.verify', world.stage);
    await hands.sees(/^production: \S+ is byte for byte what was deployed, on 1 server\.$/);
    hands.forget();
    const file = join(home(), 'kept', 'current', 'index.html');
    writeFileSync(file, 'by hand\n');
    hands.reply(/^production: 1 difference/, 'Show Differences');
    const row = await stages.row(/^127\.0\.0\.1|^\S+@/, await stages.row(/^production/));
    await vscode.commands.executeCommand('durant.server.verify', row.node);
    assert.equal((await hands.sees(/^production: 1 difference/)).kind, 'warning');
    assert.match(await shownText(/^\/Differences of production\.txt$/), /\n {2}changed +index\.html\n$/);
    writeFileSync(file, 'one\n');
  });

  it('is held with a reason, which the tree shows and a deploy meets, until it is released', async () => {
    hands.reply(/^Hold production$/, 'the board looks at it');
    hands.reply(/^Until when\?$/, 'For 4 hours');
    await vscode.commands.executeCommand('durant.hold', world.stage);
    await hands.sees(/^production is held/);
    const row = await stages.row(/^production .* · held: the board looks at it/);
    assert.match(row.context, /\bheld\b/);
    assert.match(row.tooltip, /Held&nbsp;until/);
    hands.forget();
    world.project.commit({ message: 'Second', files: { 'index.html': 'two\n' } });
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    const { choices } = await hands.sees(/the board looks at it/);
    assert.deepEqual(choices, ['Release Hold…', 'Retry', 'Show Output']);
    assert.equal(hands.statusBar(), '$(debug-pause) production: held');

    // Not without an answer.
    await vscode.commands.executeCommand('durant.unhold', world.stage);
    const { detail, modal } = await hands.sees(/^Let production be deployed to again\?$/);
    assert.equal(modal, true);
    assert.match(detail, /the board looks at it/);
    assert.ok(existsSync(join(home(), 'kept', '.durant', 'hold')));
    hands.reply(/^Let production/, 'Release Hold');
    await vscode.commands.executeCommand('durant.unhold', world.stage);
    await hands.sees(/^production can be deployed to again\.$/);
    assert.match((await stages.row(/^production (?!.*held)/)).context, /\bunheld\b/);
  });

  it('is promoted to another stage, which is chosen by what would go live there', async () => {
    hands.reply(/^The stage that gets/, 'staging');
    await vscode.commands.executeCommand('durant.promote', world.stage);
    await hands.sees(/^staging is live/);
    assert.equal(readdirSync(join(home(), 'kept-staging', 'releases')).length, 1);
    await vscode.commands.executeCommand('durant.deploy', world.stage);
    await hands.sees(/^production is live/);
    hands.forget();
    // Nobody picks: nothing happens.
    await vscode.commands.executeCommand('durant.promote', world.stage);
    assert.match((await hands.sees(/^The stage that gets/)).detail, /1 commit to go live: Second$/);
    assert.equal(readdirSync(join(home(), 'kept-staging', 'releases')).length, 1);
  });

  it('has a history, with who, when, which commits and errors, and what went live between two of its runs', async () => {
    await vscode.commands.executeCommand('durant.history');
    const all = await history.rows();
    const labels = all.map(({ label }) => label);
    for (const wanted of [
      'production: deployed',
      'production: held',
      'production: hold released',
      'staging: promoted',
    ])
      assert.ok(labels.includes(wanted), `${wanted}\n${labels.join('\n')}`);
    const second = await history.row(
      /^production: deployed [0-9a-f]{7} → [0-9a-f]{7} · (?:just now|\d min ago) · \S+@\S+ · [\d.]+ m?s$/,
    );
    assert.match(second.context, /\blogged\b/);
    assert.match((await history.row(/^Second/, second)).description, /^[0-9a-f]{7} · /);
    await vscode.commands.executeCommand('durant.history.log', second.node);
    assert.match(await shownText(/\.log$/), /production │ deploy on .*\n(.*\n)*.* done: /);

    const first = all.filter(({ label }) => label === 'production: deployed').at(-1);
    await vscode.commands.executeCommand('durant.history.between', second.node, [second.node, first?.node]);
    const text = await shownText(/\.md$/);
    assert.match(text, /^# What went live on production\n/);
    assert.match(text, /\n## Commits \(1\)\n\n- `[0-9a-f]{7}` Second — /);
    assert.match(text, /\n\| [^|]+ \| held \| /);

    // Another run of this window is there without being asked for.
    hands.reply(/^Roll back production\?$/, 'Roll Back');
    await vscode.commands.executeCommand('durant.rollback', { ...world.stage, release: 'previous' });
    const back = await history.row(/^production: rolled back /);
    assert.equal(back.icon, 'discard');
    assert.match((await history.row(/^Second/, back)).description, /^[0-9a-f]{7} · /);
    await vscode.commands.executeCommand('durant.lanes');
    await vscode.commands.executeCommand('durant.lanes');
    await waitFor('the picture', () => {
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
      return tab?.input instanceof vscode.TabInputWebview && tab.label === 'Durant: History';
    });
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    assert.equal(tabs.filter(({ label }) => label === 'Durant: History').length, 1);
  });

  it('is compared with another stage: commits, files and options, with Promote beside it', async () => {
    await vscode.commands.executeCommand('durant.deploy', staging);
    await hands.sees(/^staging is live/);
    hands.forget();
    await vscode.commands.executeCommand('durant.compareStages', staging);
    const text = await shownText(/^\/staging and production\.md$/);
    assert.match(text, /^# staging and production\n/);
    assert.match(text, /## Commits only on staging \(1\)\n\n- `[0-9a-f]{7}` Second — /);
    assert.match(text, /## Commits only on production \(0\)\n/);
    assert.match(text, /## Files \(1\)\n\n- changed: index\.html\n/);
    assert.match(text, /\n\| `project_dir` \| \\~\/kept-staging \| \\~\/kept \|\n/);
    const { choices } = await hands.sees(/^staging has [0-9a-f]{7} live, production has [0-9a-f]{7}\.$/);
    assert.deepEqual(choices, ['Open All Changes', 'Promote to production', 'Promote to staging']);
  });

  it('says in a lens what an unsaved change of durant.conf would do', async () => {
    const document = await vscode.workspace.openTextDocument(world.file);
    await vscode.window.showTextDocument(document);
    const effects = async (): Promise<readonly string[]> => {
      const lenses = await vscode.commands.executeCommand<readonly vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
      );
      return lenses.flatMap(({ command }) =>
        command?.title.startsWith('$(lightbulb)') === true ? [command.title] : [],
      );
    };
    assert.deepEqual(await effects(), []);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(1, 0), 'branch: other\nprotected: yes\n');
    await vscode.workspace.applyEdit(edit);
    assert.deepEqual(await effects(), ['$(lightbulb) would deploy other · every run would be asked about']);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    assert.deepEqual(await effects(), []);
  });

  it('has a script that sets up its servers, to read and to copy', async () => {
    hands.reply(/^Read it, then run it as root/, 'Copy Script');
    await vscode.commands.executeCommand('durant.setup', world.stage);
    const text = await shownText(/^\/setup production\.sh$/);
    assert.match(text, /^#!?.*\n/);
    await hands.sees(/^The script is copied\.$/);
    assert.equal(await vscode.env.clipboard.readText(), text);
  });

  it('gets a maintenance page only after a question, and only where it has a site', async () => {
    await vscode.commands.executeCommand('durant.maintenanceOn');
    await hands.sees(/^No stage of durant\.conf names its site/);
    await world.configure(`domain_name: shop.test\n${other()}`);
    const row = await waitFor('the site', async () => {
      const found = await stages.row(/^production/);
      return /\bserved\b/.test(found.context) ? found : undefined;
    });
    await vscode.commands.executeCommand('durant.stage.maintenanceOn', row.node);
    const { modal, choices } = await hands.sees(/^Show visitors of production the maintenance page\?$/);
    assert.deepEqual([modal, choices], [true, ['Maintenance On']]);
    assert.equal(hands.shown().length, 1 + 1);
    hands.reply(/^Show visitors/, 'Maintenance On');
    await vscode.commands.executeCommand('durant.stage.maintenanceOn', row.node);
    await hands.sees(/^production: No server of \[production\] has a /);
    await world.configure(other());
  });

  it('is taken down once its name has been typed, and not by another word', async () => {
    hands.reply(/^Its units, site, releases/, 'Keep shared/');
    hands.reply(/^Take staging down\?$/, 'yes');
    await vscode.commands.executeCommand('durant.down', staging);
    await hands.sees(/^staging: cancelled/);
    assert.ok(existsSync(join(home(), 'kept-staging', 'current')));
    hands.forget();
    hands.reply(/^Its units, site, releases/, 'Keep shared/');
    hands.reply(/^Take staging down\?$/, 'staging');
    await vscode.commands.executeCommand('durant.down', staging);
    await hands.sees(/^staging is taken down/);
    assert.equal(existsSync(join(home(), 'kept-staging', 'current')), false);
    assert.match((await stages.row(/^staging/)).description, /nothing deployed yet/);
  });
});
