/** Processes below a server of the Durant view: their state, start, stop, restart and logs, on a Debian with its own systemd. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { makeRepository, type Repository } from '../support/repo.ts';
import { writeSshForServers } from '../support/sshd.ts';
import { useSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { hands, stages, type Row } from './rig/hands.ts';
import { setting } from './rig/world.ts';

describe('processes in the Durant view', () => {
  const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'services');
  const file = join(folder, 'durant.conf');
  const stage = { file, stage: 'production' };
  let machine: SystemdServer;
  let project: Repository;
  let knows: string;

  before(async () => {
    machine = await useSystemd();
    mkdirSync(folder);
    project = makeRepository([{ message: 'First', files: { 'work.sh': worker('first') } }], folder);
    knows = mkdtempSync(join(tmpdir(), 'durant-ssh-'));
    const { bin } = await writeSshForServers(join(knows, 'ssh'), [machine.server]);
    await setting('sshPath', join(bin, 'ssh'));
    await configure('');
    await vscode.extensions.getExtension('durant.durant')?.activate();
    await stages.row(/^production/);
  });

  beforeEach(() => {
    hands.forget();
  });

  after(async function () {
    await setting('sshPath', undefined);
    for (const path of [folder, knows])
      rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  function worker(version: string): string {
    return `#!/bin/sh\ni=0; while :; do i=$((i+1)); echo "${version} at $i"; sleep 0.2; done\n`;
  }

  async function configure(more: string): Promise<void> {
    const text = [
      '[production]',
      'repository: .',
      `server: ${machine.entry('deploy')}`,
      'project_dir: ~/site',
      'app: shop',
      more,
      '[process work]',
      'command: sh work.sh',
      '[process many]',
      'command: sleep 1000',
      'replicas: 2',
      '[process nightly]',
      'command: true',
      'timer: OnCalendar=daily',
      '',
    ];
    await vscode.workspace.fs.writeFile(vscode.Uri.file(file), Buffer.from(text.join('\n')));
  }

  const server = async (): Promise<Row> =>
    stages.row(new RegExp(`^${machine.entry('deploy')}`), await stages.row(/^production/));
  const row = async (name: string, like = ''): Promise<Row> =>
    stages.row(new RegExp(`^${name} .*${like}`), await server());
  const tell = (command: string, { node }: Row): Thenable<unknown> =>
    vscode.commands.executeCommand(`durant.process.${command}`, node);
  const pidOf = async (unit: string): Promise<string> =>
    (await machine.sh(`systemctl show -p MainPID --value ${unit}`)).trim();
  const isActive = async (unit: string): Promise<string> =>
    (await machine.sh(`systemctl is-active ${unit} || true`)).trim();
  const log = (): string =>
    vscode.workspace.textDocuments
      .filter(({ uri }) => uri.scheme === 'output' && uri.path.includes('work on'))
      .map((document) => document.getText())
      .join('\n');

  it('are there after a deploy, before the releases, each with its state', async () => {
    await vscode.commands.executeCommand('durant.deploy', stage);
    await hands.sees(/^production is live/);
    const work = await row('work', 'running');
    assert.match(work.description, /^running · started (just now|\d min ago) · pid \d+( · [\d.]+ [kM]?B)?$/);
    assert.equal(work.icon, 'circle-filled');
    assert.match(work.tooltip, /shop-work\.service/);
    assert.deepEqual(
      (await stages.rows(await server())).map(({ label }) => label),
      ['work', 'many', 'nightly', 'Files'],
    );
    const many = await row('many', '2 of 2 running');
    assert.deepEqual(
      (await stages.rows(many)).map(({ label }) => label),
      ['shop-many@1.service', 'shop-many@2.service'],
    );
    assert.equal((await row('nightly', 'waiting')).icon, 'watch');
  });

  it('are stopped, started and restarted, and look so at once', async () => {
    const first = await pidOf('shop-work');
    await tell('restart', await row('work'));
    const second = await pidOf('shop-work');
    assert.notEqual(second, first);
    assert.match((await row('work')).description, new RegExp(`pid ${second}\\b`));

    await tell('stop', await row('work'));
    assert.equal(await isActive('shop-work'), 'inactive');
    const stopped = await row('work');
    assert.deepEqual([stopped.description, stopped.icon], ['dead', 'circle-slash']);
    assert.match(stopped.context, /\bstartable\b/);
    assert.doesNotMatch(stopped.context, /\bstoppable\b/);

    await tell('start', stopped);
    assert.equal(await isActive('shop-work'), 'active');
    assert.equal((await row('work')).icon, 'circle-filled');
    assert.deepEqual(
      hands.shown().filter(({ kind }) => kind === 'error'),
      [],
    );
  });

  it('of a protected stage are stopped after a question only', async () => {
    await configure('protected: yes');
    await waitFor('the shield', async () => (await stages.row(/^production/)).icon === 'shield');
    await tell('stop', await row('work'));
    const { modal } = await hands.sees(/^Stop work of production on /);
    assert.equal(modal, true);
    assert.equal(await isActive('shop-work'), 'active');
    hands.reply(/^Stop work/, 'Stop work');
    await tell('stop', await row('work'));
    assert.equal(await isActive('shop-work'), 'inactive');
    await tell('start', await row('work'));
    await configure('');
  });

  it('show their logs in a channel of their own, as they come, until that is stopped', async () => {
    await tell('followLogs', await row('work'));
    const number = (): number => Number(/first at (\d+)\s*$/.exec(log())?.[1] ?? 0);
    const early = await waitFor('the first lines', () => number() || undefined);
    await waitFor('more lines', () => number() > early + 3);
    assert.match((await row('work')).description, /following logs$/);
    assert.match((await row('work')).context, /\bfollowed\b/);
    await tell('stopFollowing', await row('work'));
    await waitFor('the last line', () => log().includes('— No longer followed.'));
    assert.match((await row('work')).context, /\bunfollowed\b/);
    await waitFor(
      'journalctl to end',
      async () => (await machine.sh('pgrep -c journalctl || true')).trim() === '0',
    );
  });

  it('say in the channel when the connection goes, and are followed again into the same one', async () => {
    await tell('followLogs', await row('work'));
    await waitFor('lines', () => /first at \d+\s*$/.test(log()));
    assert.doesNotMatch(log(), /No longer followed/);
    await machine.sh('pkill -u deploy sshd; true');
    await waitFor('the last line', () => /\n— .+\n*$/.test(log()));
    assert.match((await row('work')).context, /\bunfollowed\b/);
    await tell('followLogs', await row('work'));
    await waitFor('lines again', () => /first at \d+\s*$/.test(log()));
    await tell('stopFollowing', await row('work'));
    await waitFor('the end', async () => / unfollowed$/.test((await row('work')).context));
  });

  it('that end by themselves show it when they are asked about again', async () => {
    await machine.sh('systemctl kill -s KILL shop-work');
    await waitFor('systemd to start it again', async () => {
      await vscode.commands.executeCommand('durant.stage.refresh', stage);
      return /^restarting .* 1 restart$/.test((await row('work')).description);
    });
    project.commit({ message: 'Second', files: { 'work.sh': worker('second') } });
    await vscode.commands.executeCommand('durant.deploy', stage);
    await stages.row(/ · Second$/, await stages.row(/^Releases/, await stages.row(/^production/)));
    assert.match((await row('work', 'running')).description, /started (just now|\d min ago)/);
  });

  it('have a site that opens, where the stage names one', async () => {
    assert.doesNotMatch((await stages.row(/^production/)).context, /\bsite\b/);
    await vscode.commands.executeCommand('durant.openSite', stage);
    await hands.sees(/^production has no site/);
    await configure('domain_name: shop.test');
    const production = await waitFor('the site', async () => {
      const found = await stages.row(/^production/);
      return /\bsite\b/.test(found.context) ? found : undefined;
    });
    await vscode.commands.executeCommand('durant.stage.openSite', production.node);
    assert.equal((await hands.sees(/^https:/)).text, 'https://shop.test/');
  });
});
