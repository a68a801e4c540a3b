/** Processes that do not start, do not stay up, or need more than they are allowed, on a real systemd: what is said, and what stays. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, startCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { useSystemd, canBootSystemd, startVisitor, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';
import { finishedOf } from './world.ts';

/** Says that it is ready on systemd's socket, as sd_notify does. */
const notifies = `import os, socket, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(1000)
`;

describe('processes that do not stay up, on a real systemd', function () {
  this.timeout(180_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;

  const env = { THE_TOKEN: 'not in any argument' };
  const configure = (...lines: string[]): void =>
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.entry('deploy')}`,
        'project_dir = ~/site',
        'app = shop',
        'spare = no',
        'publish = restart',
        ...lines,
        '',
      ].join('\n'),
    );
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project, env });
  const deploy = async (): Promise<void> => {
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
  };
  const errorOf = (result: CliResult) =>
    finishedOf(result)['error'] as { code: string; message: string; output?: string };
  const commit = (files: Readonly<Record<string, string>>) => repository.commit({ message: 'Next', files });
  const web = ['[process web]', 'command = python3 app.py', 'socket = yes'];

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([
      {
        message: 'First',
        files: {
          'app.py': 'raise SystemExit("no module named shop")\n',
          'notifies.py': notifies,
          'job.sh': 'echo "job of $GREETING" >&2; [ -e ~/may-pass ]\n',
        },
      },
    ]);
  });
  after(async () => {
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('a first deploy that fails shows what the service wrote, and so does app logs afterwards', async () => {
    configure(...web);
    const result = await run('--json', 'deploy', 'production');
    assert.equal(result.status, 1, result.stdout);
    const { code, output = '', message } = errorOf(result);
    assert.equal(code, 'health-check-failed');
    assert.match(message, /shop\.service (was restarted|is failed)/);
    assert.match(output, /no module named shop/);
    assert.doesNotMatch(output, /Listening on|shop\.socket/, 'nothing of the socket');
    assert.ok(output.split('\n').length <= 20);
    assert.equal(await machine.sh('ls /etc/systemd/system | grep -c shop || :'), '0\n');
    const logs = await run('app', 'production', 'logs');
    assert.equal(logs.status, 0, logs.stderr);
    assert.match(logs.stdout, /web\[\d+\]: no module named shop/);
  });

  it('one that never says that it is ready is not started, and that is said with its log', async () => {
    commit({ 'app.py': webApp('1'), 'mute.py': 'raise SystemExit("mute: no database")\n' });
    configure('[process mute]', 'command = python3 mute.py', 'type = notify', 'restart = no');
    const result = await run('--json', 'deploy', 'production');
    assert.equal(result.status, 1, result.stdout);
    assert.equal(errorOf(result).code, 'services-failed');
    assert.match(errorOf(result).message, /could not be started on .*: shop-mute\.service is failed/);
    assert.match(errorOf(result).output ?? '', /mute: no database/);
  });

  it('the environment of the stage reaches processes, jobs that are run now, and a terminal', async () => {
    configure(
      'watch = 1s',
      'domain_name = shop.test, www.shop.test',
      'env = GREETING=hello, TOKEN=env!THE_TOKEN',
      ...web,
      '[process nightly]',
      'command = sh job.sh',
      'timer = OnCalendar=daily',
    );
    await deploy();
    assert.equal((await machine.visit('shop.test')).body, 'version 1:  hello');
    assert.equal((await machine.visit('www.shop.test', '/a?b=c')).status, 308);
    assert.doesNotMatch(await machine.sh('systemctl cat shop.service'), /not in any argument|hello/);
    assert.equal(
      await machine.sh('stat -L -c %a /home/deploy/site/current/.durant.env'),
      '600\n',
      'for its owner alone',
    );

    const failed = await run('app', 'production', 'run', 'nightly');
    assert.equal(failed.status, 1, failed.stdout);
    assert.match(failed.stderr, /job of hello/);
    const info = JSON.parse((await run('--json', 'app', 'production', 'info')).stdout);
    const states = info.servers[0].processes.map((each: { unit: string; state: string }) => [
      each.unit,
      each.state,
    ]);
    assert.deepEqual(states, [
      ['shop.service', 'running'],
      ['shop.socket', 'running'],
      ['shop-nightly.timer', 'failed'],
    ]);
    await machine.sh('touch /home/deploy/may-pass');
    assert.match((await run('app', 'production', 'run', 'nightly')).stdout, /run shop-nightly\.service/);
    assert.match(
      (await run('app', 'production', 'restart', 'nightly')).stdout,
      /restart shop-nightly\.timer/,
    );
    assert.equal((await run('app', 'production', 'run', 'web')).status, 2);
    assert.match((await run('app', 'production', 'logs', 'nightly')).stdout, /nightly\[\d+\]: job of hello/);

    const script = 'echo "<$GREETING|${#TOKEN}|$DURANT_COMMIT|$DURANT_BRANCH|$DURANT_SERVER>"';
    const there = startCli(['app', 'production', 'shell', '--', script], {
      home,
      cwd: project,
      env,
      on: 'terminal',
    });
    const head = repository.git('rev-parse', 'HEAD');
    assert.match(
      (await there.result).stdout,
      new RegExp(`<hello\\|${env.THE_TOKEN.length}\\|${head}\\|main\\|${machine.entry('deploy')}>`),
    );
  });

  it('a worker that dies after a while fails the run, and status tells of one that does so later', async () => {
    const worker = [
      '[process worker]',
      'command = sh -c "while ! [ -e ~/lost ]; do sleep 0.2; done; sleep 2; echo lost the queue; exit 3"',
    ];
    await machine.sh('touch /home/deploy/lost');
    configure('watch = 10m', ...web, ...worker);
    const result = await run('--json', 'deploy', 'production');
    assert.equal(result.status, 1, result.stdout);
    assert.equal(errorOf(result).code, 'health-check-failed');
    assert.match(
      errorOf(result).message,
      /shop-worker\.service was restarted once, within 600 s of its start/,
    );
    assert.match(errorOf(result).output ?? '', /lost the queue/);
    assert.equal((await machine.visit('shop.test')).status, 200);

    await machine.sh('rm /home/deploy/lost');
    configure('watch = 1s', ...web, ...worker);
    await deploy();
    await machine.sh('touch /home/deploy/lost');
    await waitFor('two restarts', async () =>
      /NRestarts=([2-9]|\d\d)/.test(await machine.sh('systemctl show -p NRestarts shop-worker')),
    );
    const status = JSON.parse((await run('--json', 'status', 'production')).stdout);
    const found = status.stages[0].servers[0].processes.find(
      ({ process }: { process: string }) => process === 'worker',
    );
    assert.equal(found.state, 'restarting');
    assert.ok(found.restarts >= 2);
    assert.match((await run('status', 'production')).stdout, /worker: restarting, \d+ times in \d+ (s|min)/);
    assert.match((await run('app', 'production', 'info')).stdout, /worker: restarting, \d+ times/);
  });

  it('a process that says when it is ready has no need to be watched', async () => {
    configure(
      'watch = 1h',
      '[process web]',
      'command = python3 notifies.py',
      'type = notify',
      'memory_limit = 256M',
      'stop_timeout = 5s',
    );
    await deploy();
    assert.match(
      await machine.sh('systemctl show -p Type -p MemoryMax -p TimeoutStopUSec shop.service'),
      /Type=notify\nTimeoutStopUSec=5s\nMemoryMax=268435456/,
    );
  });

  it('a renamed process answers until the site leads to the new one', async () => {
    const site = (name: string) => [
      'watch = 1s',
      'domain_name = shop.test',
      `upstream = unix//run/shop/${name}.sock`,
      `[process ${name}]`,
      'command = python3 app.py',
      'socket = yes',
    ];
    configure(...site('web'));
    await deploy();
    // No check waits for the first certificate of the name.
    await waitFor('the certificate', () =>
      machine.visit('shop.test').then(
        () => true,
        () => false,
      ),
    );
    commit({ 'app.py': webApp('2') });
    configure(...site('site'));
    const visitor = startVisitor(() => machine.visit('shop.test'));
    await deploy();
    const { failures, answers } = await visitor.end();
    assert.deepEqual(failures, []);
    assert.ok(answers > 10);
    assert.match((await machine.visit('shop.test')).body, /^version 2:/);
    assert.equal(existsSync(join(machine.root, 'etc/systemd/system/shop.service')), false);
  });

  it('a check by http follows the redirect of Caddy, whose own authority is trusted, to the page itself', async () => {
    const port = /\d+/.exec(await machine.sh('grep -o "http_port .*" /etc/caddy/Caddyfile'))?.[0] ?? '';
    // What Caddy writes by itself has no port: here it listens on others than 80 and 443.
    await machine.sh(
      `printf 'http://shop.test {\\n\\tredir https://shop.test:${machine.httpsPort}{uri} 308\\n}\\n' >> /etc/caddy/Caddyfile`,
    );
    const site = (...more: string[]) =>
      configure(
        'watch = 1s',
        'health_retries = 0',
        'domain_name = shop.test',
        'statics = /static/ = public/',
        'asset_dirs = public',
        `health_check = http://shop.test:${port}/`,
        ...more,
        ...web,
      );
    site('keep_releases = 2');
    commit({ 'app.py': webApp('3'), 'public/app.css': '3', 'public/one-1f3a.css': 'one' });
    await deploy();
    assert.match((await machine.visit('shop.test')).body, /^version 3:/);

    commit({ 'app.py': webApp('4').replace('send_response(200)', 'send_response(500)') });
    const failed = await run('--json', 'deploy', 'production');
    assert.equal(failed.status, 1, failed.stdout);
    assert.match(errorOf(failed).message, /answered 500 \(by https:\/\/shop\.test:\d+\/\)/);
    assert.match((await machine.visit('shop.test')).body, /^version 3:/);

    // Assets of releases that are kept stay reachable, and go with them.
    const next = async (of: string): Promise<void> => {
      repository.commit({
        message: of,
        files: { 'app.py': webApp(of), 'public/app.css': of, 'public/one-1f3a.css': null },
      });
      await deploy();
    };
    const served = (name: string) => machine.visit('shop.test', `/static/${name}`);
    await next('5');
    assert.deepEqual(await served('one-1f3a.css'), { status: 200, body: 'one' });
    assert.equal((await served('app.css')).body, '5');
    await next('6');
    assert.equal((await served('one-1f3a.css')).status, 200);
    await next('7');
    assert.equal((await served('one-1f3a.css')).status, 404);
    assert.match((await machine.visit('shop.test')).body, /^version 7:/);
  });

  it("a site in a folder of the login user's own needs no sudo", async () => {
    await machine.sh(
      "sed -i 's#^import .*#import /home/deploy/sites/*.caddy#' /etc/caddy/Caddyfile; install -d -o deploy -g deploy /home/deploy/sites; systemctl reload caddy; chmod 600 /usr/bin/sudo",
    );
    try {
      await machine.sh('rm -rf /home/deploy/site');
      configure(
        'watch = 1s',
        'systemd = user',
        'proxy_dir = /home/deploy/sites',
        'domain_name = own.test',
        '[process web]',
        'command = python3 app.py',
        'socket = 8127',
      );
      await deploy();
      assert.match((await machine.visit('own.test')).body, /^version 7:/);
    } finally {
      await machine.sh('chmod 4755 /usr/bin/sudo');
    }
  });
});
