/** Ctrl+C at every step: what it undoes, what it says, and that nothing keeps running anywhere. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult, CliRun, JsonLine } from '../support/cli.ts';
import { waitFor } from '../support/wait.ts';
import { assertGone, assertTidy, commitVersion, isRunning, onEvent, step } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('Ctrl+C', function () {
  let world: World;
  let version = 0;
  const quiet = ['spare = no', 'keep_releases = -1'];
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    world.configure(quiet);
    commitVersion(world, 'v0');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(() => world.remove());
  beforeEach(() => {
    world.configure(quiet);
    commitVersion(world, `v${++version}`);
  });

  const states = (result: CliResult) =>
    (finishedOf(result)['servers'] as readonly { state: string }[]).map(({ state }) => state);

  function assertUndone(result: CliResult, before: string | undefined, kept: readonly string[]): void {
    assert.equal(result.status, 130, result.stdout);
    assert.equal((finishedOf(result)['error'] as { code: string }).code, 'cancelled');
    for (const server of [0, 1]) {
      assert.equal(world.live(server), before);
      assert.deepEqual(world.releases(server), kept);
    }
    assertTidy(world);
  }

  async function interruptAt(matches: (event: JsonLine) => boolean): Promise<CliResult> {
    const run = world.start(['--json', 'deploy', 'production']);
    onEvent(run, matches, () => run.interrupt());
    return run.result;
  }

  for (const [name, state] of [
    ['connect', 'running'],
    ['fetch', 'running'],
    ['checkout', 'running'],
    ['lock', 'running'],
    ['lock', 'done'],
    ['release', 'running'],
    ['update_code', 'running'],
  ] as const)
    it(`at ${name} ${state}: undone, exit 130`, async () => {
      const [before, kept] = [world.live(), world.releases()];
      const result = await interruptAt(step(name, state));
      assertUndone(result, before, kept);
      assert.ok(
        states(result).every((each) => each === 'unchanged'),
        states(result).join(),
      );
      await world.home.quiet();
    });

  it('while before_deploy runs: it is ended', async () => {
    world.configure([...quiet, 'before_deploy = echo begun; sleep 1000 & sleep 1000']);
    const [before, kept] = [world.live(), world.releases()];
    const result = await interruptAt((event) => event['line'] === 'begun');
    assertUndone(result, before, kept);
    await world.home.quiet();
  });

  for (const [hook, trap] of [
    ['before_lock', ''],
    ['after_lock', ''],
    ['before_release', ''],
    ['after_release', ''],
    ['before_update_code', ''],
    ['after_update_code', "trap '' TERM; "],
    ['vendors', ''],
    ['release_command', ''],
    ['before_symlink', "trap '' TERM; "],
  ] as const)
    it(`while ${hook} runs${trap === '' ? '' : ' and ignores TERM'}: it is ended, everything is undone`, async () => {
      world.configure([...quiet, `${hook} = ${trap}echo begun; sleep 1000; sleep 1000`]);
      const [before, kept] = [world.live(), world.releases()];
      const began = new Set<unknown>();
      const wanted = hook === 'release_command' ? 1 : 2;
      const result = await interruptAt(
        (event) => event['line'] === 'begun' && began.add(event['server']).size === wanted,
      );
      assertUndone(result, before, kept);
      for (const server of [0, 1]) await assertGone(world, /sleep 1000/, server);
    });

  for (const key of ['after_symlink', 'health_check'] as const)
    it(`while ${key} runs: every server is switched back`, async () => {
      world.configure([...quiet, `${key} = echo begun; sleep 1000`, 'after_rollback = pwd >> ~/rolled-back']);
      const before = world.live();
      const began = new Set<unknown>();
      const result = await interruptAt(
        (event) => event['line'] === 'begun' && began.add(event['server']).size === 2,
      );
      assert.equal(result.status, 130);
      assert.deepEqual(states(result), ['reverted', 'reverted']);
      for (const server of [0, 1]) {
        assert.equal(world.live(server), before);
        await assertGone(world, /sleep 1000/, server);
        assert.ok(existsSync(join(world.servers[server]?.home ?? '', 'rolled-back')), 'after_rollback ran');
      }
      assertTidy(world);
    });

  for (const key of ['before_cleanup', 'after_cleanup', 'after_deploy'] as const)
    it(`while ${key} runs: the run is done, exit 0`, async () => {
      world.configure([...quiet, `${key} = echo begun; sleep 0.3`]);
      const result = await interruptAt((event) => event['line'] === 'begun');
      assert.equal(result.status, 0, result.stdout);
      assert.equal(finishedOf(result)['ok'], true);
      assert.deepEqual(states(result), ['live', 'live']);
      assert.equal(world.read('index.html', 1), `v${version}\n`);
      assertTidy(world);
    });

  it('while a hook after the health check hangs: what is left of it is skipped, the run is done', async () => {
    world.configure([...quiet, 'after_deploy = echo begun; sleep 1000']);
    const result = await interruptAt((event) => event['line'] === 'begun');
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(states(result), ['live', 'live']);
    for (const server of [0, 1]) await assertGone(world, /sleep 1000/, server);
    assertTidy(world);
  });

  it('a second one stops at once and says what is left; the next deploy clears it up', async () => {
    world.configure([...quiet, "after_update_code = trap '' TERM; echo begun; sleep 1000; sleep 1000"]);
    const run: CliRun = world.start(['deploy', 'production']);
    await run.waitForOutput(/begun/);
    run.interrupt();
    await run.waitForOutput(/Ctrl\+C again/);
    run.interrupt();
    const result = await run.result;
    assert.equal(result.status, 130);
    assert.match(result.stderr, /Stopped at once\. The lock and an unfinished release are left on/);
    for (const { entry } of world.servers) assert.ok(result.stderr.includes(entry));
    world.configure(quiet);
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    for (const server of [0, 1]) await assertGone(world, /sleep 1000/, server);
    assertTidy(world);
  });

  it('a command that exceeds command_timeout is ended, and everything is undone', async () => {
    world.configure([...quiet, 'command_timeout = 1s', 'after_update_code = sleep 1000']);
    const [before, kept] = [world.live(), world.releases()];
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 1);
    const { code, message } = finishedOf(result)['error'] as { code: string; message: string };
    assert.equal(code, 'timeout');
    assert.match(message, /command_timeout/);
    for (const server of [0, 1]) {
      assert.equal(world.live(server), before);
      assert.deepEqual(world.releases(server), kept);
      await assertGone(world, /sleep 1000/, server);
    }
    assertTidy(world);
  });

  it('a rollback is switched back as well', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const before = world.live();
    world.configure([...quiet, 'health_check = echo begun; sleep 1000']);
    const run = world.start(['--json', 'rollback', 'production']);
    onEvent(
      run,
      (event) => event['line'] === 'begun',
      () => run.interrupt(),
    );
    const result = await run.result;
    assert.equal(result.status, 130, result.stdout);
    for (const server of [0, 1]) assert.equal(world.live(server), before);
    await waitFor('the check to end', async () => !(await isRunning(world, /sleep 1000/)));
    assertTidy(world);
  });
});
