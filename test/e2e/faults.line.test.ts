/** The line to one of two servers is cut or goes silent after more and more bytes; a plain re-run is all that it takes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertTidy, commitVersion, watchLive } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a line that breaks', function () {
  let world: World;
  let version = 0;
  before(async () => {
    world = await makeWorld({ servers: [{ tools: 'busybox' }, {}], line: 'proxied' });
    world.configure(['spare = no', 'keep_releases = -1', 'connect_timeout = 10s']);
    // A dead line is noticed in seconds instead of the default minute.
    appendFileSync(
      join(world.home.directory, 'ssh/ssh_config'),
      '  ServerAliveInterval 3\n  ServerAliveCountMax 2\n',
    );
    commitVersion(world, 'v0');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(() => world.remove());

  it('a record that was being written goes with the next run', async () => {
    commitVersion(world, `v${++version}`);
    appendFileSync(join(world.site(1), '.durant/record.tmp'), 'name = ');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assertTidy(world);
  });

  const codes = ['connection-lost', 'host-unreachable', 'timeout'];

  async function breakAndRerun(
    kind: 'cut' | 'stall',
    when: { readonly afterBytes: number; readonly direction: 'up' | 'down' },
  ): Promise<void> {
    commitVersion(world, `v${++version}`, { 'big.bin': randomBytes(400_000) });
    const before = [world.live(0), world.live(1)];
    const releases = world.releases().length;
    const proxy = world.proxies[1];
    const watch = watchLive(world);
    try {
      proxy?.[kind](when);
      const run = await world.run(['--json', 'deploy', 'production']);
      const { ok, error } = finishedOf(run) as { ok: boolean; error: { code: string; message: string } };
      proxy?.mend();
      if (ok) {
        // It broke when the run was live already: that is a warning.
        assert.equal(run.status, 0);
        assert.equal(world.live(0), world.live(1));
      } else {
        assert.equal(run.status, 1);
        assert.ok(codes.includes(error.code), run.stdout);
        assert.match(error.message, new RegExp(world.servers[1]?.entry ?? ''));
        assert.equal(world.live(0), before[0], 'nobody was left switched alone');
      }
      const again = await world.run(['--json', 'deploy', 'production']);
      assert.equal(again.status, 0, again.stdout);
    } finally {
      proxy?.mend();
      await watch.end();
    }
    assert.equal(world.read('index.html', 1), `v${version}\n`);
    assert.equal(world.releases().length, releases + 1);
    assertTidy(world);
  }

  for (const afterBytes of [0, 300, 3_000, 6_000, 9_000, 12_000, 15_000, 100_000, 410_000, 414_000, 418_000])
    it(`cut after ${afterBytes} bytes to the server`, () =>
      breakAndRerun('cut', { afterBytes, direction: 'up' }));

  for (const afterBytes of [2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000])
    it(`cut after ${afterBytes} bytes from the server`, () =>
      breakAndRerun('cut', { afterBytes, direction: 'down' }));

  for (const afterBytes of [300, 100_000])
    it(`silent after ${afterBytes} bytes to the server`, () =>
      breakAndRerun('stall', { afterBytes, direction: 'up' }));
});
