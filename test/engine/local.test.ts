/** `server = local`: this machine without SSH, with the same promises. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, startCli, type CliHome } from '../support/cli.ts';
import { processesWithEnvironment } from '../support/processes.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { waitFor } from '../support/wait.ts';
import { onEvent, step } from '../e2e/faultsSupport.ts';
import type { JsonLine } from '../support/cli.ts';

describe('a local server', function () {
  let home: CliHome;
  let repository: Repository;
  let site: string;
  let version = 0;
  before(async () => {
    home = await makeCliHome();
    repository = makeRepository([{ message: 'v0', files: { 'index.html': 'v0\n', 'b.txt': 'b\n' } }]);
    site = join(mkdtempSync(join(tmpdir(), 'durant-local-')), 'site');
  });
  after(async () => {
    await home.remove();
    repository.remove();
    rmSync(join(site, '..'), { recursive: true, force: true });
  });
  beforeEach(() => {
    repository.commit({ message: `v${++version}`, files: { 'index.html': `v${version}\n` } });
    configure();
  });

  function configure(...lines: readonly string[]): void {
    writeFileSync(
      join(repository.directory, 'durant.conf'),
      [
        '[here]',
        'repository = .',
        'server = local',
        `project_dir = ${site}`,
        'spare = no',
        ...lines,
        '',
      ].join('\n'),
    );
  }
  const run = (...args: readonly string[]) => runCli(args, { home, cwd: repository.directory });
  const start = (...args: readonly string[]) => startCli(args, { home, cwd: repository.directory });
  const live = () => readFileSync(join(site, 'current/index.html'), 'utf8');
  const mark = () => Object.entries(home.env).find(([name]) => name === 'DURANT_TEST_CLI')?.[1] ?? '';
  const running = async (pattern: RegExp) =>
    (await processesWithEnvironment('DURANT_TEST_CLI', mark())).filter(({ command }) =>
      pattern.test(command),
    );
  const assertTidy = () =>
    assert.deepEqual(readdirSync(join(site, '.durant')).toSorted(), [
      'history.log',
      'manifests',
      'releases',
      'version',
    ]);

  it('is deployed to, found live, and rolled back', async () => {
    assert.equal((await run('deploy', 'here')).status, 0);
    assert.equal(live(), `v${version}\n`);
    const first = readlinkSync(join(site, 'current'));
    assert.equal((await run('deploy', 'here')).status, 0);
    assert.equal(readlinkSync(join(site, 'current')), first);
    repository.commit({ message: 'next', files: { 'index.html': 'next\n' } });
    assert.equal((await run('deploy', 'here')).status, 0);
    assert.equal(live(), 'next\n');
    assert.equal((await run('rollback', 'here')).status, 0);
    assert.equal(readlinkSync(join(site, 'current')), first);
    assertTidy();
  });

  const moments: readonly (readonly [string, (event: JsonLine) => boolean])[] = [
    ['the lock is held', step('lock', 'done')],
    ['update_code', step('update_code', 'running')],
    ['a hook', (event) => event['line'] === 'waiting'],
    ['the switch', step('symlink', 'running')],
  ];
  for (const [name, event] of moments)
    it(`killed at ${name}: a plain re-run is enough, and what it ran is ended`, async () => {
      const go = join(home.directory, 'go');
      const waits = name === 'a hook';
      if (!waits) writeFileSync(go, '');
      configure(`before_symlink = test -e ${go} || { echo waiting; sleep 1000; }`);
      const killed = start('--json', 'deploy', 'here');
      onEvent(killed, event, () => killed.kill());
      assert.equal((await killed.result).status, 137);
      writeFileSync(go, '');
      const again = await run('deploy', 'here');
      assert.equal(again.status, 0, again.stderr);
      rmSync(go);
      assert.equal(live(), `v${version}\n`);
      await waitFor('the hook to end', async () => (await running(/sleep 1000/)).length === 0);
      assertTidy();
    });

  for (const trap of ['', "trap '' TERM; "])
    it(`Ctrl+C${trap === '' ? '' : ' against a hook that ignores TERM'}: undone, exit 130`, async () => {
      const before = readlinkSync(join(site, 'current'));
      configure(`after_update_code = ${trap}echo on; sleep 1000; sleep 1000`);
      const interrupted = start('--json', 'deploy', 'here');
      onEvent(
        interrupted,
        (event) => event['line'] === 'on',
        () => interrupted.interrupt(),
      );
      assert.equal((await interrupted.result).status, 130);
      assert.equal(readlinkSync(join(site, 'current')), before);
      await waitFor('the hook to end', async () => (await running(/sleep 1000/)).length === 0);
      assertTidy();
    });

  it('a failing health check goes back', async () => {
    const before = readlinkSync(join(site, 'current'));
    configure('health_retries = 0', 'health_check = exit 1');
    assert.equal((await run('deploy', 'here')).status, 1);
    assert.equal(readlinkSync(join(site, 'current')), before);
    assertTidy();
  });

  it('its lock keeps another user out', async () => {
    const other = await makeCliHome();
    try {
      configure(`after_lock = echo on; while test -e ${site}/../hold; do sleep 0.05; done`);
      writeFileSync(join(site, '../hold'), '');
      const first = start('--json', 'deploy', 'here');
      await first.waitForEvent((event) => event['line'] === 'on');
      assert.equal((await runCli(['deploy', 'here'], { home: other, cwd: repository.directory })).status, 3);
      rmSync(join(site, '../hold'));
      assert.equal((await first.result).status, 0);
    } finally {
      await other.remove();
    }
    assert.equal(existsSync(join(site, '.durant/lock')), false);
  });
});
