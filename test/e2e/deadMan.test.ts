/** The dead man's switch: what a run made live and never confirmed is put back by the server itself, and nothing else ever is. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endsWithSession } from '../../src/engine/server/session.ts';
import { waitFor } from '../support/wait.ts';
import {
  assertTidy,
  commitVersion,
  deployKilledAt,
  isRunning,
  onEvent,
  stateOf,
  step,
} from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const WATCHER = /eval "\$\(cat\)"/;
/** More than the watcher waits: one try of 8 s, the pause after it, and 30 s. */
const PATIENCE_MS = 120_000;
/** There is time to kill the client in the check, and little to wait for its watcher. */
const SLOW = ['spare = no', 'health_check = sleep 6', 'health_timeout = 8s', 'health_retries = 0'];

/** In a process of its own, as several users work at once here. */
const run = (world: World, args: readonly string[]) => world.start(args).result;

describe("the dead man's switch", function () {
  this.timeout(180_000);
  const worlds: World[] = [];
  after(() => Promise.all(worlds.map((world) => world.remove())));

  /** A server with one release, and one more committed whose health check waits while `~/hold` is there. */
  async function begin(tools: 'system' | 'busybox') {
    const world = await makeWorld({
      servers: [{ tools }],
      conf: ['spare = no'],
    });
    worlds.push(world);
    commitVersion(world, 'v1');
    assert.equal((await run(world, ['deploy', 'production'])).status, 0);
    commitVersion(world, 'v2');
    world.configure(SLOW);
    const [first = ''] = world.releases();
    return { world, first, durant: join(world.site(), '.durant') };
  }
  const status = async (world: World) =>
    JSON.parse((await run(world, ['--json', 'status', 'production'])).stdout).stages[0].servers[0];
  const watchFiles = (durant: string) => readdirSync(durant).filter((name) => /^(watch|revert)/.test(name));

  it('ends with the confirmation, and leaves nothing', async () => {
    const { world, durant } = await begin('busybox');
    // Where nothing comes between, one script switches and confirms; this waits there while somebody looks.
    const hold = join(world.servers[0]?.home ?? '', 'hold');
    const held = ['spare = no', 'after_symlink = echo held; while [ -e ~/hold ]; do sleep 0.05; done'];
    const watchersOf = async (...args: readonly string[]) => {
      writeFileSync(hold, '');
      const started = world.start(['--json', 'deploy', ...args, 'production']);
      await started.waitForEvent((event) => event['line'] === 'held');
      const { length } = watchFiles(durant);
      rmSync(hold);
      assert.equal((await started.result).status, 0);
      return length;
    };
    world.configure(held);
    assert.equal(await watchersOf(), 1, 'a watcher from the switch on');
    await waitFor('the watcher to end', async () => !(await isRunning(world, WATCHER)));
    assertTidy(world);
    world.configure([...held, 'dead_man = no']);
    assert.equal(await watchersOf('--again'), 0, 'none with dead_man = no');
  });

  it('puts back what was live where the client was killed in the health check, lock or no lock', async () => {
    await Promise.all(
      (['system', 'busybox'] as const).map(async (tools) => {
        const { world, first, durant } = await begin(tools);
        await deployKilledAt(world, step('health_check', 'running'));
        const second = world.live() ?? '';
        assert.notEqual(second, first);
        assert.equal((await status(world)).unchecked, true);
        if (tools === 'busybox') rmSync(join(durant, 'lock'));
        await waitFor('the release before to be back', () => world.live() === first, PATIENCE_MS);
        await waitFor('the watcher to end', async () => !(await isRunning(world, WATCHER)));
        assert.equal(stateOf(world, second), 'failed');
        assert.match(
          readFileSync(join(durant, 'history.log'), 'utf8'),
          // 8 s and a pause of 2 s for the check, and 30 s.
          new RegExp(`dead_man ${second} put back .* within 40 s`),
        );
        const after = await status(world);
        assert.deepEqual(
          [after.unchecked, after.reverted.release, after.reverted.back_to],
          [false, second, first],
        );
        assert.match((await run(world, ['status', 'production'])).stdout, /dead man's switch put .* back/);
        world.configure(['spare = no']);
        assert.equal((await run(world, ['deploy', 'production'])).status, 0);
        assert.equal(world.read('index.html'), 'v2\n');
        assertTidy(world);
      }),
    );
  });

  it('never overrules another lock; a run that comes too late says that it was reverted', async () => {
    const overruled = async () => {
      const { world, durant } = await begin('system');
      await deployKilledAt(world, step('health_check', 'running'));
      const second = world.live();
      writeFileSync(join(durant, 'lock'), 'run = "another"\nstage = "production"\n');
      await waitFor('the watcher to end', async () => !(await isRunning(world, WATCHER)), PATIENCE_MS);
      assert.equal(world.live(), second);
    };
    const late = async () => {
      const { world, first } = await begin('system');
      const started = world.start(['--json', 'deploy', 'production']);
      onEvent(started, step('health_check', 'running'), () => started.child.kill('SIGSTOP'));
      await waitFor('the switch', () => world.live() !== first, 60_000);
      const second = world.live() ?? '';
      await waitFor('the release before to be back', () => world.live() === first, PATIENCE_MS);
      started.child.kill('SIGCONT');
      const result = await started.result;
      assert.equal(result.status, 1, result.stdout);
      assert.equal(world.live(), first);
      assert.equal(stateOf(world, second), 'failed');
      return (finishedOf(result)['error'] as { code: string }).code;
    };
    const [, code] = await Promise.all([overruled(), late()]);
    assert.match(code, /reverted|health-check-failed/);
  });

  it('is waited for while it acts, and no record says until then that the run has come to its end', async () => {
    const { world, first, durant } = await begin('system');
    world.configure([
      'spare = no',
      // As a watcher does before it puts the link back.
      `after_symlink = cd ~/site/.durant && for w in watch.*; do mv "$w" "reverting.\${w##*.}"; done`,
    ]);
    const started = world.start(['--json', 'deploy', 'production']);
    const acting = await waitFor('the watcher to act', () =>
      readdirSync(durant).find((name) => name.startsWith('reverting.')),
    );
    await waitFor('the watcher to end', async () => !(await isRunning(world, WATCHER)));
    await waitFor('the run to wait', () => isRunning(world, /^sleep 1$/));
    const [second = ''] = world.releases().filter((name) => name !== first);
    assert.equal(stateOf(world, second), 'prepared');
    renameSync(join(durant, acting), join(durant, acting.replace('reverting', 'reverted')));
    const result = await started.result;
    assert.equal((finishedOf(result)['error'] as { code: string }).code, 'reverted', result.stdout);
    assert.equal(stateOf(world, second), 'failed');
  });

  for (const [title, lines, user, expected] of [
    ['ends with the session', { KillUserProcesses: 'yes' }, 'deploy', true],
    [
      'does not for an excluded user',
      { KillUserProcesses: 'yes', KillExcludeUsers: 'root deploy' },
      'deploy',
      false,
    ],
    ['does not for root', { KillUserProcesses: 'yes' }, 'root', false],
    ['does not by default', {}, 'deploy', false],
  ] as const)
    it(`as logind.conf says: ${title}`, () =>
      assert.equal(endsWithSession({ logind: new Map(Object.entries(lines)), user }), expected));
});
