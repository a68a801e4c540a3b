/** Runs from commands and tasks, against real servers, inside VS Code. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { makeRepository, type Repository } from '../support/repo.ts';
import { startSshd, writeSshForServers, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { hands, output } from './rig/hands.ts';

describe('runs in the editor', () => {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const folder = join(workspace, 'runs');
  const file = join(folder, 'durant.conf');
  const stage = { file, stage: 'production' };
  const scratch = mkdtempSync(join(tmpdir(), 'durant-runs-'));
  let servers: readonly TestServer[];
  let project: Repository;

  before(async function () {
    servers = await Promise.all([startSshd(), startSshd()]);
    const { bin } = await writeSshForServers(join(scratch, 'ssh'), servers);
    await vscode.workspace
      .getConfiguration('durant')
      .update('sshPath', join(bin, 'ssh'), vscode.ConfigurationTarget.Global);
    mkdirSync(folder);
    project = makeRepository([{ message: 'First', files: { 'index.html': 'one\n' } }], folder);
  });

  beforeEach(() => {
    configure('');
  });

  after(async () => {
    for (const server of servers) await server.stop();
    rmSync(scratch, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  function configure(more: string): void {
    const entries = servers.map((server) => `    ${server.entry}`).join('\n');
    writeFileSync(file, `[production]\nrepository: .\nproject_dir: ~/shop\nserver:\n${entries}\n${more}\n`);
  }

  const home = (): readonly string[] => servers.map((server) => join(server.home, 'shop'));
  const livePages = (): readonly string[] =>
    home().map((path) => readFileSync(join(path, 'current', 'index.html'), 'utf8'));
  const liveReleases = (): readonly string[] => home().map((path) => readlinkSync(join(path, 'current')));

  it('a dry run changes nothing on any server', async () => {
    await vscode.commands.executeCommand('durant.dryRun', stage);
    for (const path of home()) assert.equal(existsSync(path), false);
  });

  it('deploys to every server', async () => {
    await vscode.commands.executeCommand('durant.deploy', stage);
    assert.deepEqual(livePages(), ['one\n', 'one\n']);
    project.commit({ message: 'Second', files: { 'index.html': 'two\n' } });
    configure('');
    await vscode.commands.executeCommand('durant.deploy', stage);
    assert.deepEqual(livePages(), ['two\n', 'two\n']);
  });

  it('rolls back to the release before', async () => {
    hands.reply(/^Roll back production/, 'Roll Back');
    await vscode.commands.executeCommand('durant.rollback', { ...stage, release: 'previous' });
    assert.deepEqual(livePages(), ['one\n', 'one\n']);
  });

  it('deploys to one server of a node', async () => {
    project.commit({ message: 'Third', files: { 'index.html': 'three\n' } });
    configure('');
    const [first] = servers;
    await vscode.commands.executeCommand('durant.server.deploy', {
      kind: 'server',
      ...stage,
      server: first?.entry,
    });
    assert.deepEqual(livePages(), ['three\n', 'one\n']);
    await vscode.commands.executeCommand('durant.deploy', stage);
    assert.deepEqual(livePages(), ['three\n', 'three\n']);
  });

  it('has one run of a stage at a time, and cancels it', async () => {
    const began = join(scratch, 'began');
    configure(`before_deploy: echo x >>${began}; sleep 100`);
    project.commit({ message: 'Fourth', files: { 'index.html': 'four\n' } });
    configure(`before_deploy: echo x >>${began}; sleep 100`);
    const live = liveReleases();
    const run = vscode.commands.executeCommand('durant.deploy', stage);
    await waitFor('the build to begin', () => existsSync(began));
    await vscode.commands.executeCommand('durant.deploy', stage);
    await vscode.commands.executeCommand('durant.cancel', stage);
    await run;
    assert.equal(hands.statusBar(), '$(circle-slash) production: cancelled');
    assert.equal(readFileSync(began, 'utf8'), 'x\n');
    assert.deepEqual(liveReleases(), live);
    for (const path of home()) assert.equal(existsSync(join(path, '.durant', 'lock')), false);
  });

  it('runs as a task, which fails when the run does', async () => {
    const own = await waitFor('the tasks', async () => {
      const found = await vscode.tasks.fetchTasks({ type: 'durant' });
      const all = found.filter(({ definition }) => definition['config'] === 'runs/durant.conf');
      return all.length > 0 ? all : undefined;
    });
    assert.deepEqual(own.map(({ name }) => name).sort(), ['deploy production', 'dry run production']);
    const dry = own.find(({ definition }) => definition['dryRun'] === true);
    assert.ok(dry);
    assert.equal(await exitOf(dry), 0);
    configure('branch: nowhere');
    assert.equal(await exitOf(dry), 1);
  });

  // How free the extension host is meanwhile, test/bench/eventloop.ts measures.
  it('shows every line of a build that says much', async () => {
    project.commit({ message: 'Fifth', files: { 'index.html': 'five\n' } });
    // Fewer than may wait at once, however fast they come (engineProcess/eventBatcher.ts).
    configure('before_deploy: seq 1 15000');
    await vscode.commands.executeCommand('durant.deploy', stage);
    const log = await output(/│ {3}15000$/m);
    const numbers = [...log.matchAll(/│ {3}(\d+)$/gm)].map(([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      Array.from({ length: 15_000 }, (_, index) => index + 1),
    );
  });
});

async function exitOf(task: vscode.Task): Promise<number | undefined> {
  const ended = new Promise<number | undefined>((resolve) => {
    const subscription = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution.task.name !== task.name) return;
      subscription.dispose();
      resolve(event.exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return ended;
}
