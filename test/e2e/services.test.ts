import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, startCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import {
  useSystemd,
  canBootSystemd,
  startVisitor,
  sudoPassword,
  type SystemdServer,
} from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';
import { finishedOf } from './world.ts';

describe('services on a real systemd, behind a real Caddy', function () {
  this.timeout(180_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  let account: 'deploy' | 'asker' | 'plain' = 'deploy';

  const configure = (...lines: string[]) =>
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.entry(account)}`,
        'project_dir = ~/site',
        'app = shop',
        'spare = no',
        'watch = 2s',
        ...lines,
        '',
      ].join('\n'),
    );
  const web = [
    'env_file = .env.production',
    'domain_name = shop.test',
    'publish = restart',
    'statics = /static/ = public/',
    '[process web]',
    'command = python3 app.py 100%% "$GREETING"',
    'socket = yes',
  ];
  const workers = ['[process worker]', 'command = sleep 1000', 'replicas = 2'];
  const nightly = [
    '[process nightly]',
    'command = printf "%%s|" "$LINES" "$BACKSLASH" "$APOSTROPHE" "$EMPTY" > /tmp/probe',
    'timer = OnCalendar=daily',
  ];
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project });
  const deploy = async () => {
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
    return result;
  };
  const commit = (version: string, app = webApp(version)) =>
    repository.commit({
      message: `Version ${version}`,
      files: { 'app.py': app, 'public/style.css': `/* ${version} */\n` },
    });
  const seen = async () => (await machine.visit('shop.test')).body;

  before(async function () {
    // On a bare machine the server's tree is made first, from packages.
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([
      { message: 'Version 1', files: { 'app.py': webApp('1'), 'public/style.css': '/* 1 */\n' } },
    ]);
  });
  after(async () => {
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('come up with the first release, with its environment', async () => {
    writeFileSync(
      join(project, '.env.production'),
      [
        'GREETING=\'a $dollar, "quotes" & 100%\'',
        'LINES="one\\ntwo $THREE"',
        "BACKSLASH='C:\\new'",
        'APOSTROPHE="it\'s %h"',
        'EMPTY=',
        '',
      ].join('\n'),
    );
    configure(...web, ...workers, ...nightly);
    const dry = await run('--json', '-n', 'deploy', 'production');
    assert.equal(dry.status, 0, dry.stdout + dry.stderr);
    const step = dry.events.find((event) => event['step'] === 'services');
    assert.match(String(step?.['reason']), /shop\.service.* to install.*shop-worker@2\.service/s);
    assert.equal(await machine.sh('ls /etc/systemd/system /etc/caddy | grep -c shop || true'), '0\n');

    const result = await deploy();
    assert.match(result.stdout + result.stderr, /https:\/\/shop\.test/);
    assert.equal(await seen(), 'version 1: 100% a $dollar, "quotes" & 100%');
    assert.deepEqual(await machine.visit('shop.test', '/static/style.css'), {
      status: 200,
      body: '/* 1 */\n',
    });
    // systemd reads the environment file as sh does.
    await machine.sh('systemctl start shop-nightly.service');
    assert.equal(await machine.sh('cat /tmp/probe'), "one\ntwo $THREE|C:\\new|it's %h||");
    const units = await machine.sh(
      'systemctl is-active shop.service shop.socket shop-worker@1 shop-worker@2 shop-nightly.timer; systemctl is-enabled shop.service shop.socket shop-worker@2 shop-nightly.timer',
    );
    assert.equal(units, 'active\n'.repeat(5) + 'enabled\n'.repeat(4));
    const mark = await machine.sh(
      'grep -slx -d skip X-Durant-Project=/home/deploy/site /etc/systemd/system/*',
    );
    assert.equal(mark.split('\n').filter(Boolean).length, 5);
    assert.equal(await machine.sh('ps -o user= -C python3 | sort -u'), 'deploy\n');
  });

  it('are seen, steered and read by durant app', async () => {
    const info = await run('--json', 'app', 'production', 'info');
    assert.equal(info.status, 0, info.stderr);
    const told = JSON.parse(info.stdout) as {
      app: string;
      address: string;
      servers: {
        processes: {
          unit: string;
          state: string;
          sub: string;
          restarts: number;
          pid: number;
          since: string;
        }[];
      }[];
    };
    assert.equal(told.app, 'shop');
    assert.equal(told.address, 'https://shop.test');
    const processes = told.servers[0]?.processes ?? [];
    assert.deepEqual(
      processes.map(({ unit, state, sub, restarts }) => `${unit} ${state} ${sub} ${restarts}`),
      [
        'shop.service running running 0',
        'shop.socket running running 0',
        'shop-worker@1.service running running 0',
        'shop-worker@2.service running running 0',
        'shop-nightly.timer waiting waiting 0',
      ],
    );
    assert.match(processes[0]?.since ?? '', /^20\d\d-.*Z$/);
    assert.match(
      (await run('app', 'production', 'info')).stdout,
      /worker: running \(shop-worker@2\.service, since/,
    );

    assert.equal((await run('app', 'production', 'stop', 'worker')).status, 0);
    assert.equal(
      await machine.sh('systemctl is-active shop-worker@1 shop-worker@2 shop || true'),
      'inactive\ninactive\nactive\n',
    );
    assert.equal((await run('app', 'production', 'start', 'worker')).status, 0);
    const before = await machine.sh('systemctl show -p MainPID shop');
    const restarted = await run('app', 'production', 'restart');
    assert.match(
      restarted.stdout,
      /restart shop\.service, shop-worker@1\.service, shop-worker@2\.service, shop-nightly\.timer/,
    );
    assert.notEqual(await machine.sh('systemctl show -p MainPID shop'), before);
    assert.match((await run('app', 'production', 'logs', 'web')).stdout, /Started shop\.service - shop web/);
    const unknown = await run('app', 'production', 'stop', 'wrok');
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /no process "wrok"\. Name one of web, worker, nightly/);

    const follow = startCli(['app', 'production', 'logs', '-f', 'worker'], { home, cwd: project });
    await follow.waitForOutput(/Started shop-worker/);
    await run('app', 'production', 'restart', 'worker');
    await follow.waitForOutput(/Stopping shop-worker@1/);
    follow.interrupt();
    assert.equal((await follow.result).status, 130);
    await waitFor(
      'journalctl to end',
      async () => (await machine.sh('pgrep -c journalctl || true')) === '0\n',
    );
  });

  it('and the logs of one server end where those of another cannot be read', async () => {
    const file = join(project, 'durant.conf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(/^server = .*/m, `$&, ${machine.entry('plain')}`));
    const { status, stderr } = await run('app', 'production', 'logs', '-f', 'web');
    writeFileSync(file, before);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /no process "web"/);
    await waitFor(
      'journalctl to end',
      async () => (await machine.sh('pgrep -c journalctl || true')) === '0\n',
    );
  });

  it('and its release is where durant app runs commands, with its environment', async () => {
    const printed = await run(
      'app',
      'production',
      'exec',
      '--',
      'sh',
      '-c',
      'printf "%s|%s" "$GREETING" "$DURANT_STAGE"; pwd >&2; exit 7',
    );
    assert.equal(printed.status, 7);
    assert.equal(printed.stdout, 'a $dollar, "quotes" & 100%|production');
    assert.match(printed.stderr, /\/site\/releases\//);
    const there = ['app', 'production', 'shell', '--', 'ls *.py | wc -l'];
    const listed = await startCli(there, { home, cwd: project }).result;
    assert.equal(listed.stdout.trim(), '1');
    const shell = startCli(['app', 'production', 'shell'], { home, cwd: project, on: 'terminal' });
    await shell.waitForOutput(/\$ /);
    shell.type('echo "<$GREETING>"; exit 4\n');
    const result = await shell.result;
    assert.match(result.stdout, /<a \$dollar, "quotes" & 100%>/);
    assert.equal(result.status, 4);
  });

  it('switch under visitors of whom none is turned away', async () => {
    commit('2');
    const visitor = startVisitor(() => machine.visit('shop.test'));
    await deploy();
    const { answers, failures, seen: bodies } = await visitor.end();
    assert.deepEqual(failures, []);
    assert.ok(answers > 10, `${answers} answers`);
    assert.equal(bodies.length, 2, bodies.join('\n'));
    assert.match(await seen(), /^version 2:/);
  });

  it('go back with a rollback, and on again, files and all', async () => {
    configure(...web, '[process extra]', 'command = sleep 1000');
    commit('3');
    await deploy();
    const loaded = (): Promise<string> =>
      machine.sh(
        'systemctl list-units --plain --no-legend --all "shop*" | cut -d" " -f1 | sort | tr "\\n" " "',
      );
    const expected = 'shop-extra.service shop.service shop.socket ';
    // systemd forgets a unit that is gone in its own time.
    await waitFor('the other units to go', async () => (await loaded()) === expected).catch(async () =>
      assert.equal(await loaded(), expected),
    );
    assert.equal(await machine.sh('ls /etc/systemd/system | grep -c "shop-worker\\|nightly" || true'), '0\n');
    assert.equal((await run('rollback', 'production')).status, 0);
    assert.match(await seen(), /^version 2:/);
    assert.equal(
      await machine.sh('systemctl is-active shop-worker@1 shop-worker@2 shop-nightly.timer'),
      'active\n'.repeat(3),
    );
    assert.equal(await machine.sh('systemctl is-active shop-extra || true'), 'inactive\n');
    assert.equal((await run('rollback', 'production')).status, 0);
    assert.match(await seen(), /^version 1:/);
  });

  it('that do not stay up send every server back, with its services', async () => {
    configure('health_retries = 1', ...web, ...workers, ...nightly);
    commit('4', 'import sys\nprint("no module named shop", file=sys.stderr)\nsys.exit(3)\n');
    const result = await run('--json', 'deploy', 'production');
    assert.equal(result.status, 1);
    const error = finishedOf(result)['error'] as { code: string; message: string };
    assert.equal(error.code, 'health-check-failed');
    assert.match(error.message, /shop\.service/);
    assert.match(error.message, /no module named shop/);
    assert.match(await seen(), /^version 1:/);
    assert.equal(await machine.sh('systemctl is-active shop.service shop.socket'), 'active\n'.repeat(2));
  });

  for (const [title, lines, pattern] of [
    [
      'a unit that systemd refuses',
      [
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
        '[process bad]',
        'command = x',
        'timer = OnCalendar=never ever',
      ],
      /systemd on .* refuses the units/,
    ],
    [
      'a site that Caddy refuses',
      [
        'domain_name = shop.test',
        'templates_dir = bad',
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
      ],
      /Caddy on .* refuses the site/,
    ],
  ] as const)
    it(`leave what is live where it is: ${title}`, async () => {
      mkdirSync(join(project, 'bad'), { recursive: true });
      writeFileSync(join(project, 'bad/Caddyfile'), '{{domain_name}} {\n\tnonsense\n}\n');
      configure(...lines);
      commit('5');
      const before = await machine.sh(
        'cat /etc/systemd/system/shop* /etc/caddy/conf.d/*; readlink /home/deploy/site/current',
      );
      const result = await run('deploy', 'production');
      assert.notEqual(result.status, 0);
      assert.match(result.stderr, pattern);
      assert.equal(
        await machine.sh(
          'cat /etc/systemd/system/shop* /etc/caddy/conf.d/*; readlink /home/deploy/site/current',
        ),
        before,
      );
      assert.match(await seen(), /^version 1:/);
    });

  it('never touch a unit of somebody else', async () => {
    const other = '/etc/systemd/system/shop-extra.service';
    await machine.sh(
      `printf '[Service]\\nExecStart=/bin/sleep 1000\\n' > ${other}; systemctl daemon-reload; systemctl start shop-extra`,
    );
    configure(...web, '[process extra]', 'command = sleep 1000');
    const result = await run('deploy', 'production');
    assert.equal(result.status, 1);
    assert.match(result.stderr, /shop-extra\.service on .* was not made by Durant/);
    assert.equal(await machine.sh('systemctl is-active shop-extra'), 'active\n');
    await machine.sh(`systemctl stop shop-extra; rm ${other}; systemctl daemon-reload`);
  });

  it('come from templates of the project', async () => {
    const exported = await run('--json', 'templates', '--export');
    assert.equal(exported.status, 0, exported.stderr);
    assert.match(
      readFileSync(join(project, '.durant/templates/default.service'), 'utf8'),
      /^ExecStart=\{\{exec_start\}\}$/m,
    );
    writeFileSync(
      join(project, '.durant/templates/Caddyfile'),
      readFileSync(join(project, '.durant/templates/Caddyfile'), 'utf8').replace(
        'handle {',
        'header X-From template\n\thandle {',
      ),
    );
    assert.match((await run('templates', '--export')).stdout, /Caddyfile: of the project/);
    writeFileSync(
      join(project, '.durant/templates/worker.service'),
      '[Unit]\nDescription=mine\n[Service]\nUser={{user}}\nWorkingDirectory={{directory}}\nExecStart={{exec_start}}\nNice=5\n[Install]\nWantedBy={{target}}\n',
    );
    configure(...web, ...workers);
    commit('6');
    await deploy();
    assert.match(readFileSync(join(machine.root, 'etc/caddy/conf.d/shop.caddy'), 'utf8'), /X-From template/);
    assert.match(await machine.sh('systemctl cat shop-worker@1'), /X-Durant-Project=.*\n[^]*Nice=5/);
    rmSync(join(project, '.durant'), { recursive: true });
  });

  it('go when the stage has none any more', async () => {
    configure();
    await deploy();
    assert.equal(await machine.sh('ls /etc/systemd/system /etc/caddy/conf.d | grep -c shop || true'), '0\n');
    assert.equal(
      await machine.sh('systemctl is-active shop.service shop.socket || true'),
      'inactive\ninactive\n',
    );
    assert.equal((await run('rollback', 'production')).status, 0);
    assert.match(await seen(), /^version 6:/);
    configure();
    await deploy();
  });

  it('ask for the password of sudo, which nobody sees', async () => {
    account = 'asker';
    configure('[process web]', 'command = python3 app.py', 'socket = 8123');
    const silent = await run('deploy', 'production');
    assert.equal(silent.status, 1);
    assert.match(silent.stderr, /sudo on .* asks asker for a password/);
    assert.equal(existsSync(join(machine.root, 'home/asker/site')), false);
    const asked = startCli(['deploy', 'production'], { home, cwd: project, on: 'terminal' });
    await asked.waitForOutput(/sudo password of asker on .*: /);
    asked.type('wrong horse\n');
    await asked.waitForOutput(/the last one was wrong.*: /);
    asked.type(`${sudoPassword}\n`);
    const result = await asked.result;
    assert.equal(result.status, 0, result.stdout);
    assert.equal(result.stdout.includes(sudoPassword), false);
    assert.match(await machine.sh('curl -s http://127.0.0.1:8123/'), /^version 6:/);
    account = 'plain';
    configure('[process web]', 'command = python3 app.py', 'socket = 8124', 'app = other');
    const refused = await run('deploy', 'production');
    assert.notEqual(refused.status, 0);
    account = 'deploy';
  });

  it('run without sudo in the systemd of the login user', async () => {
    configure('[process web]', 'command = python3 app.py', 'socket = 8125');
    const conf = join(project, 'durant.conf');
    writeFileSync(conf, readFileSync(conf, 'utf8').replace('app = shop', 'app = mine'));
    commit('of the system');
    await deploy();
    configure('systemd = user', '[process web]', 'command = python3 app.py', 'socket = 8125');
    commit('7');
    const dry = await run('-n', 'deploy', 'production');
    assert.match(
      dry.stdout,
      /mine\.socket, mine\.service of systemd: system to stop and remove, as it is user now/,
    );
    await deploy();
    const system = await machine.sh('ls /etc/systemd/system; systemctl is-active mine.socket || :');
    assert.doesNotMatch(system, /^(mine\.|active)/m);
    assert.match(await machine.sh('curl -s http://127.0.0.1:8125/'), /^version 7:/);
    assert.match(
      readFileSync(join(machine.root, 'home/deploy/.config/systemd/user/shop.socket'), 'utf8'),
      /8125/,
    );
    account = 'plain';
    configure('systemd = user', '[process web]', 'command = python3 app.py', 'socket = 8126');
    const refused = await run('deploy', 'production');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /loginctl enable-linger plain/);
    account = 'deploy';
  });
});
