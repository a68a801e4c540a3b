/** A run whose lock somebody removed while it waits in its health check: it changes nothing more there, and says so. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCliHome, type CliHome, type CliResult, type CliRun } from '../support/cli.ts';
import { commitVersion, stateOf } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a lock that is lost after the switch', function () {
  let world: World;
  /** Somebody else, as a run waits here for the local clone of another. */
  let colleague: CliHome;
  let version = 0;
  const hold = () => join(world.project, 'hold');
  const current = () => join(world.site(), 'current');
  const quiet = ['spare = no', 'keep_releases = 1'];
  before(async () => {
    world = await makeWorld();
    colleague = await makeCliHome(world.servers);
  });
  after(async () => {
    await colleague.remove();
    await world.remove();
  });
  beforeEach(() => rmSync(world.site(), { recursive: true, force: true }));
  afterEach(() => rmSync(hold(), { force: true }));

  async function deploy(home = world.home): Promise<string> {
    commitVersion(world, `v${++version}`);
    world.configure(quiet);
    const result = await world.run(['--json', 'deploy', 'production'], { home });
    assert.equal(result.status, 0, result.stdout);
    return world.live() ?? '';
  }

  /** Starts a deploy that has switched, and waits in its health check until `hold` is gone. */
  async function startWaiting(verdict: 'passes' | 'fails', ...lines: readonly string[]): Promise<CliRun> {
    commitVersion(world, `v${++version}`);
    writeFileSync(hold(), '');
    const check = `local! echo waiting; while [ -e ${hold()} ]; do sleep 0.05; done; ${verdict === 'passes' ? 'true' : 'false'}`;
    world.configure([...quiet, `health_check = ${check}`, ...lines]);
    const run = world.start(['--json', 'deploy', 'production']);
    await run.waitForEvent((event) => event['line'] === 'waiting');
    world.configure(quiet);
    return run;
  }

  async function unlock(): Promise<void> {
    const result = await world.run(['unlock', '--force', 'production'], { home: colleague });
    assert.equal(result.status, 0, result.stderr);
  }

  async function release(run: CliRun): Promise<CliResult> {
    rmSync(hold());
    return run.result;
  }

  const onlyServer = (result: CliResult) =>
    (
      finishedOf(result)['servers'] as readonly {
        state: string;
        current: string | null;
        error: string | null;
      }[]
    )[0];
  const errorOf = (result: CliResult) =>
    finishedOf(result)['error'] as { code: string; message: string; changed: boolean };

  it('a rollback that came between stays: nothing is removed, and its mark is kept', async () => {
    const before = await deploy();
    const run = await startWaiting('passes');
    const left = world.live() ?? '';
    await unlock();
    const back = await world.run(['rollback', 'production', before], { home: colleague });
    assert.equal(back.status, 0, back.stderr);
    assert.equal(stateOf(world, left), 'bad');
    const result = await release(run);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(world.live(), before);
    assert.equal(world.read('index.html'), `v${version - 1}\n`);
    assert.equal(stateOf(world, left), 'bad');
    assert.equal(errorOf(result).code, 'lock-lost');
    assert.match(errorOf(result).message, new RegExp(`current at releases/${before} now`));
    assert.deepEqual([onlyServer(result)?.state, onlyServer(result)?.current], ['failed', before]);
  });

  it('a check that passes without the lock confirms nothing: the release stays live and unchecked', async () => {
    await deploy();
    const run = await startWaiting('passes');
    const made = world.live();
    await unlock();
    const result = await release(run);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(world.live(), made);
    assert.equal(stateOf(world, made ?? ''), 'prepared');
    assert.deepEqual([errorOf(result).code, errorOf(result).changed], ['lock-lost', true]);
    // The next run finds it so, and brings it to its end.
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(stateOf(world, world.live() ?? ''), 'finished');
  });

  it('a check that is tried again without the lock has not passed', async () => {
    const before = await deploy();
    commitVersion(world, `v${++version}`);
    world.configure([...quiet, 'health_check = rm ../../.durant/lock && false', 'health_retries = 2']);
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(errorOf(result).code, 'lock-lost');
    assert.notEqual(world.live(), before, 'without the lock it switches nothing back');
  });

  it('the first deploy fails after a second went live: what the second made live stays', async () => {
    const run = await startWaiting('fails');
    await unlock();
    const second = await deploy(colleague);
    const result = await release(run);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(world.live(), second);
    assert.deepEqual([onlyServer(result)?.state, onlyServer(result)?.current], ['failed', second]);
    assert.equal(errorOf(result).changed, false);
  });

  it('a failed check of a run without its lock leaves its release live, and says so', async () => {
    await deploy();
    const run = await startWaiting('fails', 'on_failure = touch ~/on-failure');
    const made = world.live();
    await unlock();
    const result = await release(run);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(world.live(), made);
    assert.equal(errorOf(result).changed, true);
    assert.equal(onlyServer(result)?.current, made);
    assert.equal(existsSync(join(world.servers[0]?.home ?? '', 'on-failure')), false);
  });

  for (const [name, link] of [
    ['a relative path', '../maintenance'],
    ['an absolute path', () => join(world.servers[0]?.home ?? '', 'maintenance')],
    ['nothing that is there', '../gone'],
  ] as const)
    it(`a failed deploy puts back a current that points at ${name}`, async () => {
      await deploy();
      const text = typeof link === 'string' ? link : link();
      mkdirSync(join(world.servers[0]?.home ?? '', 'maintenance'), { recursive: true });
      rmSync(current());
      symlinkSync(text, current());
      commitVersion(world, `v${++version}`);
      world.configure([...quiet, 'health_check = false']);
      const result = await world.run(['--json', 'deploy', 'production']);
      assert.equal(result.status, 1, result.stdout);
      assert.equal(readlinkSync(current()), text);
      assert.equal(onlyServer(result)?.state, 'reverted');
      await deploy();
      assert.equal(world.read('index.html'), `v${version}\n`);
    });

  it('a current that somebody changed while the run had its lock is left as it is', async () => {
    await deploy();
    const run = await startWaiting('fails');
    rmSync(current());
    symlinkSync('../maintenance', current());
    const result = await release(run);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(readlinkSync(current()), '../maintenance');
    assert.equal(onlyServer(result)?.state, 'failed');
    assert.ok(result.events.some((event) => event['code'] === 'switch-back-failed'));
    assert.ok(lstatSync(current()).isSymbolicLink());
  });
});
