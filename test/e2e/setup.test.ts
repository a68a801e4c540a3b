/** `durant setup`, and what comes after it on a real server: the first deploy as that user, `verify` of its services, `down`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { canBootSystemd, useSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';

/** With what a Caddyfile might take for its own. */
const PAGE = '<style>p { color: "red" }</style>\n<p>Back at 12:00, {host} \\ {$HOME}</p>\n';

describe('a server from nothing to nothing', function () {
  this.timeout(180_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  let entry: string;
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project });
  const deploy = async (version: string) => {
    repository.commit({ message: `Version ${version}`, files: { 'app.py': webApp(version), version } });
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
    assert.equal((await machine.visit('shop.test')).body, `version ${version}:  `);
  };
  const drift = async () => {
    const { status, events } = await run('--json', 'verify', 'production');
    const found = events.filter(({ event }) => event === 'drift').map(({ kind, path }) => [kind, path]);
    assert.equal(status, found.length === 0 ? 0 : 4);
    return found;
  };
  /** Everything that setup may change. */
  const state = () =>
    machine.sh(
      'cat /etc/passwd /etc/caddy/Caddyfile /etc/sudoers.d/*; ls -lAR --time-style=full-iso /etc/caddy /etc/sudoers.d /srv/apps ~shopper/.ssh',
    );

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    entry = machine.entry('deploy').replace('deploy@', 'shopper@');
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([
      {
        message: 'Version 1',
        files: { 'app.py': webApp('1'), 'public/style.css': '/* 1 */\n', 'public/down.html': PAGE },
      },
    ]);
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${entry}`,
        `ssh_identity = ${machine.server.clientKey}`,
        'project_dir = /srv/apps/shop',
        'app = shop',
        'spare = no',
        'domain_name = shop.test',
        'statics = /static/ = public/',
        'shared_dirs = data',
        `health_check = https://shop.test:${machine.httpsPort}/`,
        'maintenance_page = public/down.html',
        'watch = 1s',
        'health_retries = 0',
        'after_symlink = sudo systemctl is-active caddy',
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
        '[process worker]',
        'command = sleep 1000',
        '',
      ].join('\n'),
    );
    // As a package leaves it: nobody has written an import yet.
    await machine.sh("sed -i '/^import/d' /etc/caddy/Caddyfile && systemctl reload caddy");
  });
  after(async () => {
    await machine?.sh('userdel -rf shopper; rm -rf /srv/apps /etc/sudoers.d/durant-shop');
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('setup prints a script, and changes nothing by that', async () => {
    const before = await machine.sh('cat /etc/passwd');
    const { status, stdout } = await run('setup', 'production');
    assert.equal(status, 0);
    assert.match(stdout, /^#!\/bin\/sh\n/);
    assert.match(stdout, /visudo -c/);
    assert.match(
      stdout,
      /^allow shopper systemctl 'reset-failed shop\.service'$|^allow shopper systemctl ''$/m,
    );
    const [json] = (await run('--json', 'setup', 'production')).events;
    assert.deepEqual(json, { stage: 'production', script: stdout });
    assert.equal(await machine.sh('cat /etc/passwd'), before);
    const refused = await run('setup', '--run', 'production');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /Read it, then run this again with --yes/);
  });

  it('--run makes the server ready; a second run changes nothing', async () => {
    const first = await run('setup', '--run', '--yes', 'production');
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /made the user shopper/);
    assert.match(first.stdout, /: ready\n/);
    const sudoers = await machine.sh('stat -c %a /etc/sudoers.d/durant-shop; visudo -c; sudo -l -U shopper');
    assert.match(sudoers, /^440\n.*\/etc\/sudoers\.d\/durant-shop: parsed OK/s);
    assert.doesNotMatch(sudoers.replace(/^.*may run the following/s, ''), /NOPASSWD: ALL/);
    const before = await state();
    const second = await run(
      '--json',
      'setup',
      '--run',
      '--yes',
      '--as',
      machine.entry('deploy'),
      'production',
    );
    assert.equal(second.status, 0, second.stdout);
    assert.deepEqual(JSON.parse(second.stdout).servers, [{ server: entry, changed: false, error: null }]);
    assert.equal(await state(), before);
  });

  it('check asks sudo for what steps and commands need, and setup allows just that', async () => {
    const file = join(project, 'durant.conf');
    const before = readFileSync(file, 'utf8');
    const more = ['clear_paths = tmp', 'clear_use_sudo = yes', 'before_symlink = sudo /usr/bin/id -un', ''];
    writeFileSync(file, before.replace('[process web]', `${more.join('\n')}[process web]`));
    const missing = /does not let shopper run these commands[^]*rm -rf \.\/tmp\s+\/usr\/bin\/id -un/;
    const refused = await run('check', '--connect', 'production');
    assert.match(refused.stdout + refused.stderr, missing);
    const deploy = await run('deploy', 'production');
    assert.equal(deploy.status, 1);
    assert.match(deploy.stderr, missing);
    assert.equal((await run('setup', '--run', '--yes', 'production')).status, 0);
    const allowed = await run('check', '--connect', 'production');
    assert.equal(allowed.status, 0, allowed.stdout + allowed.stderr);
    assert.match(
      allowed.stdout + allowed.stderr,
      /sudo lets the login user run what the steps and commands need/,
    );
    writeFileSync(file, before);
    assert.equal((await run('setup', '--run', '--yes', 'production')).status, 0);
  });

  it('allows programs where sudo knows no patterns of arguments (sudo-rs)', async () => {
    const sudo = '/usr/local/bin/sudo';
    const lines = (): Promise<string> => machine.sh('cat /etc/sudoers.d/durant-shop');
    const before = await lines();
    assert.match(before, /\*/);
    await machine.sh(
      `printf '%s\\n' '#!/bin/sh' '[ "$1" != --version ] || { echo sudo-rs 0.2.13; exit; }' 'exec /usr/bin/sudo "$@"' > ${sudo}; chmod 755 ${sudo}`,
    );
    assert.equal((await run('setup', '--run', '--yes', 'production')).status, 0);
    await machine.sh(`rm ${sudo}`);
    assert.doesNotMatch(await lines(), /\*/);
    assert.equal((await run('check', '--connect', 'production')).status, 0);
    assert.equal((await run('setup', '--run', '--yes', 'production')).status, 0);
    assert.equal(await lines(), before);
  });

  it('a first deploy as that user passes, and so do a second and a rollback', async () => {
    await deploy('2');
    await deploy('3');
    assert.equal((await run('rollback', 'production')).status, 0);
    assert.equal((await machine.visit('shop.test')).body, 'version 2:  ');
    assert.equal((await machine.visit('shop.test', '/static/style.css')).status, 200);
    for (const args of [['restart'], ['logs', 'web']])
      assert.equal((await run('app', 'production', ...args)).status, 0, args.join(' '));
  });

  it('in maintenance visitors get 503 and the page; deploys work and are checked meanwhile', async () => {
    const on = await run('maintenance', 'on', 'production');
    assert.equal(on.status, 0, on.stderr);
    const page = { status: 503, body: PAGE.replace('{host}', 'shop.test').replace('{$', '&#123;$') };
    for (const path of ['/', '/static/style.css'])
      assert.deepEqual(await machine.visit('shop.test', path), page);
    const { stages } = JSON.parse((await run('--json', 'status', 'production')).stdout);
    assert.equal(stages[0].servers[0].maintenance, true);
    assert.deepEqual(await drift(), []);
    repository.commit({ message: 'Version 4', files: { 'app.py': webApp('4') } });
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
    repository.commit({ message: 'Version 5', files: { 'app.py': 'import sys; sys.exit(1)\n' } });
    const failed = await run('deploy', 'production');
    assert.equal(failed.status, 1);
    assert.deepEqual(await machine.visit('shop.test'), page);
    assert.equal((await run('maintenance', 'on', 'production')).status, 0, 'and again');
    const off = await run('--json', 'maintenance', 'off', 'production');
    assert.deepEqual(JSON.parse(off.stdout), { stage: 'production', maintenance: false, servers: [entry] });
    assert.deepEqual(await machine.visit('shop.test'), { status: 200, body: 'version 4:  ' });
    assert.deepEqual(await drift(), []);
    repository.git('revert', '--no-edit', 'HEAD');
  });

  it('verify knows units and site', async () => {
    assert.deepEqual(await drift(), []);
    const web = `shop-web@${(await machine.sh('basename $(readlink /srv/apps/shop/current)')).trim()}`;
    await machine.sh(
      `cd /etc/systemd/system; echo "# changed" >> ${web}.service; mv shop-worker.service /root; cp ${web}.socket shop-more.socket; echo "# changed" >> /etc/caddy/conf.d/shop.caddy`,
    );
    assert.deepEqual(await drift(), [
      ['changed', `unit:${web}.service`],
      ['deleted', 'unit:shop-worker.service'],
      ['added', 'unit:shop-more.socket'],
      ['changed', 'site'],
    ]);
    await machine.sh('mv /root/shop-worker.service /etc/systemd/system');
  });

  it('down asks, then takes it all away but the data; with --shared that too; again it is done already', async () => {
    await machine.sh('mkdir /srv/apps/shop/releases/mine; touch /srv/apps/shop/shared/data/of-a-user');
    const refused = await run('down', 'production');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /confirm.*--yes/s);
    const result = await run('down', '--yes', 'production');
    assert.equal(result.status, 0, result.stderr);
    assert.equal(
      await machine.sh('cd /srv/apps/shop && find . | sort'),
      '.\n./releases\n./releases/mine\n./shared\n./shared/data\n./shared/data/of-a-user\n',
    );
    assert.equal(await machine.sh('ls /etc/systemd/system /etc/caddy/conf.d | grep shop || :'), '');
    // systemd forgets a unit that is gone in its own time.
    await waitFor(
      'systemd to have none',
      async () => (await machine.sh('systemctl list-units --plain --no-legend "shop*"')) === '',
    );
    await assert.rejects(machine.visit('shop.test'));
    const again = await run('--json', 'down', '--yes', 'production');
    assert.deepEqual(
      [again.status, JSON.parse(again.stdout)],
      [0, { stage: 'production', servers: [{ server: entry, removed: [] }] }],
    );
    await machine.sh('rm -r /srv/apps/shop/releases');
    assert.equal((await run('down', '--yes', '--shared', 'production')).status, 0);
    assert.equal(await machine.sh('ls -A /srv/apps/shop'), '');
  });
});
