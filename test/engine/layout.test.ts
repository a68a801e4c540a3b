/** What a release is called, where it is linked, how long it is kept, and how its files get there. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../support/wait.ts';
import { assertTidy, commitVersion, deployKilledAt, stateOf, step } from '../e2e/faultsSupport.ts';
import { removeTree } from '../support/remove.ts';
import { finishedOf, makeWorld, type World } from '../e2e/world.ts';

describe('releases', function () {
  let world: World;
  let version = 0;
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());
  beforeEach(() => {
    for (const server of [0, 1]) removeTree(world.site(server));
    commitVersion(world, `v${++version}`);
  });
  const configure = (...lines: readonly string[]) => world.configure(['spare = no', ...lines]);
  const deploy = async (...args: readonly string[]) => {
    const result = await world.run(['--json', 'deploy', ...args, 'production']);
    assert.equal(result.status, 0, result.stdout);
    return result;
  };

  for (const [template, lines, expected] of [
    ['{date}-{commit}', [], /^\d{14}-[0-9a-f]{7}$/],
    ['{branch}', [], /^main$/],
    ['v{version}', ['[vars]', 'version = 1.4.0'], /^v1\.4\.0$/],
    ['r-{commit}', [], /^r-[0-9a-f]{7}$/],
  ] as const)
    it(`release_name ${template}; a name that is taken gets -2, -3`, async () => {
      configure(`release_name = ${template}`, ...lines);
      await deploy();
      const name = world.live() ?? '';
      assert.match(name, expected);
      if (template.includes('{date}')) return;
      // A folder that Durant did not make takes a name, too, on every server.
      mkdirSync(join(world.site(1), 'releases', `${name}-2`));
      await deploy('--again');
      assert.equal(world.live(), `${name}-3`);
      assert.equal(world.live(1), `${name}-3`);
    });

  it('current_path a/b is a relative link; switched, rolled back', async () => {
    configure('current_path = public/www');
    await deploy();
    const link = join(world.site(), 'public/www');
    assert.match(readlinkSync(link), /^\.\.\/releases\//);
    commitVersion(world, `v${++version}`);
    await deploy();
    assert.equal(readFileSync(join(link, 'index.html'), 'utf8'), `v${version}\n`);
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    assert.equal(readFileSync(join(link, 'index.html'), 'utf8'), `v${version - 1}\n`);
    assert.equal((await world.run(['status', 'production'])).status, 0);
  });

  it('--again makes a new release of what is live; a changed recipe does as well', async () => {
    configure();
    await deploy();
    const first = world.live();
    await deploy();
    assert.equal(world.live(), first);
    await deploy('--again');
    assert.notEqual(world.live(), first);
    const second = world.live();
    configure('clear_paths = bin');
    await deploy();
    assert.notEqual(world.live(), second);
    configure('clear_paths = bin', 'keep_releases = 9', 'parallel = 1', 'connect_timeout = 20s');
    const third = world.live();
    await deploy();
    assert.equal(world.live(), third, 'what does not shape a release is no other recipe');
  });

  it('keep_releases counts finished ones, the live one too; the live one and its rollback target always stay', async () => {
    configure('keep_releases = 1');
    for (let count = 0; count < 3; count += 1) await deploy('--again');
    assert.equal(world.releases().length, 2);
    configure('keep_releases = 3');
    for (let count = 0; count < 3; count += 1) await deploy('--again');
    assert.equal(world.releases(1).length, 3);
    configure('keep_releases = -1');
    for (let count = 0; count < 3; count += 1) await deploy('--again');
    assert.equal(world.releases().length, 6);
    // Rolled back to the oldest: it is the live one, so it stays while everything newer may go.
    const [oldest = ''] = world.releases();
    assert.equal((await world.run(['rollback', 'production', oldest])).status, 0);
    configure('keep_releases = 1');
    await deploy('--again');
    const left = world.releases().filter((name) => stateOf(world, name) === 'finished');
    assert.equal(left.length, 2, 'the live one and the newest finished one before it');
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    assert.deepEqual([world.live(0), world.live(1)], [left[0], left[0]]);
    assertTidy(world);
  });

  it('a failed release stays for inspection until the next run, and is no candidate', async () => {
    configure('keep_releases = 9');
    await deploy();
    const first = world.live() ?? '';
    commitVersion(world, `v${++version}`);
    configure('keep_releases = 9', 'health_retries = 0', 'health_check = exit 1');
    const failed = await world.run(['--json', 'deploy', 'production']);
    assert.equal(failed.status, 1);
    const name = String(finishedOf(failed)['release']);
    assert.equal(stateOf(world, name), 'failed');
    assert.ok(world.releases(1).includes(name));
    assert.equal(world.live(), first);
    assert.equal((await world.run(['rollback', 'production', name])).status, 1);
    assert.equal((await world.run(['rollback', 'production'])).status, 1, 'nothing older');
    configure('keep_releases = 9');
    await deploy();
    assert.equal(world.releases().includes(name), false);
    assertTidy(world);
  });

  it('what a dead run prepared is resumed, and nothing is sent again', async () => {
    configure(
      'vendors = echo vendored >> ~/vendored',
      'before_symlink = test -e ~/go || { echo on; sleep 1000; }',
    );
    for (const { home } of world.servers) rmSync(join(home, 'go'), { force: true });
    // Dies after all is prepared: the switch of both is under way.
    for (const { home } of world.servers) writeFileSync(join(home, 'go'), '');
    await deployKilledAt(world, step('symlink', 'running'));
    const prepared = world.releases();
    const again = await deploy();
    assert.deepEqual(world.releases(), prepared);
    assert.equal(finishedOf(again)['release'], prepared[0]);
    assert.ok(again.events.some(step('update_code', 'already')));
    assert.ok(!again.events.some((event) => event['event'] === 'transfer'));
    for (const { home } of world.servers)
      assert.equal(readFileSync(join(home, 'vendored'), 'utf8'), 'vendored\n', 'vendors ran once');
    assertTidy(world);
  });

  it('what a dead run prepared for another commit is removed', async () => {
    configure();
    await deploy();
    commitVersion(world, `v${++version}`);
    await deployKilledAt(world, step('symlink', 'running'));
    commitVersion(world, `v${++version}`);
    await deploy();
    assert.equal(world.releases().length <= 3, true);
    assert.equal(world.read('index.html', 1), `v${version}\n`);
    assertTidy(world);
  });

  for (const [unchanged, shared] of [
    ['copy', false],
    ['link', true],
  ] as const)
    it(`unchanged: ${unchanged}`, async () => {
      configure(`unchanged = ${unchanged}`, 'keep_releases = 9');
      await deploy();
      const before = world.live() ?? '';
      commitVersion(world, `v${++version}`);
      await deploy();
      for (const server of [0, 1]) {
        const inode = (release: string, path: string) =>
          statSync(join(world.site(server), 'releases', release, path)).ino;
        const after = world.live(server) ?? '';
        assert.equal(inode(before, 'plain.txt') === inode(after, 'plain.txt'), shared);
        assert.notEqual(inode(before, 'index.html'), inode(after, 'index.html'));
        assert.equal(
          readFileSync(join(world.site(server), 'releases', before, 'index.html'), 'utf8'),
          `v${version - 1}\n`,
        );
      }
    });

  it('the spare is made after the run and becomes the next release; a spoilt one is not used', async () => {
    world.configure([]);
    await deploy();
    const durant = (server: number) => join(world.site(server), '.durant');
    const spare = (server: number) =>
      waitFor('the spare', () =>
        readdirSync(durant(server)).find(
          (name) => name.startsWith('spare.') && existsSync(join(durant(server), name, 'for')),
        ),
      );
    for (const server of [0, 1]) await spare(server);
    const inode = statSync(join(durant(0), await spare(0), 'tree/plain.txt')).ino;
    commitVersion(world, `v${++version}`);
    await deploy();
    assert.equal(
      statSync(join(world.site(), 'current/plain.txt')).ino,
      inode,
      'the spare became the release',
    );
    for (const server of [0, 1]) {
      const file = join(durant(server), await spare(server), 'tree/plain.txt');
      writeFileSync(file, 'SPOILT');
    }
    commitVersion(world, `v${++version}`);
    await deploy();
    for (const server of [0, 1]) assert.equal(world.read('plain.txt', server), 'plain\n');
    world.configure(['spare = no']);
    commitVersion(world, `v${++version}`);
    await deploy();
    await waitFor('no spare', () => readdirSync(durant(0)).every((name) => !name.startsWith('spare.')));
  });

  it('drift in the live release is reported and never carried on', async () => {
    configure();
    await deploy();
    writeFileSync(join(world.site(), 'current/plain.txt'), 'edited on the server\n');
    commitVersion(world, `v${++version}`);
    const result = await deploy();
    assert.ok(
      result.events.some(
        (event) => event['code'] === 'drift' && String(event['message']).includes('plain.txt'),
      ),
    );
    assert.equal(world.read('plain.txt'), 'plain\n');
  });

  it('what hooks change in a release is no drift, and is not carried on either', async () => {
    configure('before_symlink = echo changed > plain.txt; echo new > made-by-hook');
    await deploy();
    commitVersion(world, `v${++version}`);
    const result = await deploy();
    assert.deepEqual(
      result.events.filter((event) => event['event'] === 'warning').map((event) => event['message']),
      [],
    );
    configure();
    commitVersion(world, `v${++version}`);
    await deploy();
    assert.equal(world.read('plain.txt', 1), 'plain\n');
    assert.equal(existsSync(join(world.site(), 'current/made-by-hook')), false);
  });

  it('project_dir may be a link, or lie behind one', async () => {
    configure();
    const [server] = world.servers;
    mkdirSync(join(server?.home ?? '', 'real'));
    symlinkSync('real', world.site());
    await deploy();
    assert.ok(lstatSync(world.site()).isSymbolicLink());
    assert.equal(world.read('index.html'), `v${version}\n`);
    commitVersion(world, `v${++version}`);
    await deploy();
    assert.equal(world.read('index.html'), `v${version}\n`);
    rmSync(join(server?.home ?? '', 'real'), { recursive: true });
  });
});
