/** A disk that is full, before the run or in its middle: one sentence, nothing live, nothing left. Needs a file system of its own: root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { assertTidy, commitVersion } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const canMount = process.getuid?.() === 0;

/** Puts a small file system of its own under the second server's project_dir; its path, undefined where that may not be. */
function mountSmall(world: World): string | undefined {
  const site = world.site(1);
  mkdirSync(site, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=755', 'none', site], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  return site;
}

function errorOf(result: CliResult): { code: string; message: string; changed: boolean } {
  return finishedOf(result)['error'] as { code: string; message: string; changed: boolean };
}

for (const transfer of ['stream', 'rsync'] as const)
  (canMount ? describe : describe.skip)(`a full disk on one of two servers (${transfer})`, function () {
    const conf = (...lines: string[]): void =>
      world.configure(['spare = no', `transfer = ${transfer}`, ...lines]);
    let world: World;
    let mounted: string | undefined;
    before(async function () {
      world = await makeWorld({ servers: [{}, { seesMounts: true }] });
      mounted = mountSmall(world);
      // A container without the right to mount.
      if (mounted === undefined) return this.skip();
      conf();
    });
    after(async () => {
      if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
      await world.remove();
    });

    function assertFull(result: CliResult): void {
      assert.equal(result.status, 1);
      const error = errorOf(result);
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
        conf(hook);
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
      conf();
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

(canMount ? describe : describe.skip)('a full disk with strategy: inplace', function () {
  let world: World;
  let mounted: string | undefined;
  let version = 0;
  const conf = (...lines: string[]): void => world.configure(['strategy = inplace', ...lines]);
  const text = (path: string, server: number): string => readFileSync(join(world.site(server), path), 'utf8');
  const paths = ['index.html', '00-first.txt', 'zz/last.txt'];
  /** Every file of the server is one of these versions'. */
  const assertOf = (server: number, ...versions: string[]): void => {
    for (const path of paths) assert.ok(versions.includes(text(path, server).trim()), path);
  };
  const onSecond = (command: string): string =>
    `[ "$DURANT_SERVER" != ${world.servers[1]?.entry ?? ''} ] || { ${command}; }`;
  before(async function () {
    world = await makeWorld({ servers: [{}, { seesMounts: true }] });
    mounted = mountSmall(world);
    if (mounted === undefined) return this.skip();
    conf();
  });
  after(async () => {
    if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
    await world.remove();
  });

  it('is known before anything is changed where the tree does not fit', async () => {
    commitVersion(world, 'too big', { 'big.bin': randomBytes(8e6) });
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 1);
    assert.equal(errorOf(result).code, 'disk-full');
    assert.equal(errorOf(result).changed, false);
    assert.deepEqual(readdirSync(world.site(1)), []);
    commitVersion(world, 'v0', { 'big.bin': null });
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });

  for (const transfer of ['stream', 'rsync'] as const)
    it(`during the transfer (${transfer}): what stands there is as it was, on both servers`, async () => {
      version += 1;
      commitVersion(world, `v${version}`, { 'big.bin': randomBytes(2e6) });
      const before = text('index.html', 0).trim();
      conf(
        `transfer = ${transfer}`,
        `after_release = ${onSecond('dd if=/dev/zero of=filler bs=1k count=5000 2>/dev/null')}`,
      );
      const result = await world.run(['--json', 'deploy', 'production']);
      rmSync(join(world.site(1), 'filler'), { force: true });
      assert.equal(result.status, 1, result.stdout);
      assert.equal(errorOf(result).code, 'disk-full', result.stdout);
      assert.equal(errorOf(result).changed, false);
      for (const server of [0, 1]) {
        assertOf(server, before);
        assert.equal(existsSync(join(world.site(server), 'big.bin')), false);
        assert.deepEqual(
          readdirSync(join(world.site(server), '.durant')).filter((name) => /incoming|lock/.test(name)),
          [],
        );
      }
      conf(`transfer = ${transfer}`);
      const again = await world.run(['deploy', 'production']);
      assert.equal(again.status, 0, again.stderr);
      for (const server of [0, 1]) assertOf(server, `v${version}`);
      commitVersion(world, `v${version} small`, { 'big.bin': null });
      conf('delete = yes');
      assert.equal((await world.run(['deploy', 'production'])).status, 0);
    });

  // With no page left it fails before the first file is put in place, with a few at one of the notes that it takes.
  for (const pages of [0, 1, 2, 3, 4, 6, 8, 12])
    it(`while the files are put in place, ${pages} pages left: it says how it stands, and a re-run completes it`, async () => {
      const before = text('index.html', 1).trim();
      version += 1;
      commitVersion(world, `v${version}`);
      const fill = `dd if=/dev/zero of=filler bs=4k 2>/dev/null; truncate -s -${pages * 4096} filler`;
      conf(`before_update_code = ${onSecond(fill)}`);
      const result = await world.run(['--json', 'deploy', 'production']);
      if (result.status !== 0) {
        const error = errorOf(result);
        assert.equal(error.code, 'disk-full', result.stdout);
        assert.match(error.message, /[Ff]ree some space/);
        const servers = finishedOf(result)['servers'] as { state: string; error: string | null }[];
        for (const [server, { state, error: said }] of servers.entries()) {
          // On the first it may not have begun.
          if (server === 1) assert.equal(state, 'failed');
          if (state !== 'failed') continue;
          assert.match(said ?? '', /project_dir|could not be started|[Ff]ree some space/);
        }
        for (const server of [0, 1]) assertOf(server, before, `v${version}`);
      }
      rmSync(join(world.site(1), 'filler'), { force: true });
      conf();
      const again = await world.run(['--json', 'deploy', 'production']);
      assert.equal(again.status, 0, again.stdout);
      for (const server of [0, 1]) {
        assertOf(server, `v${version}`);
        assert.deepEqual(
          readdirSync(join(world.site(server), '.durant')).filter((name) =>
            /incoming|lock|new$|tmp$/.test(name),
          ),
          [],
        );
      }
    });
});
