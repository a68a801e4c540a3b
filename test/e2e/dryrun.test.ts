/** A dry run changes nothing: not on the servers, not here; and it says everything. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { waitFor } from '../support/wait.ts';
import { commitVersion, deployKilledAt, step } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

/** Every path with type, mode, times, size and link target; folders too, so that even a file made and removed shows. */
function fingerprint(root: string): readonly string[] {
  if (!existsSync(root)) return [`${root} is absent`];
  const format = '%p %y %m %T@ %C@ %s %l\\n';
  return execFileSync('find', [root, '-printf', format], { encoding: 'latin1' }).split('\n').toSorted();
}

describe('a dry run', function () {
  let world: World;
  let tempDir: string;
  const conf = (...lines: readonly string[]) =>
    world.configure([
      `temp_dir = ${tempDir}`,
      'spare = no',
      'before_deploy = date +%%N > built.txt; echo ran >> "$HOME/before-deploy-ran"',
      'before_symlink = echo x >> ~/hook-ran',
      'release_command = echo x >> ~/hook-ran',
      'on_failure = echo x >> ~/hook-ran',
      'health_check = echo x >> ~/hook-ran',
      ...lines,
    ]);

  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    tempDir = join(world.home.directory, 'clone');
    conf();
    commitVersion(world, 'v0', { 'gone.txt': 'gone\n', 'same.txt': 'same\n' });
  });
  after(() => world.remove());

  /** All that a dry run must leave as it is. */
  const everything = () => [
    ...world.servers.flatMap(({ home }) => fingerprint(home)),
    ...fingerprint(tempDir),
    ...fingerprint(join(world.home.directory, 'ssh')),
    ...fingerprint(join(world.home.directory, '.ssh')),
    ...fingerprint(join(world.home.directory, '.local')),
    ...fingerprint(join(world.home.directory, 'before-deploy-ran')),
    ...fingerprint(world.project),
    ...fingerprint(world.repository.directory),
  ];

  async function assertChangesNothing(
    args: readonly string[],
    status: number,
  ): Promise<ReturnType<World['run']>> {
    const before = everything();
    const result = await world.run(['--json', ...args]);
    assert.equal(result.status, status, result.stdout + result.stderr);
    assert.deepEqual(everything(), before);
    const last = result.events.at(-1);
    if (last?.['event'] === 'run-finished') assert.equal(last['dry_run'], true);
    return result;
  }

  it('of a first deploy', async () => {
    const { events } = await assertChangesNothing(['deploy', '-n', 'production'], 0);
    for (const { entry } of world.servers) {
      const added = events.filter((event) => event['event'] === 'change' && event['server'] === entry);
      assert.ok(added.length > 5 && added.every((event) => event['kind'] === 'added'));
    }
    assert.ok(events.some((event) => event['code'] === 'build-output-not-listed'));
    assert.ok(!events.some((event) => event['path'] === 'built.txt'));
    const pending = events.filter(step('symlink', 'pending'));
    assert.deepEqual(
      pending.map((event) => event['reason']),
      ['nothing is live yet', 'nothing is live yet'],
    );
    await assertChangesNothing(['deploy', '-n', '--detailed-exitcode', 'production'], 4);
  });

  it('of a change, with every step, command and file', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const { home } of world.servers) rmSync(join(home, 'hook-ran'));
    commitVersion(world, 'v1', { 'gone.txt': null, 'new/added.txt': 'added\n' });
    const { events } = await assertChangesNothing(['-n', 'deploy', 'production'], 0);
    const [server] = world.servers;
    const changes = events.filter(
      (event) => event['event'] === 'change' && event['server'] === server?.entry,
    );
    assert.deepEqual(
      changes.map((event) => `${event['kind']} ${event['path']} ${event['bytes']}`).toSorted(),
      [
        'added new/added.txt 6',
        'changed 00-first.txt 3',
        'changed index.html 3',
        'changed zz/last.txt 3',
        'deleted built.txt 10',
        'deleted gone.txt 5',
      ],
    );
    const commands = events.filter(
      (event) => event['event'] === 'command' && event['server'] === server?.entry,
    );
    assert.deepEqual(
      commands.map((event) => event['step']),
      ['release_command', 'before_symlink', 'health_check'],
    );
    for (const name of ['prepare', 'lock', 'release', 'update_code', 'symlink', 'health_check'])
      assert.ok(
        events.some(
          (event) => event['step'] === name && ['pending', 'already'].includes(String(event['state'])),
        ),
        name,
      );
  });

  it('with --build lists build output exactly, made in a scratch folder', async () => {
    const ran = join(world.home.directory, 'before-deploy-ran');
    const before = everything().filter(
      (line) => !line.startsWith(ran) && !line.startsWith(world.home.directory + ' '),
    );
    const { events, status } = await world.run(['--json', 'deploy', '-n', '--build', 'production']);
    assert.equal(status, 0);
    assert.ok(existsSync(ran), 'before_deploy ran');
    assert.deepEqual(
      everything().filter((line) => !line.startsWith(ran) && !line.startsWith(world.home.directory + ' ')),
      before,
    );
    const built = events.find((event) => event['event'] === 'change' && event['path'] === 'built.txt');
    assert.equal(built?.['kind'], 'changed');
    assert.ok(!events.some((event) => event['code'] === 'build-output-not-listed'));
  });

  for (const what of ['sub_directory = dist', 'distfile = dist/app.tar'] as const)
    it(`lists no file where ${what} is yet to be built, and all of them with --build`, async () => {
      world.configure([
        what,
        `temp_dir = ${tempDir}`,
        'build_command = mkdir -p dist; echo 1 > dist/app.tar',
      ]);
      const { events } = await assertChangesNothing(['deploy', '-n', 'production'], 0);
      assert.ok(!events.some(({ event }) => event === 'change'));
      const warning = events.find(({ code }) => code === 'build-output-not-listed');
      assert.match(String(warning?.['message']), /^No file is listed: .* Add --build/);
      assert.equal(events.filter(step('update_code', 'pending')).length, 2);
      const built = await assertChangesNothing(['deploy', '-n', '--build', 'production'], 0);
      assert.ok(built.events.some(({ path }) => String(path).endsWith('app.tar')));
      conf();
    });

  it('of what is live: nothing to change, 0 with --detailed-exitcode', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const { home } of world.servers) rmSync(join(home, 'hook-ran'), { force: true });
    const { events } = await assertChangesNothing(['deploy', '-n', '--detailed-exitcode', 'production'], 0);
    assert.ok(events.some(step('symlink', 'already')));
    assert.equal(finishedOf(await world.run(['--json', '-n', 'deploy', 'production']))['ok'], true);
  });

  for (const live of ['what is live', 'a change'] as const)
    it(`of ${live} on a locked stage reports the lock, and is no error`, async () => {
      if (live === 'a change') commitVersion(world, 'v2');
      const file = join(world.site(1), '.durant/lock');
      writeFileSync(
        file,
        'run = "20200101000000-00000000"\nstage = "production"\nuser = "eve"\nhost = "laptop"\nstarted = "2020-01-01T00:00:00Z"\naction = "deploy"\nmessage = ""\n',
      );
      const { events } = await assertChangesNothing(['deploy', '-n', 'production'], 0);
      assert.ok(
        events.some((event) => event['code'] === 'locked' && String(event['message']).includes('eve@laptop')),
      );
      rmSync(file);
    });

  it('of a rollback', async () => {
    const { events } = await assertChangesNothing(['rollback', '-n', 'production'], 0);
    assert.ok(events.some(step('symlink', 'pending')));
  });

  it('after a run that died leaves its lock and its leftovers alone', async () => {
    await deployKilledAt(world, step('update_code', 'running'));
    await waitFor('what runs there to end', async () =>
      (await Promise.all(world.servers.map((server) => server.processes()))).every(
        (each) => each.length === 0,
      ),
    );
    await assertChangesNothing(['deploy', '-n', 'production'], 0);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const { home } of world.servers) rmSync(join(home, 'hook-ran'), { force: true });
  });

  it('with an unknown host key adds none, whatever host_key_checking says', async () => {
    const known = join(world.home.directory, 'ssh/known_hosts');
    const keys = readFileSync(known);
    try {
      for (const checking of ['accept-new', 'ask', 'strict']) {
        writeFileSync(known, '');
        conf(`host_key_checking = ${checking}`);
        const before = everything();
        const result = await world.run(['--json', 'deploy', '-n', 'production']);
        assert.deepEqual(everything(), before);
        if (checking !== 'accept-new') {
          assert.equal(result.status, 1, result.stdout);
          assert.equal((finishedOf(result)['error'] as { code: string }).code, 'host-unknown');
        }
      }
    } finally {
      writeFileSync(known, keys);
      conf();
    }
  });

  it('of other reading commands changes nothing either', async () => {
    for (const args of [
      ['status', 'production'],
      ['releases', 'production'],
      ['check', '--connect', 'production'],
      ['adopt', '-n', 'production'],
      ['config', 'production'],
      ['stages'],
    ]) {
      const before = everything();
      const result = await world.run(['--json', ...args]);
      assert.equal(result.status, 0, result.stdout + result.stderr);
      assert.deepEqual(everything(), before, args.join(' '));
    }
  });

  it('does not make project_dir, nor its parent', async () => {
    conf();
    const file = join(world.project, 'durant.conf');
    writeFileSync(file, readFileSync(file, 'utf8').replace('~/site', '~/no/such/folder'));
    mkdirSync(join(world.home.directory, 'x'), { recursive: true });
    await assertChangesNothing(['deploy', '-n', 'production'], 0);
    for (const { home } of world.servers) assert.equal(existsSync(join(home, 'no')), false);
  });
});
