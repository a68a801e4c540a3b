/** A disk that is full, before the run or in its middle: one sentence, nothing live, nothing left. Needs a file system of its own: root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { assertTidy, commitVersion } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const canMount = process.getuid?.() === 0;

(canMount ? describe : describe.skip)('a full disk on one of two servers', function () {
  this.timeout(60_000);
  let world: World;
  let mounted: string | undefined;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
    mkdirSync(world.site(1), { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=755', 'none', world.site(1)], {
        stdio: 'pipe',
      });
    } catch {
      // A container without the right to mount.
      return this.ctx['skip']();
    }
    mounted = world.site(1);
    world.configure(['spare = no']);
  });
  after(async () => {
    if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
    await world.remove();
  });

  function assertFull(result: CliResult): void {
    assert.equal(result.status, 1);
    const { error } = finishedOf(result) as { error: { code: string; message: string; changed: boolean } };
    assert.equal(error.code, 'disk-full', result.stdout);
    assert.ok(error.message.includes(world.servers[1]?.entry ?? '?'));
    assert.match(error.message, /[Ff]ree some space/);
    assert.equal(error.changed, false);
  }

  it('is known before anything is changed where the tree does not fit', async () => {
    commitVersion(world, 'too big', { 'big.bin': randomBytes(8e6) });
    assertFull(await world.run(['--json', 'deploy', 'production']));
    for (const server of [0, 1]) {
      const made = existsSync(world.site(server)) ? readdirSync(world.site(server)) : [];
      assert.deepEqual(made, []);
    }
  });

  for (const [title, hook] of [
    ['during the transfer', 'after_release = dd if=/dev/zero of=../../filler bs=1k count=5000 2>/dev/null'],
    ['by a hook in the release', 'after_update_code = dd if=/dev/zero of=filler bs=1k count=20000'],
  ] as const)
    it(`${title}: nothing live, everything removed, the lock gone`, async () => {
      commitVersion(world, 'small', { 'big.bin': randomBytes(2e6) });
      world.configure(['spare = no', `${hook.replace(' = ', ' = [ "$(pwd -P | cut -c1-1)" = / ] && ')}`]);
      const result = await world.run(['--json', 'deploy', 'production']);
      rmSync(join(world.site(1), 'filler'), { force: true });
      rmSync(join(world.site(0), 'filler'), { force: true });
      assert.equal(result.status, 1, result.stdout);
      if (title === 'during the transfer') assertFull(result);
      else assert.match(JSON.stringify(finishedOf(result)['error']), /No space left on device/);
      for (const server of [0, 1]) {
        assert.equal(world.live(server), undefined);
        assert.deepEqual(world.releases(server), []);
      }
      assertTidy(world);
    });

  it('then a plain re-run succeeds once there is room', async () => {
    world.configure(['spare = no']);
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    assertTidy(world);
  });

  it('before the next release: what is live stays live', async () => {
    const before = world.live(1);
    commitVersion(world, 'next', { 'big.bin': randomBytes(3.5e6) });
    const result = await world.run(['--json', 'deploy', 'production']);
    assertFull(result);
    for (const server of [0, 1]) assert.equal(world.live(server), before);
    assertTidy(world);
  });
});
