/** The saved plan: a deploy by it does exactly what the dry run found, or nothing at all. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { readTree } from '../support/tree.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a saved plan', function () {
  let world: World;
  let commit = '';
  const run = (...args: string[]): Promise<CliResult> =>
    runCliHere(args, { home: world.home, cwd: world.project });
  const savePlan = async (...args: string[]) => {
    const result = await run('-n', 'deploy', 'production', '--out', 'plan.json', ...args);
    assert.equal(result.status, 0, result.stderr);
    return JSON.parse(readFileSync(join(world.project, 'plan.json'), 'utf8'));
  };
  const deployPlan = (): Promise<CliResult> => run('--json', 'deploy', '--plan', 'plan.json');
  const states = () => JSON.stringify([0, 1].map((server) => [...readTree(world.site(server))]));
  /** Nothing is written anywhere. */
  const assertStale = async (why: RegExp) => {
    const before = states();
    const result = await deployPlan();
    assert.equal(result.status, 1, result.stdout);
    const { error } = finishedOf(result) as { error: Record<string, unknown> };
    assert.equal(error['code'], 'plan-stale');
    assert.match(String(error['message']), why);
    assert.equal(states(), before);
  };

  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }], conf: ['spare = no'] });
    assert.equal((await run('deploy', 'production')).status, 0);
    [commit = ''] = world.repository.commit({ message: 'Second', files: { 'index.html': 'version 2\n' } });
  });
  after(() => world.remove());

  it('says commit, tree, recipe and what is live, by digest', async () => {
    const before = states();
    const plan = await savePlan();
    assert.equal(states(), before);
    assert.deepEqual(Object.keys(plan).toSorted(), [
      'commit',
      'created',
      'recipe',
      'servers',
      'stage',
      'tree',
      'version',
    ]);
    assert.deepEqual([plan.version, plan.stage, plan.commit], [1, 'production', commit]);
    for (const digest of [plan.tree, plan.recipe, plan.servers[0].manifest])
      assert.match(digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(
      plan.servers.map(({ server, live }: { server: string; live: string }) => [server, live]),
      world.servers.map(({ entry }, index) => [entry, world.live(index)]),
    );
  });

  it('is stale where a file on a server was edited, and fresh again when it is put back', async () => {
    const file = join(world.site(1), 'current/index.html');
    writeFileSync(file, 'version X\n');
    await assertStale(/index\.html was changed on .* after it was deployed/);
    writeFileSync(file, 'version 1\n');
  });

  it('is stale where the recipe or the servers are others', async () => {
    world.configure(['spare = no', 'exclude = kept']);
    await assertStale(/the options of the stage/);
    world.configure(['spare = no'], [world.servers[0]?.entry ?? '']);
    await assertStale(/durant\.conf has other stages or servers/);
    world.configure(['spare = no']);
  });

  it('is stale where its commit is no longer in the repository', async () => {
    const file = join(world.project, 'plan.json');
    const plan = readFileSync(file, 'utf8');
    writeFileSync(file, plan.replace(commit, '0'.repeat(40)));
    await assertStale(/its commit, or the branch .* is no longer in the repository/);
    writeFileSync(file, plan);
  });

  it('is carried out where all is as it was, although the branch has moved on; then it is stale', async () => {
    world.repository.commit({ message: 'Third', files: { 'index.html': 'version 3\n' } });
    const result = await deployPlan();
    assert.equal(result.status, 0, result.stdout);
    assert.equal(finishedOf(result)['commit'], commit);
    assert.equal(world.read('index.html', 1), 'version 2\n');
    const { tree } = JSON.parse(readFileSync(join(world.project, 'plan.json'), 'utf8'));
    const again = await savePlan();
    assert.equal(again.servers[1].manifest, tree, 'the tree that was promised');
    writeFileSync(join(world.project, 'plan.json'), JSON.stringify({ ...again, servers: [] }));
    await assertStale(/had nothing live, and has/);
  });

  it('of a build says the tree that was built, and is stale where another is', async () => {
    const build = join(world.project, 'built');
    writeFileSync(build, 'one\n');
    world.configure(['spare = no', `before_deploy = cp ${build} made.txt`]);
    const refused = await run('-n', 'deploy', 'production', '--out', 'none.json');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /Add --build/);
    assert.equal(existsSync(join(world.project, 'none.json')), false);
    await savePlan('--build');
    appendFileSync(build, 'two\n');
    await assertStale(/other files would be sent/);
    writeFileSync(build, 'one\n');
    assert.equal((await deployPlan()).status, 0);
    assert.equal(world.read('made.txt'), 'one\n');
    await assertStale(/had .* live, and has/);
  });

  it('is looked for a place for before anything else', async () => {
    for (const place of ['none/plan.json', '.']) {
      const refused = await run('-n', 'deploy', 'production', '--out', place);
      assert.equal(refused.status, 2, place);
      assert.match(refused.stderr, /^durant: The plan cannot be written to /, place);
    }
  });

  it('is a file that says so', async () => {
    for (const text of ['', '{}', '{"version": 2}', '[]']) {
      writeFileSync(join(world.project, 'plan.json'), text);
      const result = await deployPlan();
      assert.equal(result.status, 2, text);
    }
    rmSync(join(world.project, 'plan.json'));
    assert.equal((await deployPlan()).status, 2);
    for (const args of [
      ['--plan', 'p', 'production'],
      ['--plan', 'p', '--ref', 'x'],
      ['production', '--out', 'p'],
    ])
      assert.equal((await run('deploy', ...args)).status, 2, args.join(' '));
  });
});
