/** What happens between the switch of the first and the second server: client dead, line dead, lock gone, cancelled. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult, CliRun } from '../support/cli.ts';
import { endProcesses } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { assertTidy, commitVersion, stateOf, step, watchLive, type Watch } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('between the switch of the first and the second server', function () {
  let world: World;
  let tools: string;
  let hold: string;
  let watch: Watch;
  let version = 0;

  before(async () => {
    // On the second server every move onto `current` waits while the file `hold` is there.
    tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
    hold = join(tools, 'hold');
    mkdirSync(join(tools, 'bin'));
    writeFileSync(
      join(tools, 'bin/mv'),
      `#!/bin/sh\ncase "$*" in *" current") echo x >> ${tools}/asked; while [ -e ${hold} ]; do sleep 0.02; done;; esac\nexec /bin/mv "$@"\n`,
      { mode: 0o755 },
    );
    world = await makeWorld({
      servers: [{}, { path: `${join(tools, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin` }],
      line: 'proxied',
    });
    commitVersion(world, 'v0');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(async () => {
    rmSync(tools, { recursive: true, force: true });
    await world.remove();
  });
  beforeEach(() => {
    world.configure(['spare = no', 'keep_releases = -1']);
    commitVersion(world, `v${++version}`);
    watch = watchLive(world);
  });
  afterEach(async () => {
    rmSync(hold, { force: true });
    world.proxies[1]?.mend();
    await watch.end();
  });

  /** Starts a command and brings it to where the first server is switched and the second about to be. */
  async function startHeld(args: readonly string[] = ['deploy', 'production']): Promise<CliRun> {
    const before = world.live(0);
    writeFileSync(hold, '');
    writeFileSync(join(tools, 'asked'), '');
    const run = world.start(['--json', ...args]);
    await waitFor(
      'the first switch',
      () => world.live(0) !== before && readFileSync(join(tools, 'asked'), 'utf8') !== '',
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${run.output().stdout}`);
    });
    return run;
  }

  async function killHeld(args?: readonly string[]): Promise<void> {
    const run = await startHeld(args);
    run.kill();
    await run.result;
    // The second server goes down before it switches.
    endProcesses((await world.servers[1]?.processes()) ?? []);
    rmSync(hold);
  }

  async function assertMixed(mixed: boolean): Promise<void> {
    const status = JSON.parse((await world.run(['--json', 'status', 'production'])).stdout);
    assert.equal(status.stages[0].mixed, mixed);
  }

  const servers = (result: CliResult) =>
    finishedOf(result)['servers'] as readonly { state: string; current: string | null }[];

  it('killed: status says mixed, and a plain re-run makes it live everywhere', async () => {
    const releases = world.releases().length;
    await killHeld();
    await assertMixed(true);
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(world.read('index.html', 1), `v${version}\n`);
    assert.equal(world.releases().length, releases + 1);
    assertTidy(world);
  });

  it('killed: both are back without another run', async () => {
    const before = world.live(1);
    await killHeld();
    await waitFor('the first to be back', () => world.live(0) === before, 60_000);
    await assertMixed(false);
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    assertTidy(world);
  });

  it('killed: the next run makes the servers agree, also when it then fails itself', async () => {
    const before = world.live(1);
    await killHeld();
    commitVersion(world, `v${++version}`);
    world.configure(['before_symlink = false']);
    const failed = await world.run(['--json', 'deploy', 'production']);
    assert.equal(failed.status, 1);
    assert.ok(failed.events.some((event) => event['code'] === 'switched-back'));
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    assertTidy(world);
  });

  it('killed: a re-run of the same commit that fails leaves the servers on what was live before', async () => {
    const before = world.live(1);
    world.configure(['before_symlink = test ! -e ~/fail']);
    await killHeld();
    for (const { home } of world.servers) writeFileSync(join(home, 'fail'), '');
    const failed = await world.run(['deploy', 'production']);
    for (const { home } of world.servers) rmSync(join(home, 'fail'));
    assert.equal(failed.status, 1);
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    assertTidy(world);
  });

  it('killed: a rollback brings them back to one release', async () => {
    const before = world.live(1);
    await killHeld();
    const back = await world.run(['rollback', 'production']);
    assert.equal(back.status, 0, back.stderr);
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    await assertMixed(false);
  });

  it('a rollback killed: the next run makes the servers agree first', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    await killHeld(['rollback', 'production']);
    await assertMixed(true);
    commitVersion(world, `v${++version}`);
    world.configure(['before_symlink = false']);
    assert.equal((await world.run(['deploy', 'production'])).status, 1);
    await assertMixed(false);
    world.configure([]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assertTidy(world);
  });

  it('the line of the second is cut: the first goes back, the next run makes them agree first', async () => {
    const before = world.live(1);
    const run = await startHeld();
    world.proxies[1]?.cut();
    rmSync(hold);
    const result = await run.result;
    assert.equal(result.status, 1);
    assert.equal(world.live(0), before);
    assert.deepEqual(
      servers(result).map(({ state }) => state),
      ['reverted', 'unknown'],
    );
    assert.equal((finishedOf(result)['error'] as { changed: boolean }).changed, true);
    await waitFor('the switch to happen there all the same', () => world.live(1) !== before);
    world.proxies[1]?.mend();
    await assertMixed(true);
    const again = await world.run(['--json', 'deploy', 'production']);
    assert.equal(again.status, 0, again.stdout);
    assert.equal(world.read('index.html', 0), `v${version}\n`);
    assertTidy(world);
  });

  it('Ctrl+C: switched back everywhere, exit 130', async () => {
    const before = world.live(1);
    const run = await startHeld();
    run.interrupt();
    rmSync(hold);
    const result = await run.result;
    assert.equal(result.status, 130);
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    assert.deepEqual(
      servers(result).map(({ state, current }) => [state, current]),
      [
        ['reverted', before],
        ['reverted', before],
      ],
    );
    assert.equal(stateOf(world, String(finishedOf(result)['release'])), 'failed');
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    assertTidy(world);
  });

  it('a lock that changed hands: nothing is switched there, and nothing of the other run is touched', async () => {
    const before = world.live(1);
    world.configure(['spare = no', 'before_symlink = echo ready; while [ -e ~/wait ]; do sleep 0.05; done']);
    // Only the first waits: no server is switched while another's hook still runs.
    const { home = '' } = world.servers[0] ?? {};
    writeFileSync(join(home, 'wait'), '');
    const run = world.start(['--json', 'deploy', 'production']);
    await run.waitForEvent(
      (event) => event['line'] === 'ready' && event['server'] === world.servers[0]?.entry,
    );
    await run.waitForEvent(
      (event) => event['line'] === 'ready' && event['server'] === world.servers[1]?.entry,
    );
    await waitFor(
      'the second to be prepared',
      () => stateOf(world, world.releases(1).at(-1) ?? '', 1) === 'prepared',
    );
    const lock = join(world.site(1), '.durant/lock');
    const other = readFileSync(lock, 'utf8').replace(/^run = .*$/m, 'run = "20990101000000-0badcafe"');
    writeFileSync(lock, other);
    rmSync(join(home, 'wait'));
    const result = await run.result;
    assert.equal(result.status, 1);
    const { release, error } = finishedOf(result);
    assert.equal((error as { code: string }).code, 'lock-lost');
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    // The first may have been stopped before its own switch.
    assert.match(servers(result)[0]?.state ?? '', /^(reverted|unchanged)$/);
    assert.equal(readFileSync(lock, 'utf8'), other, 'the lock is left to its holder');
    assert.equal(
      stateOf(world, String(release), 1),
      'prepared',
      'the other run may be using what was prepared',
    );
    assert.equal((await world.run(['deploy', 'production'])).status, 3, "another machine's run is not ours");
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    assertTidy(world);
  });

  it('no server cleans up before all are switched', async () => {
    const run = await startHeld();
    rmSync(hold);
    const result = await run.result;
    assert.equal(result.status, 0);
    const order = result.events.filter(
      (event) => step('symlink', 'done')(event) || step('cleanup', 'running')(event),
    );
    assert.deepEqual(
      order.map((event) => event['step']),
      ['symlink', 'symlink', 'cleanup', 'cleanup'],
    );
  });
});
