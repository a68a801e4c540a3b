import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSameTree } from '../support/tree.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('durant deploy', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}, { tools: 'busybox' }] });
  });
  after(() => world.remove());

  it('makes a first release live on three servers', async () => {
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    for (const server of [0, 1, 2]) {
      assert.equal(world.read('index.html', server), 'version 1\n');
      assertSameTree(join(world.site(server), 'current'), world.repository.directory, {
        without: ['.git', 'REVISION'],
        folderModes: 'ignore',
      });
      assert.equal(existsSync(join(world.site(server), '.durant/lock')), false);
      assert.equal(statSync(join(world.site(server), '.durant')).mode & 0o777, 0o750);
    }
    assert.equal(new Set([0, 1, 2].map((server) => world.live(server))).size, 1);
  });

  it('finds it already live, and changes nothing', async () => {
    const before = world.live();
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0);
    const finished = finishedOf(result);
    assert.deepEqual(
      (finished['servers'] as { state: string }[]).map((server) => server.state),
      ['unchanged', 'unchanged', 'unchanged'],
    );
    assert.equal(world.live(), before);
    assert.equal(world.releases().length, 1);
  });

  it('shows in a dry run what would change, and changes nothing', async () => {
    world.repository.commit({
      message: 'Second version',
      files: { 'index.html': 'version 2\n', 'new.txt': 'new\n', '#hash': null },
    });
    // A spare of the run before may still be in the making.
    const records = (): string[] =>
      readdirSync(join(world.site(), '.durant'), { recursive: true, encoding: 'utf8' })
        .filter((name) => !name.startsWith('spare.'))
        .toSorted();
    const before = records();
    const result = await world.run(['--json', '-n', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    const changes = result.events.filter(
      (event) => event['event'] === 'change' && event['server'] === world.servers[2]?.entry,
    );
    assert.deepEqual(changes.map((event) => [event['kind'], event['path'], event['bytes']]).toSorted(), [
      ['added', 'new.txt', 4],
      ['changed', 'index.html', 10],
      ['deleted', '#hash', 5],
    ]);
    assert.deepEqual(records(), before);
    assert.equal((await world.run(['deploy', '-n', '--detailed-exitcode', 'production'])).status, 4);
  });

  it('deploys a change', async () => {
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    for (const server of [0, 1, 2]) {
      assert.equal(world.read('index.html', server), 'version 2\n');
      assertSameTree(join(world.site(server), 'current'), world.repository.directory, {
        without: ['.git', 'REVISION'],
        folderModes: 'ignore',
        mtime: false,
      });
      assert.equal(
        readFileSync(join(world.site(server), 'current/REVISION'), 'utf8').trim(),
        world.repository.git('rev-parse', 'HEAD'),
      );
    }
  });

  it('lists releases and status', async () => {
    const releases = JSON.parse((await world.run(['--json', 'releases', 'production'])).stdout);
    assert.equal(releases.stage, 'production');
    assert.equal(releases.servers.length, 3);
    assert.deepEqual(
      releases.servers[1].releases.map((release: Record<string, unknown>) => [
        release['subject'],
        release['state'],
        release['current'],
      ]),
      [
        ['Second version', 'finished', true],
        ['First version', 'finished', false],
      ],
    );
    const status = JSON.parse((await world.run(['--json', 'status'])).stdout);
    assert.equal(status.stages[0].mixed, false);
    assert.equal(status.stages[0].servers[0].subject, 'Second version');
    assert.equal(status.stages[0].servers[0].behind, 0);
  });

  it('rolls back on every server, marks what it left, and forward again by name', async () => {
    const left = world.live() ?? '';
    const result = await world.run(['rollback', 'production']);
    assert.equal(result.status, 0, result.stderr);
    for (const server of [0, 1, 2]) assert.equal(world.read('index.html', server), 'version 1\n');
    assert.match(
      readFileSync(join(world.site(), '.durant/releases', `${left}.ini`), 'utf8'),
      /^state = "bad"$/m,
    );
    assert.equal((await world.run(['rollback', 'production'])).status, 1, 'no older release');
    assert.equal((await world.run(['rollback', 'production', left])).status, 0);
    assert.equal(world.live(), left);
    assert.match(
      readFileSync(join(world.site(), '.durant/releases', `${left}.ini`), 'utf8'),
      /^state = "finished"$/m,
    );
  });

  it('refuses a foreign lock with exit status 3 and unlocks by force', async () => {
    const lock =
      'run = "20200101000000-00000000"\nstage = "production"\nuser = "eve"\nhost = "laptop"\nstarted = "2020-01-01T00:00:00Z"\naction = "deploy"\nmessage = ""\n';
    writeFileSync(join(world.site(1), '.durant/lock'), lock);
    world.repository.commit({ message: 'Third', files: { 'index.html': 'version 3\n' } });
    const refused = await world.run(['deploy', 'production']);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /eve@laptop/);
    assert.equal(world.read('index.html', 0), 'version 2\n');
    assert.equal(existsSync(join(world.site(0), '.durant/lock')), false);
    assert.equal((await world.run(['-n', 'deploy', 'production'])).status, 0, 'a dry run reports it only');
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(world.read('index.html', 1), 'version 3\n');
  });

  it('keeps what keep_releases says, and folders that are not its own', async () => {
    world.configure(['keep_releases = 2']);
    mkdirSync(join(world.site(), 'releases/mine'));
    assert.equal((await world.run(['deploy', '--again', 'production'])).status, 0);
    assert.equal(world.releases(0).length, 3);
    assert.equal(world.releases(1).length, 2);
    assert.ok(world.releases(0).includes('mine'));
    world.configure([]);
  });

  it('switches nobody when one server fails', async () => {
    world.repository.commit({ message: 'Broken', files: { 'index.html': 'broken\n' } });
    world.configure(['before_symlink =', '    test "$DURANT_SERVER" != ' + (world.servers[1]?.entry ?? '')]);
    const before = world.live();
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 1);
    for (const server of [0, 1, 2]) {
      assert.equal(world.live(server), before);
      assert.equal(world.read('index.html', server), 'version 3\n');
      assert.equal(existsSync(join(world.site(server), '.durant/lock')), false);
    }
    world.configure([]);
  });

  it('switches every server back when what follows the switch fails', async () => {
    world.configure([
      'after_symlink =',
      '    test "$DURANT_SERVER" != ' + (world.servers[2]?.entry ?? ''),
      'after_rollback = echo back >> ../../shared-log',
      'on_failure = echo "$DURANT_FAILED_STEP" > failed-step',
    ]);
    const before = world.live();
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 1);
    for (const server of [0, 1, 2]) {
      assert.equal(world.live(server), before);
      assert.equal(readFileSync(join(world.site(server), 'failed-step'), 'utf8'), 'symlink\n');
      assert.equal(readFileSync(join(world.site(server), 'shared-log'), 'utf8'), 'back\n');
    }
    const servers = finishedOf(result)['servers'] as { state: string }[];
    assert.deepEqual(
      servers.map((server) => server.state),
      ['reverted', 'reverted', 'reverted'],
    );
    world.configure([]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(world.read('index.html', 2), 'broken\n');
  });
});
