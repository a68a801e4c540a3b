/** Going back, and forward again: which release it is, what becomes of the others, and that a rollback that was interrupted is finished. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertTidy, commitVersion, deployKilledAt, stateOf, step } from './faultsSupport.ts';
import { makeWorld, type World } from './world.ts';

describe('a rollback', function () {
  let world: World;
  let folder: string;
  let version = 0;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'durant-rollback-'));
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await world.remove();
  });
  beforeEach(() => {
    for (const server of [0, 1]) rmSync(world.site(server), { recursive: true, force: true });
    world.configure(['spare = no', 'keep_releases = -1']);
  });

  /** Releases one more version, by a client whose clock is so many hours off; gives the release's name. */
  async function release(hours = 0): Promise<string> {
    commitVersion(world, `v${++version}`);
    const result = await world.run(['deploy', 'production'], hours === 0 ? {} : { env: clockOff(hours) });
    assert.equal(result.status, 0, result.stderr);
    return world.live() ?? '';
  }

  function clockOff(hours: number): Readonly<Record<string, string>> {
    const file = join(folder, `clock${hours}.mjs`);
    writeFileSync(
      file,
      `const Real = Date, off = ${hours} * 3_600_000;
globalThis.Date = class extends Real {
  constructor(...given) { given.length === 0 ? super(Real.now() + off) : super(...given); }
  static now() { return Real.now() + off; }
};\n`,
    );
    return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
  }

  const rollback = async (...args: readonly string[]) => {
    const result = await world.run(['rollback', 'production', ...args]);
    assert.equal(result.status, 0, result.stderr);
    return result;
  };
  const everywhere = () => [world.live(0), world.live(1)];
  const states = (...names: readonly string[]) => names.map((name) => stateOf(world, name, 1));

  for (const hours of [2, -2])
    it(`goes to the release before, although that one was made by a clock ${hours} hours off`, async () => {
      await release();
      const skewed = await release(hours);
      const last = await release();
      const listed = JSON.parse((await world.run(['--json', 'releases', 'production'])).stdout);
      assert.deepEqual(listed.servers[1].releases.map(({ name }: { name: string }) => name).slice(0, 2), [
        last,
        skewed,
      ]);
      await rollback();
      assert.deepEqual(everywhere(), [skewed, skewed]);
      assert.deepEqual(states(last), ['bad']);
    });

  it('killed in the health check is finished by the next: checked, its marks made, and not one further', async () => {
    const [a, b, c] = [await release(), await release(), await release()];
    world.configure([
      'spare = no',
      'keep_releases = -1',
      'health_check = while [ -e ~/hold ]; do sleep 0.05; done',
    ]);
    const holds = world.servers.map(({ home }) => join(home, 'hold'));
    for (const hold of holds) writeFileSync(hold, '');
    await deployKilledAt(world, step('health_check', 'running'), ['rollback', 'production']);
    assert.deepEqual(everywhere(), [b, b]);
    assert.deepEqual(states(a, b, c), ['finished', 'finished', 'finished']);
    for (const hold of holds) rmSync(hold);
    const events = (await world.run(['--json', 'rollback', 'production'])).events;
    assert.ok(events.some(step('health_check', 'done')));
    assert.deepEqual(everywhere(), [b, b]);
    assert.deepEqual(states(a, b, c), ['finished', 'finished', 'bad']);
    assertTidy(world);
  });

  it('that finishes an interrupted one goes back where that one came from, if its check fails', async () => {
    const [, b, c] = [await release(), await release(), await release()];
    world.configure([
      'spare = no',
      'keep_releases = -1',
      'health_retries = 0',
      'health_check = while [ -e ~/hold ]; do sleep 0.05; done; ! test -e ~/fail',
    ]);
    const fail = join(world.servers[1]?.home ?? '', 'fail');
    const holds = world.servers.map(({ home }) => join(home, 'hold'));
    for (const hold of holds) writeFileSync(hold, '');
    await deployKilledAt(world, step('symlink', 'done', world.servers[0]), ['rollback', 'production']);
    assert.equal(world.live(0), b);
    for (const hold of holds) rmSync(hold);
    writeFileSync(fail, '');
    assert.equal((await world.run(['rollback', 'production'])).status, 1);
    rmSync(fail);
    assert.deepEqual(everywhere(), [c, c]);
    assert.deepEqual(states(b, c), ['finished', 'finished']);
    assertTidy(world);
  });

  it('to a newer release makes it live again and marks nothing', async () => {
    const [first, second, third] = [await release(), await release(), await release()];
    await rollback(first);
    assert.deepEqual(states(first, second, third), ['finished', 'bad', 'bad']);
    const plan = await world.run(['-n', 'rollback', 'production', second]);
    assert.match(plan.stdout + plan.stderr, /Makes live again [0-9a-f]{7} v/);
    await rollback(second);
    assert.deepEqual(everywhere(), [second, second]);
    assert.deepEqual(states(first, second, third), ['finished', 'finished', 'bad']);
    assertTidy(world);
  });

  it('takes older records, which have no order, by their dates', async () => {
    const [first, second] = [await release(), await release()];
    for (const server of [0, 1])
      for (const name of readdirSync(join(world.site(server), '.durant/releases'))) {
        const file = join(world.site(server), '.durant/releases', name);
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^order = .*\n/m, ''));
      }
    const third = await release(-2);
    await rollback();
    assert.deepEqual(everywhere(), [second, second]);
    await rollback();
    assert.deepEqual(everywhere(), [first, first]);
    assert.deepEqual(states(first, second, third), ['finished', 'bad', 'bad']);
    assertTidy(world);
  });
});
