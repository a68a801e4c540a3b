/** A deploy from the editor to two real servers, as its user sees it: progress, tree, output, questions, the message at its end. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { formatLock } from '../../src/engine/server/record.ts';
import { waitFor } from '../support/wait.ts';
import { hands, output, stages } from './rig/hands.ts';
import { makeWorld, setting, type World } from './rig/world.ts';

describe('a deploy from the editor', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'durant-deploys-'));
  let world: World;
  let commits = 0;

  before(async () => {
    world = await makeWorld('deploys', { servers: 2 });
  });

  beforeEach(async () => {
    await world.configure('');
    hands.forget();
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(scratch, { recursive: true, force: true });
    await world.end();
  });

  /** Commits a page of its own, and gives its text. */
  function change(): string {
    commits += 1;
    const text = `page ${String(commits)}\n`;
    world.project.commit({ message: `Page ${String(commits)}`, files: { 'index.html': text } });
    return text;
  }

  async function deploy(): Promise<void> {
    await vscode.commands.executeCommand('durant.deploy', world.stage);
  }

  /** A hook that says that it has begun, and ends when it is told to. */
  function gate(name: string): {
    readonly hook: string;
    readonly begun: Promise<unknown>;
    readonly open: () => void;
  } {
    const [begun, go] = [join(scratch, `${name}-begun`), join(scratch, `${name}-go`)];
    return {
      hook: `touch ${begun}; while [ ! -e ${go} ]; do sleep 0.05; done`,
      begun: waitFor(`${name} to begin`, () => existsSync(begun), 60_000),
      open: () => {
        writeFileSync(go, '');
      },
    };
  }

  const pages = (): readonly (string | undefined)[] =>
    world.servers.map((server) => world.live(server, 'index.html'));

  it('makes the commit live on every server, and says so once', async () => {
    const page = change();
    await world.configure('before_deploy: echo built on "$(uname -s)"');
    await deploy();
    const said = await hands.sees(/ is live: /);
    assert.deepEqual(pages(), [page, page]);
    // The folder is named where the editor knows another durant.conf, as one that an earlier test has just removed.
    assert.match(said.text, /^production(?: \(workspace\/deploys\))? is live: \S+ on 2 servers \(.+\)\.$/);
    assert.equal(said.kind, 'information');
    // It is the first: there is nothing to go back to.
    assert.deepEqual(said.choices, ['Show Output']);
    const progress = hands.shown().filter(({ kind }) => kind === 'progress');
    assert.ok(progress.every(({ choices }) => choices.includes('Cancel')));
    assert.ok(
      progress.some(({ text }) =>
        /^Deploying production: Send (files|\d+ of \d+ files) on \d of 2 servers · \d+ %/.test(text),
      ),
      progress.map(({ text }) => text).join('\n'),
    );
    assert.equal(hands.shown().length, progress.length + 1);
    const log = await output(/done: \d{14}-/);
    const [first] = world.servers;
    assert.match(log, /production │ {3}built on /);
    assert.ok(log.includes(`production · ${first?.entry ?? ''} │ update_code done`), log);
  });

  it('shows in the tree what happens while it happens', async () => {
    change();
    const { hook, begun, open } = gate('live');
    await world.configure(`after_symlink: ${hook}`);
    const run = deploy();
    await begun;
    const stage = await stages.row(/^production deploying · [^·]+ · \d+ %$/);
    assert.match(stage.context, /\bstage\b.*\brunning\b/);
    assert.equal(stage.icon, 'loading~spin');
    const working = (await stages.rows(stage)).filter(({ context }) => context.startsWith('server '));
    assert.equal(working.length, 2);
    assert.ok(working.some(({ icon, description }) => icon === 'sync~spin' && description !== ''));
    open();
    await run;
    assert.deepEqual((await hands.sees(/ is live: /)).choices, ['Show Output', 'Roll Back']);
    const after = await stages.row(/^production [0-9a-f]{7} · /);
    assert.match(after.context, /\bidle\b/);
  });

  it('goes on when durant.conf is deleted meanwhile, and then says what is missing', async () => {
    const page = change();
    const { hook, begun, open } = gate('deleted');
    await world.configure(`before_deploy: ${hook}`);
    const run = deploy();
    await begun;
    await vscode.workspace.fs.delete(vscode.Uri.file(world.file));
    open();
    await run;
    await hands.sees(/ is live: /);
    assert.deepEqual(pages(), [page, page]);
    hands.forget();
    await deploy();
    const said = await hands.sees(/durant\.conf cannot be read/);
    assert.equal(said.kind, 'error');
    assert.match(said.text, /Put it back, or run Durant: Create durant\.conf\./);
  });

  it('offers to try again where a command failed, and does', async () => {
    const page = change();
    await world.configure(`before_deploy: test -e ${scratch}/again || { touch ${scratch}/again; exit 3; }`);
    hands.reply(/^production: /, 'Retry');
    await deploy();
    const said = await hands.sees(/before_deploy/);
    assert.deepEqual([said.kind, said.choices], ['error', ['Open Configuration', 'Retry', 'Show Output']]);
    await hands.sees(/ is live: /);
    assert.deepEqual(pages(), [page, page]);
  });

  it('opens durant.conf at the line that a failure is about', async () => {
    await world.configure('# nothing here\nbranch: nowhere');
    hands.reply(/nowhere/, 'Open Configuration');
    await deploy();
    assert.deepEqual((await hands.sees(/nowhere/)).choices, ['Open Configuration', 'Retry', 'Show Output']);
    const line = await waitFor('durant.conf at branch', () => {
      const editor = vscode.window.activeTextEditor;
      if (editor?.document.uri.fsPath !== world.file) return undefined;
      return editor.document.lineAt(editor.selection.active.line).text;
    });
    assert.equal(line, 'branch: nowhere');
  });

  it('unlocks what another person has locked, once the user has seen who', async () => {
    const [first] = world.servers;
    const state = join(first?.home ?? '', 'deploys', '.durant');
    mkdirSync(state, { recursive: true });
    const lock = join(state, 'lock');
    writeFileSync(
      lock,
      formatLock({
        run: '20260101000000-abcdef01',
        stage: 'production',
        user: 'grace',
        host: 'elsewhere',
        started: '2026-01-01T00:00:00Z',
        action: 'deploy',
        message: 'wait [for](command:workbench.action.quit) me',
      }),
    );
    change();
    hands.reply(/grace/, 'Unlock…');
    hands.reply(/^Remove the lock on /, undefined);
    await deploy();
    assert.deepEqual((await hands.sees(/grace/)).choices, [
      'Unlock…',
      'Wait and Deploy',
      'Retry',
      'Show Output',
    ]);
    assert.equal(hands.statusBar(), '$(lock) production: locked');
    const question = await hands.sees(/^Remove the lock on /);
    assert.ok(question.modal);
    assert.match(question.detail, /grace@elsewhere holds it for a deploy that began /);
    assert.ok(existsSync(lock));
    const stage = await stages.row(/^production/);
    const blocked = await stages.row(/locked by grace@elsewhere \(deploy, /, stage);
    assert.match(blocked.context, /\bblocked\b/);
    hands.reply(/^Remove the lock on /, 'Unlock');
    await vscode.commands.executeCommand('durant.stage.unlock', blocked.node);
    await hands.sees(/^The lock of production is removed on /);
    assert.ok(!existsSync(lock));
    await deploy();
    await hands.sees(/ is live: /);
  });

  it('asks before a protected stage, with the commits that go live', async () => {
    const [before] = pages();
    const page = change();
    await world.configure('protected: yes');
    await deploy();
    const question = hands.shown().find(({ modal }) => modal);
    assert.equal(question?.text, 'Deploy to production?');
    assert.deepEqual(question.choices, ['Deploy']);
    assert.match(question.detail, /• [0-9a-f]{7} Page \d+ \(Ada/);
    assert.deepEqual(pages(), [before, before]);
    hands.forget();
    hands.reply(/^Deploy to production/, 'Deploy');
    await deploy();
    await hands.sees(/ is live: /);
    assert.deepEqual(pages(), [page, page]);
  });

  it('asks before any stage where the setting says so', async () => {
    await setting('confirm', 'always');
    try {
      const [before] = pages();
      change();
      await deploy();
      assert.ok(hands.shown().some(({ modal, choices }) => modal && choices[0] === 'Deploy'));
      assert.deepEqual(pages(), [before, before]);
    } finally {
      await setting('confirm', undefined);
    }
  });

  it('says which work would not be part of it', async () => {
    const document = await vscode.workspace.openTextDocument(join(world.project.directory, 'old.txt'));
    await vscode.window.showTextDocument(document);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), 'unsaved ');
    await vscode.workspace.applyEdit(edit);
    writeFileSync(join(world.project.directory, 'new.txt'), 'new\n');
    const page = change();
    hands.reply(/^Some of your work/, 'Commit…');
    await deploy();
    const said = await hands.sees(/^Some of your work on main would not be part of this deploy\.$/);
    assert.ok(said.modal);
    assert.deepEqual(said.choices, ['Commit…', 'Show Changes', 'Deploy Anyway']);
    assert.deepEqual(said.detail.split('\n'), ['• old.txt — not saved', '• new.txt — not tracked']);
    // To commit is to save first; what is saved is not committed yet, and still said.
    await waitFor('it to be saved', () => !document.isDirty);
    assert.notEqual(pages()[0], page);
    hands.forget();
    hands.reply(/^Some of your work/, 'Deploy Anyway');
    await deploy();
    assert.match((await hands.sees(/^Some of your work/)).detail, /^• old\.txt — not committed$/m);
    await hands.sees(/ is live: /);
    assert.deepEqual(pages(), [page, page]);
    const [server] = world.servers;
    assert.ok(server);
    assert.equal(world.live(server, 'old.txt'), 'old\n');
    world.project.git('checkout', '-q', '--', '.');
    world.project.git('clean', '-qf', 'new.txt');
  });

  it('says the first problem of durant.conf, and goes there', async () => {
    await world.configure('\nshared_dirs: ../up\nprotected: maybe');
    const document = await vscode.workspace.openTextDocument(world.file);
    await waitFor('the editor to see it', () => document.getText().includes('maybe'));
    hands.reply(/durant\.conf, line/, 'Go to Problem');
    await deploy();
    const said = await hands.sees(/^production: durant\.conf, line \d+: .*\.\.\/up/);
    assert.deepEqual([said.kind, said.choices], ['error', ['Go to Problem']]);
    const line = await waitFor('durant.conf at the problem', () => {
      const editor = vscode.window.activeTextEditor;
      if (editor?.document.uri.fsPath !== world.file) return undefined;
      return document.lineAt(editor.selection.active.line).text;
    });
    assert.equal(line, 'shared_dirs: ../up');
  });

  it('lists what a build printed as problems of the project, once, and marks its command', async () => {
    const printed = "src/a.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.";
    const build = `echo "${printed}"; echo "$PWD/src/a.ts:1:19: warning: a string"; exit 2\n`;
    world.project.commit({
      message: 'Sources',
      files: { 'src/a.ts': 'const n: number = "x";\n', 'build.sh': build },
    });
    await world.configure('before_deploy:\n    true\n    sh build.sh');
    await deploy();
    const said = await hands.sees(/^production: before_deploy: /);
    assert.deepEqual(said.choices, ['Show Problems', 'Open Configuration', 'Retry', 'Show Output']);
    assert.ok(said.text.includes(`“${printed}”`), said.text);
    const source = vscode.Uri.file(join(world.project.directory, 'src/a.ts'));
    assert.deepEqual(
      vscode.languages
        .getDiagnostics(source)
        .map(({ message, range, severity, code, source }) => [
          `${String(source)} ${String(code)} ${String(severity)}`,
          range.start.line,
          range.start.character,
          message,
        ]),
      [
        ['ts TS2322 0', 0, 6, "Type 'string' is not assignable to type 'number'."],
        ['gcc undefined 1', 0, 18, 'a string'],
      ],
    );
    const [marked] = vscode.languages
      .getDiagnostics(vscode.Uri.file(world.file))
      .filter(({ message }) => message.startsWith('This command failed'));
    assert.equal(marked?.message, `This command failed: ${printed}`);
    assert.equal(marked.range.start.line, 9);
    const log = await output(/TS2322/);
    assert.equal(log.slice(log.lastIndexOf('run ')).split('TS2322').length, 2, log);
    await world.configure('');
    await deploy();
    await hands.sees(/ is live: /);
    assert.deepEqual(vscode.languages.getDiagnostics(source), []);
  });

  it('says what to do where there is no git', async () => {
    await setting('gitPath', join(scratch, 'no-git'));
    try {
      change();
      await deploy();
      const said = await hands.sees(/git/);
      assert.equal(said.kind, 'error');
      assert.match(said.text, /git_?path|Install|install|durant\.gitPath/i);
    } finally {
      await setting('gitPath', undefined);
    }
  });

  it('shows a failure on one server as that, and puts the others back', async () => {
    const before = pages();
    change();
    await world.configure(`after_symlink: case $HOME in ${world.servers[0]?.home ?? ''}) exit 4 ;; esac`);
    await deploy();
    const said = await hands.sees(/^production: /);
    assert.equal(said.kind, 'error');
    assert.match(said.text, /The previous release is live again\./);
    assert.deepEqual(pages(), before);
  });
});
