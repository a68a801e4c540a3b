/** A server that is booted while a run is unconfirmed, and while an instance drains: on a real systemd, which is really booted. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, startCli, type CliHome } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { canBootSystemd, useSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';

const BOOT_MS = 120_000;

describe('a server that is booted', function () {
  this.timeout(300_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  const configure = (...lines: string[]): void =>
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.server.entry}`,
        'project_dir = ~/site',
        'app = shop',
        'watch = 1s',
        'health_retries = 0',
        'domain_name = shop.test',
        ...lines,
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
        '[process worker]',
        'command = sleep 1000',
        '',
      ].join('\n'),
    );
  const commit = (version: string): void => {
    repository.commit({ message: version, files: { 'app.py': webApp(version) } });
  };
  const deploy = async (): Promise<string> => {
    const { status, stdout, stderr } = await runCli(['deploy', 'production'], { home, cwd: project });
    assert.equal(status, 0, stdout + stderr);
    return stdout + stderr;
  };
  const notes = (): string[] => readdirSync(join(machine.root, 'home/deploy/site/.durant'));
  async function boot(): Promise<void> {
    const bootId = (): Promise<string> => machine.sh('cat /proc/sys/kernel/random/boot_id').catch(() => '');
    const before = await bootId();
    // Its answer may be cut off by what it asks for.
    await machine.sh('systemctl reboot').catch(() => undefined);
    await waitFor('the next boot', async () => !['', before].includes(await bootId()), BOOT_MS);
    await waitFor(
      'its end',
      async () =>
        /^(running|degraded)/.test(
          await machine.sh('systemctl is-system-running --wait || :').catch(() => ''),
        ),
      BOOT_MS,
    );
  }
  /** What the site answers once it does, and the units that run then. */
  async function answers(version: string, instances: number): Promise<void> {
    await waitFor(
      `version ${version}`,
      async () =>
        (await machine.visit('shop.test').catch(() => ({ body: '' }))).body.startsWith(`version ${version}:`),
      30_000,
    );
    const active = (
      await machine.sh("systemctl list-units --state=active --plain --no-legend 'shop*.service'")
    ).trim();
    const [web, others] = [/^shop-web@\S+/gm, /^shop-worker\.service/gm].map(
      (pattern) => active.match(pattern)?.length ?? 0,
    );
    assert.deepEqual([web, others], [instances, 1], active);
  }

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([{ message: '1', files: { 'app.py': webApp('1') } }]);
  });
  after(async () => {
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('runs what the site leads to, though nobody confirmed it; the next deploy finishes that', async () => {
    configure('drain = 1s');
    await deploy();
    commit('2');
    configure('drain = 10m', 'health_check = sleep 600');
    const killed = startCli(['deploy', 'production'], { home, cwd: project });
    await waitFor(
      'its health check',
      async () => (await machine.sh('pgrep -cf "sleep 60[0]" || :')).trim() !== '0',
      60_000,
    );
    killed.kill();
    await killed.result;
    assert.ok(notes().some((name) => name.startsWith('watch.')));
    await boot();
    await answers('2', 1);
    configure('drain = 10m');
    await deploy();
    assert.deepEqual(
      notes().filter((name) => /^(watch|revert)/.test(name)),
      [],
    );
  });

  it('runs the live instance and not the one that drained, and the next deploy waits for nobody', async () => {
    assert.ok(notes().includes('draining'), notes().join());
    await boot();
    await answers('2', 1);
    commit('3');
    configure('drain = 0s');
    assert.doesNotMatch(await deploy(), /waits at most/);
    await waitFor('the end of the old one', () => notes().every((name) => !name.startsWith('drain')), 30_000);
    await answers('3', 1);
    const units = await machine.sh('ls /etc/systemd/system | grep -c "^shop-web@.*service$"');
    assert.equal(units.trim(), '1');
  });
});
