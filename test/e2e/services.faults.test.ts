/** The client dies, or the line, while services are being changed, on a real systemd: the site answers, and a plain re-run is all that it takes. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  makeCliHome,
  runCli,
  startCli,
  type CliHome,
  type CliResult,
  type JsonLine,
} from '../support/cli.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { useSystemd, canBootSystemd, startVisitor, type SystemdServer } from '../support/systemd.ts';
import { throughProxy } from '../support/throughProxy.ts';
import { webApp } from '../support/webApp.ts';
import { waitFor } from '../support/wait.ts';
import { onEvent, step } from './faultsSupport.ts';
import { finishedOf } from './world.ts';

const site = '/home/deploy/site';

for (const publish of ['restart', 'beside'] as const)
  describe(`a fault while services are changed (publish: ${publish})`, function () {
    this.timeout(180_000);
    let machine: SystemdServer;
    let proxy: Proxy;
    let home: CliHome;
    let project: string;
    let repository: Repository;
    let entry: string;
    let version = 1;

    const configure = (...lines: string[]): void =>
      writeFileSync(
        join(project, 'durant.conf'),
        [
          '[production]',
          `repository = ${repository.directory}`,
          `server = ${entry}`,
          'project_dir = ~/site',
          'app = shop',
          'spare = no',
          'health_retries = 1',
          'watch = 1s',
          'connect_timeout = 10s',
          'domain_name = shop.test',
          `publish = ${publish}`,
          'drain = 1s',
          ...lines,
          '[process web]',
          'command = python3 app.py',
          'socket = yes',
          '[process worker]',
          'command = sleep 1000',
          'replicas = 2',
          '',
        ].join('\n'),
      );
    const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project });
    const commit = (app = webApp(String(version + 1))): void => {
      version += 1;
      repository.commit({ message: `Version ${version}`, files: { 'app.py': app } });
    };
    const seen = async () => (await machine.visit('shop.test')).body;
    const web = (): string =>
      publish === 'restart'
        ? 'shop'
        : `shop-web@${basename(readlinkSync(join(machine.root, site, 'current')))}`;
    const units = async (): Promise<string> => {
      await waitFor('the end of what drains', () =>
        readdirSync(join(machine.root, site, '.durant')).every((name) => !name.startsWith('draining')),
      );
      return machine.sh(
        `systemctl is-active ${web()}.service ${web()}.socket shop-worker@1 shop-worker@2 2>&1 | tr "\\n" " "; ls /etc/systemd/system | grep -c "^shop\\|\\.durant\\."`,
      );
    };

    /** The live release is the one that answers, all its units are up, and nothing of a dead run is left. */
    async function assertTidy(): Promise<void> {
      assert.match(await seen(), new RegExp(`^version ${version}:`));
      assert.equal(await units(), 'active active active active 3\n');
      const below = (path: string) => readdirSync(join(machine.root, site, path)).toSorted();
      const releases = below('releases');
      assert.deepEqual(below('.durant'), ['history.log', 'manifests', 'releases', 'version']);
      assert.deepEqual(
        below('.durant/releases'),
        releases.flatMap((name) => [`${name}.ini`, `${name}.services`]).toSorted(),
      );
      const records = releases.map((name) =>
        readFileSync(join(machine.root, site, `.durant/releases/${name}.ini`), 'utf8'),
      );
      for (const record of records) assert.match(record, /^state = "(finished|bad)"$/m);
    }

    before(async function () {
      // On a bare machine the server's tree is made first, from packages.
      this.timeout(600_000);
      if (!canBootSystemd()) return this.skip();
      machine = await useSystemd();
      proxy = await startProxy({ port: machine.server.port });
      const through = throughProxy(machine.server, proxy);
      entry = through.entry;
      home = await makeCliHome([through]);
      // A dead line is noticed in seconds instead of the default minute.
      appendFileSync(
        join(home.directory, 'ssh/ssh_config'),
        '  ServerAliveInterval 3\n  ServerAliveCountMax 3\n',
      );
      project = mkdtempSync(join(tmpdir(), 'durant-project-'));
      repository = makeRepository([{ message: 'Version 1', files: { 'app.py': webApp('1') } }]);
      configure();
      const first = await run('deploy', 'production');
      assert.equal(first.status, 0, first.stderr);
    });
    after(async () => {
      await proxy?.stop();
      await home?.remove();
      repository?.remove();
      if (project !== undefined) rmSync(project, { recursive: true, force: true });
    });
    afterEach(() => proxy?.mend());

    it("the client killed in the health check: the dead man's switch puts the link and changed units back", async () => {
      // Where seconds are to pass quickly: the watcher counts them by this.
      await machine.sh(
        `printf '#!/bin/sh\\n[ "$1" = 1 ] && [ -e /tmp/hurry ] && exit 0\\nexec /usr/bin/sleep "$@"\\n' > /usr/local/bin/sleep; chmod 755 /usr/local/bin/sleep`,
      );
      const link = () => readlinkSync(join(machine.root, site, 'current'));
      const before = link();
      const tidy = await units();
      repository.commit({ message: 'Not confirmed', files: { 'app.py': webApp('unconfirmed') } });
      configure('health_check = sleep 3', '[process extra]', 'command = sleep 1000');
      const started = startCli(['--json', 'deploy', 'production'], { home, cwd: project });
      onEvent(started, step('health_check', 'running'), () => started.kill());
      await started.result;
      assert.notEqual(link(), before);
      assert.match(await seen(), /^version unconfirmed:/);
      assert.equal(await machine.sh('systemctl is-active shop-extra'), 'active\n');
      await machine.sh('touch /tmp/hurry');
      try {
        await waitFor(
          'the watcher to end',
          async () => (await machine.sh(`pgrep -cu deploy -f 'eval "[$]' || true`)).trim() === '0',
          60_000,
        );
      } finally {
        await machine.sh('rm -f /tmp/hurry /usr/local/bin/sleep');
      }
      assert.equal(link(), before);
      assert.match(await seen(), new RegExp(`^version ${version}:`));
      assert.equal(await units(), tidy);
      assert.match(
        readFileSync(join(machine.root, site, '.durant/history.log'), 'utf8'),
        /dead_man \S+ put back/,
      );
      configure();
      commit();
      const again = await run('deploy', 'production');
      assert.equal(again.status, 0, again.stderr);
      await assertTidy();
    });

    const line = (pattern: RegExp) => (event: JsonLine) =>
      event['event'] === 'output' && pattern.test(String(event['line']));
    type Moment = readonly [title: string, at: (event: JsonLine) => boolean, delayMs: number];
    const BESIDE: readonly Moment[] = [
      ['when the step begins', step('beside', 'running'), 0],
      ['while the new one is started beside', step('beside', 'running'), 250],
      ['when it is watched', line(/^started /), 200],
      ['while the site is changed', step('services', 'running'), 100],
      ['when the others are restarted', line(/^restarted /), 0],
      ['while the health check looks', step('health_check', 'running'), 0],
    ];
    const RESTART: readonly Moment[] = [
      ['when the step begins', step('services', 'running'), 0],
      // The script is at work on the server; each of these falls on another of its commands.
      ...[40, 120, 250, 500].map(
        (ms) => [`${ms} ms after it has begun`, step('services', 'running'), ms] as const,
      ),
      ['when everything is restarted', line(/^restarted /), 0],
      ['while the health check looks', step('health_check', 'running'), 0],
    ];

    const MOMENTS = publish === 'restart' ? RESTART : BESIDE;
    for (const fault of ['the client is killed', 'the line is cut'] as const)
      for (const [title, at, delayMs] of MOMENTS)
        it(`${fault} ${title}`, async () => {
          commit();
          const before = version - 1;
          const visitor = startVisitor(() => machine.visit('shop.test'));
          try {
            const deploy = startCli(['--json', 'deploy', 'production'], { home, cwd: project });
            const strike = (): void => (fault === 'the client is killed' ? deploy.kill() : proxy.cut());
            onEvent(deploy, at, () => void (delayMs === 0 ? strike() : setTimeout(strike, delayMs)));
            const broken = await deploy.result;
            if (at === MOMENTS[0]?.[1] && delayMs === 0) assert.notEqual(broken.status, 0, 'it struck');
            if (fault === 'the client is killed')
              // On a quick machine the run may have come to its end.
              assert.ok([137, 0].includes(broken.status), broken.stdout);
            else if (broken.status !== 0) {
              const { error, servers } = finishedOf(broken) as {
                error: { code: string; message: string; changed: boolean };
                servers: { state: string }[];
              };
              assert.match(error.code, /^(connection-lost|host-unreachable|timeout)$/, error.message);
              assert.equal(error.changed, true, 'where the server stands is not known');
              assert.equal(servers[0]?.state, 'unknown');
            }
            proxy.mend();
            const again = await run('--json', 'deploy', 'production');
            assert.equal(again.status, 0, again.stdout);
          } finally {
            proxy.mend();
            const { failures, seen: bodies } = await visitor.end();
            assert.deepEqual(failures, [], 'no visitor was turned away');
            for (const body of bodies) assert.match(body, new RegExp(`^version (${before}|${version}):`));
          }
          await assertTidy();
        });

    it('and the next run is one that fails: the release before runs again, units and all', async () => {
      const before = version;
      commit();
      const deploy = startCli(['--json', 'deploy', 'production'], { home, cwd: project });
      onEvent(deploy, line(/^restarted /), () => deploy.kill());
      await deploy.result;
      commit('import sys\nsys.exit(3)\n');
      const failed = await run('--json', 'deploy', 'production');
      assert.equal(failed.status, 1, failed.stdout);
      assert.equal((finishedOf(failed)['error'] as { code: string }).code, 'health-check-failed');
      assert.match(await seen(), new RegExp(`^version (${before}|${before + 1}):`));
      assert.match(await units(), /^active active active active /);
      repository.git('revert', '--no-edit', 'HEAD');
      version -= 1;
      const again = await run('--json', 'deploy', 'production');
      assert.equal(again.status, 0, again.stdout);
      await assertTidy();
    });

    it('and the next is a rollback, with the units that the release before had', async () => {
      commit();
      const deploy = startCli(['--json', 'deploy', 'production'], { home, cwd: project });
      onEvent(deploy, step('services', 'running'), () => deploy.kill());
      await deploy.result;
      const back = await run('--json', 'rollback', 'production');
      assert.equal(back.status, 0, back.stdout);
      version -= 1;
      assert.match(await seen(), new RegExp(`^version ${version}:`));
      assert.equal(await units(), 'active active active active 3\n');
      assert.equal(existsSync(join(machine.root, site, '.durant/lock')), false);
    });
  });
