/** Servers whose tools are not GNU's: a whole life on each, told by the files that are there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { awkwardFiles, utf8Path } from '../support/repo.ts';
import { removeTree } from '../support/remove.ts';
import type { SshdOptions } from '../support/sshd.ts';
import { assertSameTree } from '../support/tree.ts';
import { commitVersion } from './faultsSupport.ts';
import { makeWorld, type World } from './world.ts';

const KINDS = ['uutils', 'toybox', 'bsdtar'] as const;
describe('tools of a server', function () {
  let world: World;
  const enter = async (servers: readonly SshdOptions[]) => {
    world = await makeWorld({
      servers,
      commits: [{ message: 'v1', files: { 'index.html': 'v1\n', ...awkwardFiles } }],
    });
  };
  afterEach(() => world.remove());

  const run = async (...args: readonly string[]) => {
    const result = await world.run(['--json', ...args, 'production']);
    assert.equal(result.status, 0, result.stdout);
  };
  const assertLive = (folder: string, version: string) => {
    assert.equal(readFileSync(join(folder, 'index.html'), 'utf8'), `${version}\n`);
    assertSameTree(folder, world.repository.directory, { without: ['.git', 'REVISION', '.durant'] });
  };
  const whole = async () => {
    await run('check', '--connect');
    await run('deploy');
    const [first] = world.releases();
    commitVersion(world, 'v2', { [utf8Path('grün.txt')]: 'green\n' });
    await run('deploy');
    for (const server of world.servers.keys()) {
      assertLive(join(world.site(server), 'current'), 'v2');
      assert.deepEqual(
        readdirSync(join(world.site(server), '.durant')).filter((name) => name.startsWith('current')),
        [],
      );
    }
    await run('verify');
    await run('rollback');
    for (const server of world.servers.keys()) assert.equal(world.live(server), first);
    await run('prune', '-k', '1');
  };

  it(`${KINDS.join(', ')}: deploy, deploy what changed, verify, roll back, prune; then with strategy inplace`, async () => {
    await enter(KINDS.map((tools) => ({ tools })));
    await whole();
    for (const server of world.servers.keys()) removeTree(world.site(server));
    world.configure(['strategy = inplace', 'delete = yes', 'overwrite_newer = no']);
    await run('deploy');
    commitVersion(world, 'v3');
    await run('deploy');
    for (const server of world.servers.keys()) assertLive(world.site(server), 'v3');
  });

  it('what they cannot do is found by check --connect, which leaves nothing there', async () => {
    await enter([{ tools: 'uutils-0.0.17' }]);
    const temporary = process.env['TMPDIR'] ?? '/tmp';
    const before = readdirSync(temporary);
    const result = await world.run(['--json', 'check', '--connect', 'production']);
    assert.equal(result.status, 1);
    const { assessments } = JSON.parse(result.stdout);
    const failed = assessments.filter((each: { readonly ok: boolean }) => !each.ok);
    assert.deepEqual(
      failed.map((each: { readonly step: string }) => each.step),
      ['update_code'],
    );
    // It sorts no bytes that are not UTF-8, and its dd may swallow what is sent.
    assert.match(failed[0].message, /sort: invalid utf-8|could not be unpacked/);
    assert.deepEqual(readdirSync(temporary).toSorted(), before.toSorted());
    assert.equal(existsSync(world.site()), false);
  });
});
