/** One run at a time: two at once, waiting, foreign locks, unlocking, and whose lock may be taken over. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCliHome, type CliHome } from '../support/cli.ts';
import { endProcesses } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';
import { assertTidy, commitVersion, deployKilledAt, step } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const lockText = (fields: Readonly<Record<string, string>> = {}) =>
  Object.entries({
    run: '20200101000000-00000000',
    stage: 'production',
    user: 'eve',
    host: 'laptop',
    started: '2020-01-01T00:00:00Z',
    action: 'deploy',
    message: '',
    ...fields,
  })
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');

describe('the lock', function () {
  let world: World;
  let colleague: CliHome;
  let version = 0;
  const quiet = ['spare = no', 'keep_releases = -1'];
  const lockFile = (server: number) => join(world.site(server), '.durant/lock');
  const hold = (server = 0) => join(world.servers[server]?.home ?? '', 'hold');
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    colleague = await makeCliHome(world.servers);
    world.configure(quiet);
    commitVersion(world, 'v0');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(async () => {
    await colleague.remove();
    await world.remove();
  });
  beforeEach(() => {
    world.configure(quiet);
    commitVersion(world, `v${++version}`);
  });
  afterEach(() => {
    for (const server of [0, 1]) {
      rmSync(hold(server), { force: true });
      rmSync(lockFile(server), { force: true });
    }
  });

  /** Starts a deploy that holds its locks until the file `hold` is gone. */
  async function startHolding() {
    writeFileSync(hold(), '');
    world.configure([...quiet, 'after_lock = echo holding; while [ -e ~/hold ]; do sleep 0.05; done']);
    const run = world.start(['--json', 'deploy', 'production']);
    await run.waitForEvent((event) => event['line'] === 'holding');
    return run;
  }

  it('is complete, names its holder, and lets one of two runs through', async () => {
    const first = await startHolding();
    const lock = readFileSync(lockFile(1), 'utf8');
    for (const field of ['run', 'stage', 'user', 'host', 'started', 'action', 'message'])
      assert.match(lock, new RegExp(`^${field} = ".*"$`, 'm'));
    const second = await world.run(['deploy', 'production'], { home: colleague });
    assert.equal(second.status, 3, second.stderr);
    assert.match(second.stderr, /locked by \S+@\S+ for \d+ seconds? \(deploy of production\)/);
    assert.equal(readFileSync(lockFile(1), 'utf8'), lock);
    rmSync(hold());
    assert.equal((await first.result).status, 0);
    assertTidy(world);
  });

  it('is waited for with --wait, and then the other one deploys', async () => {
    const first = await startHolding();
    const second = world.start(['--json', 'deploy', '--again', '--wait=1m', 'production'], {
      home: colleague,
    });
    await second.waitForEvent((event) => event['code'] === 'waiting-for-lock');
    rmSync(hold());
    assert.equal((await first.result).status, 0);
    const result = await second.result;
    assert.equal(result.status, 0, result.stdout);
    assert.equal(finishedOf(result)['release'], world.live(1));
    assertTidy(world);
  });

  it('is waited for no longer than --wait says', async () => {
    writeFileSync(lockFile(0), lockText());
    const result = await world.run(['deploy', '--wait=1s', 'production']);
    assert.equal(result.status, 3);
    assert.match(result.stderr, /eve@laptop/);
  });

  it('many runs at once: exactly one goes through at a time, and none is lost', async () => {
    const homes = await Promise.all([1, 2, 3].map(() => makeCliHome(world.servers)));
    try {
      const results = await Promise.all(
        homes.map((home) => world.start(['deploy', '--again', 'production'], { home }).result),
      );
      const statuses = results.map(({ status }) => status).toSorted();
      assert.ok(
        statuses.every((status) => status === 0 || status === 3),
        JSON.stringify(results),
      );
      assert.equal(statuses[0], 0);
      assertTidy(world);
    } finally {
      await Promise.all(homes.map((home) => home.remove()));
    }
  });

  for (const server of [0, 1])
    it(`held by someone else on server ${server}: those taken are given back`, async () => {
      writeFileSync(lockFile(server), lockText());
      const before = world.releases();
      // --wait goes past the look before the locks are taken.
      const result = await world.run(['deploy', '--wait=1s', 'production']);
      assert.equal(result.status, 3, result.stderr);
      assert.equal(existsSync(lockFile(1 - server)), false);
      assert.equal(readFileSync(lockFile(server), 'utf8'), lockText());
      assert.deepEqual(world.releases(), before);
    });

  it('of another user of this machine, or of a run this machine does not know, is never taken over', async () => {
    const { env } = world.home;
    for (const fields of [{}, { user: env['USER'] ?? '', host: 'vm' }]) {
      writeFileSync(lockFile(0), lockText(fields));
      assert.equal((await world.run(['deploy', 'production'])).status, 3);
    }
    rmSync(lockFile(0));
    await deployKilledAt(world, step('lock', 'done'));
    const refused = await world.run(['deploy', 'production'], { home: colleague });
    assert.equal(refused.status, 3, 'the dead run is not theirs');
    const again = await world.run(['--json', 'deploy', 'production']);
    assert.equal(again.status, 0, again.stdout);
    assertTidy(world);
  });

  it('of a run of ours that lives is not taken over', async () => {
    const first = await startHolding();
    const status = JSON.parse((await world.run(['--json', 'status', 'production'])).stdout);
    const { locked } = status.stages[0].servers[0];
    assert.deepEqual([locked.action, locked.stage, typeof locked.run], ['deploy', 'production', 'string']);
    const rollback = await world.run(['rollback', 'production']);
    assert.equal(rollback.status, 3, rollback.stderr);
    rmSync(hold());
    assert.equal((await first.result).status, 0);
  });

  it('two take-overs of one dead run: one gets it', async () => {
    await deployKilledAt(world, step('lock', 'done'));
    const results = await Promise.all([
      world.start(['deploy', 'production']).result,
      world.start(['deploy', 'production']).result,
    ]);
    const statuses = results.map(({ status }) => status).toSorted();
    assert.equal(statuses[0], 0, JSON.stringify(results));
    assert.ok(statuses[1] === 0 || statuses[1] === 3, JSON.stringify(results));
    assertTidy(world);
  });

  it('a take-over that died itself is taken over as well', async () => {
    world.configure([
      ...quiet,
      "after_lock = test -e ~/go || { echo on; trap '' TERM; sleep 500; sleep 500; }",
    ]);
    await deployKilledAt(world, (event) => event['line'] === 'on');
    // The second run is busy ending the processes of the first when it is killed.
    const second = world.start(['--json', 'deploy', 'production']);
    await waitFor('the take-over to begin', () =>
      [0, 1].some((server) =>
        existsSync(
          join(
            world.site(server),
            `.durant/lock.taken-${/^run = "(.*)"$/m.exec(readFileSync(lockFile(server), 'utf8'))?.[1] ?? ''}`,
          ),
        ),
      ),
    );
    second.kill();
    await second.result;
    for (const server of world.servers) {
      const { home } = server;
      endProcesses(await server.processes());
      writeFileSync(join(home, 'go'), '');
    }
    const again = await world.run(['deploy', 'production']);
    assert.equal(again.status, 0, again.stderr);
    assertTidy(world);
  });

  it('a rollback and a deploy that find everything achieved clear their own dead lock', async () => {
    // What is killed has its locks and no more.
    world.configure([...quiet, 'before_release = while [ -e ~/hold ]; do sleep 0.05; done']);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const args of [
      ['deploy', 'production'],
      ['rollback', 'production', world.live() ?? ''],
    ]) {
      for (const server of [0, 1]) writeFileSync(hold(server), '');
      await deployKilledAt(world, step('lock', 'done'), ['deploy', '--again', 'production']);
      for (const server of [0, 1]) rmSync(hold(server));
      assert.ok(existsSync(lockFile(0)));
      const already = await world.run(args);
      assert.equal(already.status, 0, already.stderr);
      for (const server of [0, 1]) assert.equal(existsSync(lockFile(server)), false, args.join(' '));
      assertTidy(world);
    }
  });

  it('unlock shows the holder and removes the lock; what its run left running is ended', async () => {
    world.configure([...quiet, 'after_lock = echo on; sleep 1000']);
    const began = new Set<unknown>();
    await deployKilledAt(world, (event) => event['line'] === 'on' && began.add(event['server']).size === 2);
    const refused = await world.run(['unlock', 'production'], { home: colleague });
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--force/);
    const forced = await world.run(['--json', 'unlock', '--force', 'production'], { home: colleague });
    assert.equal(forced.status, 0, forced.stdout);
    const { servers } = JSON.parse(forced.stdout);
    assert.deepEqual(
      servers.map((each: { unlocked: boolean; was: { stage: string } }) => [each.unlocked, each.was.stage]),
      [
        [true, 'production'],
        [true, 'production'],
      ],
    );
    for (const server of world.servers)
      await waitFor('the hook to end', async () =>
        (await server.processes()).every(({ command }) => !command.includes('sleep 1000')),
      );
    world.configure(quiet);
    assert.equal((await world.run(['deploy', 'production'], { home: colleague })).status, 0);
    assertTidy(world);
  });

  for (const [what, text, told] of [
    ['names its run without quotes', 'run = x\n', 'unlocked; held by an unknown holder'],
    ['is no text of ours', 'garbage\n', 'unlocked; held by an unknown holder (garbage)'],
    ['is empty', '', 'unlocked; held by an unknown holder'],
  ] as const)
    it(`unlock removes a lock that ${what}, and says what it was`, async () => {
      writeFileSync(lockFile(1), text);
      const result = await world.run(['unlock', '--force', 'production'], { home: colleague });
      assert.equal(result.status, 0, result.stderr);
      assert.ok(result.stdout.includes(`${world.servers[1]?.entry}: ${told}\n`), result.stdout);
      assert.equal(existsSync(lockFile(1)), false);
      assertTidy(world);
    });

  it('a lock that cannot be read is somebody', async () => {
    writeFileSync(lockFile(1), 'garbage\n\u0000');
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 3, result.stderr);
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    rmSync(lockFile(1), { force: true });
    mkdirSync(lockFile(1));
    commitVersion(world, `v${++version}`);
    assert.notEqual((await world.run(['deploy', 'production'])).status, 0);
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
    assert.equal(existsSync(lockFile(1)), false);
  });
});
