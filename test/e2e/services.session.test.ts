/** A server that ends what a user leaves behind when its session ends (`KillUserProcesses`), on a real logind and systemd. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { canBootSystemd, useSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';

const LINGER = 'var/lib/systemd/linger/deploy';

describe('a server that ends processes with the session', function () {
  this.timeout(120_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  const logind = (): string => join(machine.root, 'etc/systemd/logind.conf.d');
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project });

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([{ message: '1', files: { 'app.py': webApp('1') } }]);
    mkdirSync(logind());
    writeFileSync(join(logind(), 'kill.conf'), '[Login]\nKillUserProcesses=yes\n');
    await machine.sh('systemctl restart systemd-logind');
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.server.entry}`,
        'project_dir = ~/site',
        'app = shop',
        'spare = no',
        'watch = 1s',
        'drain = 1s',
        'domain_name = shop.test',
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
        '',
      ].join('\n'),
    );
  });
  after(async () => {
    if (machine !== undefined) {
      writeFileSync(join(machine.root, LINGER), '');
      rmSync(logind(), { recursive: true, force: true });
      await machine.sh('systemctl restart systemd-logind');
    }
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('is said to, with what it takes to keep them', async () => {
    rmSync(join(machine.root, LINGER));
    const { stdout, stderr } = await run('check', '--connect', 'production');
    assert.match(
      stdout + stderr,
      /KillUserProcesses in logind.conf\), these among them: the dead man's switch [^]*what stops the old process after drain [^]*sudo loginctl enable-linger deploy/,
    );
    writeFileSync(join(machine.root, LINGER), '');
    const lingering = await run('check', '--connect', 'production');
    assert.doesNotMatch(lingering.stdout + lingering.stderr, /KillUserProcesses/);
  });

  it('goes on with them where the user lingers: what drains comes to its end', async () => {
    for (const version of ['1', '2']) {
      repository.commit({ message: version, files: { 'app.py': webApp(version) } });
      const result = await run('deploy', 'production');
      assert.equal(result.status, 0, result.stdout + result.stderr);
      assert.doesNotMatch(result.stderr, /KillUserProcesses/);
    }
    await waitFor(
      'the end of the old process',
      () =>
        readdirSync(join(machine.root, 'home/deploy/site/.durant')).every(
          (name) => !name.startsWith('drain'),
        ),
      30_000,
    );
    const units = readdirSync(join(machine.root, 'etc/systemd/system')).filter((name) =>
      /^shop.*service$/.test(name),
    );
    assert.equal(units.length, 1, units.join());
  });

  it('waits for no drain that the end of a boot has ended', async () => {
    const conf = join(project, 'durant.conf');
    const before = readFileSync(conf, 'utf8');
    const deploy = async (version: string, drain: string): Promise<string> => {
      writeFileSync(conf, before.replace('drain = 1s', `drain = ${drain}`));
      repository.commit({ message: version, files: { 'app.py': webApp(version) } });
      const { status, stdout, stderr } = await run('deploy', 'production');
      assert.equal(status, 0, stdout + stderr);
      return stdout + stderr;
    };
    await deploy('3', '10m');
    await machine.sh("sed -i 's/^boot=.*/boot=another/' /home/deploy/site/.durant/draining");
    assert.doesNotMatch(await deploy('4', '0s'), /waits at most/);
    await waitFor(
      'the end of the old processes',
      async () => (await machine.sh('ls /etc/systemd/system | grep -c "^shop.*service$"')).trim() === '1',
      30_000,
    );
  });
});
