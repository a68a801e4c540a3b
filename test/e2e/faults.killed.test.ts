/** The client is killed at every step; what is live stays whole, and a plain re-run is all that it takes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonLine } from '../support/cli.ts';
import {
  assertGone,
  assertTidy,
  commitVersion,
  deployKilledAt,
  deployKilledLate,
  isRunning,
  step,
  watchLive,
} from './faultsSupport.ts';
import { waitFor } from '../support/wait.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

interface Moment {
  readonly at: string;
  readonly event: (world: World) => (event: JsonLine) => boolean;
  /** Whether the dead run holds its lock. */
  readonly locked: boolean;
}

const anywhere = (name: string, state: string) => () => step(name, state);
const output = (line: string) => () => (event: JsonLine) =>
  event['event'] === 'output' && event['line'] === line;

const MOMENTS: readonly Moment[] = [
  { at: 'connect', event: anywhere('connect', 'running'), locked: false },
  { at: 'fetch', event: anywhere('fetch', 'running'), locked: false },
  { at: 'checkout', event: anywhere('checkout', 'running'), locked: false },
  { at: 'the lock was asked for', event: anywhere('lock', 'running'), locked: false },
  { at: 'the lock is held', event: anywhere('lock', 'done'), locked: true },
  { at: 'release', event: anywhere('release', 'running'), locked: true },
  { at: 'update_code begins', event: anywhere('update_code', 'running'), locked: true },
  { at: 'a hook inside the release', event: output('in update_code'), locked: true },
  {
    at: 'update_code is done on one',
    event: (world) => step('update_code', 'done', world.servers[1]),
    locked: true,
  },
  { at: 'before the switch', event: output('before symlink'), locked: true },
  { at: 'the switch begins', event: anywhere('symlink', 'running'), locked: true },
  { at: 'the first is switched', event: anywhere('symlink', 'done'), locked: false },
  { at: 'a hook after the switch', event: output('after symlink'), locked: true },
  { at: 'cleanup', event: anywhere('cleanup', 'running'), locked: false },
  { at: 'after the run went live', event: anywhere('cleanup', 'done'), locked: false },
];

for (const client of ['ssh2', 'openssh'] as const)
  describe(`killed at each step (${client})`, function () {
    let world: World;
    before(async () => {
      world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
      world.configure([
        `ssh_client = ${client}`,
        'spare = no',
        'keep_releases = -1',
        'after_update_code = echo in update_code',
        'before_symlink = echo before symlink',
        'after_symlink = echo after symlink',
      ]);
      commitVersion(world, 'v0');
      assert.equal((await world.run(['deploy', 'production'])).status, 0);
    });
    after(() => world.remove());

    const moments = client === 'ssh2' ? MOMENTS : MOMENTS.filter(({ locked }) => locked).slice(2, 7);
    for (const [index, { at, event, locked }] of moments.entries())
      it(at, async () => {
        const isLate = at === 'cleanup' || at === 'after the run went live';
        commitVersion(world, `v${index + 1}`);
        const releases = world.releases().length;
        const watch = watchLive(world);
        try {
          await (isLate ? deployKilledLate : deployKilledAt)(world, event(world));
          const held = locked && existsSync(join(world.site(), '.durant/lock'));
          // On a busy machine the run may come to its end between the event and the kill.
          if (locked && !held) assert.equal(world.read('index.html'), `v${index + 1}\n`, 'it held the lock');
          const again = await world.run(['--json', 'deploy', 'production']);
          assert.equal(again.status, 0, again.stdout);
          const isSaid = again.events.some((each) => each['code'] === 'lock-taken-over');
          // What the server had been sent before the kill may still have brought the run to its end.
          const { servers } = finishedOf(again) as { servers: readonly { state: string }[] };
          const cameToItsEnd = servers.every(({ state }) => state === 'unchanged');
          if (held) assert.ok(isSaid || cameToItsEnd, 'the take-over is said aloud');
        } finally {
          await watch.end();
        }
        assert.equal(world.read('index.html'), `v${index + 1}\n`);
        assert.equal(world.releases().length, releases + 1);
        assertTidy(world);
      });
  });

describe('killed while something runs on the servers', function () {
  let world: World;
  const wait = 'test -e ~/go || { echo waiting; sleep 1000; }';
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }], line: 'proxied' });
    commitVersion(world, 'v0');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(() => world.remove());

  for (const [name, command] of [
    ['a hook', wait],
    ['a hook that ignores TERM', `trap '' TERM; ${wait.replace('sleep 1000', 'sleep 500; sleep 500')}`],
    ['a hook with a child in the background', `test -e ~/go || { echo waiting; sleep 1000 & wait; }`],
  ] as const)
    it(`${name} is ended by the take-over`, async () => {
      world.configure([`before_symlink = ${command}`]);
      commitVersion(world, name);
      const waiting = new Set<unknown>();
      await deployKilledAt(
        world,
        (event) => event['line'] === 'waiting' && waiting.add(event['server']).size === 2,
      );
      for (const server of [0, 1])
        await waitFor('the hook to sleep', () => isRunning(world, /sleep/, server));
      for (const { home } of world.servers) writeFileSync(join(home, 'go'), '');
      try {
        const again = await world.run(['deploy', 'production']);
        assert.equal(again.status, 0, again.stderr);
      } finally {
        for (const { home } of world.servers) rmSync(join(home, 'go'));
      }
      for (const server of [0, 1]) await assertGone(world, /sleep [15]00/, server);
      assert.equal(world.read('index.html', 1), `${name}\n`);
    });

  for (const megabytes of [0.1, 2, 9])
    it(`the transfer, after ${megabytes} MB to one server`, async () => {
      world.configure(['spare = no', 'keep_releases = -1']);
      commitVersion(world, `big ${megabytes}`, { 'big.bin': randomBytes(10e6) });
      const before = world.releases();
      const watch = watchLive(world);
      const proxy = world.proxies[1];
      try {
        proxy?.stall({ afterBytes: megabytes * 1e6 });
        const run = world.start(['--json', 'deploy', 'production']);
        await proxy?.broken;
        // The other one is complete by then: the re-run resumes it there and begins anew here.
        await run.waitForEvent(step('update_code', 'done', world.servers[0]));
        run.kill();
        await run.result;
        proxy?.mend();
        const again = await world.run(['--json', 'deploy', 'production']);
        assert.equal(again.status, 0, again.stdout);
        assert.equal(finishedOf(again)['ok'], true);
      } finally {
        proxy?.mend();
        await watch.end();
      }
      assert.equal(world.releases().length, before.length + 1);
      assertTidy(world);
    });
});
