/** Layouts that Capistrano and Deployer left: taken over without touching anything, deployed to, and rolled back to. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { commitVersion } from '../e2e/faultsSupport.ts';
import { removeTree } from '../support/remove.ts';
import { finishedOf, makeWorld, type World } from '../e2e/world.ts';

interface Layout {
  readonly tool: 'capistrano' | 'deployer';
  /** Complete ones, oldest first. */
  readonly releases: readonly string[];
  /** Folders that are not to be taken over. */
  readonly left: readonly string[];
  /** Target of `current`. */
  readonly target: (site: string, release: string) => string;
  readonly extra: readonly string[];
}

const LAYOUTS: readonly Layout[] = [
  {
    tool: 'capistrano',
    releases: ['20260101120000', '20260201120000'],
    left: ['20260115120000', '20260301120000', 'notes'],
    target: (site, release) => join(site, 'releases', release),
    extra: ['repo', 'revisions.log'],
  },
  {
    tool: 'deployer',
    releases: ['1', '2', '10'],
    left: ['9', '11'],
    target: (_site, release) => `releases/${release}`,
    extra: ['.dep'],
  },
];

describe('adopt', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    world.configure(['spare = no', 'keep_releases = 2']);
  });
  after(() => world.remove());
  afterEach(() => {
    for (const server of [0, 1]) removeTree(world.site(server));
  });

  function lay(layout: Layout, server: number): string {
    const site = world.site(server);
    mkdirSync(join(site, 'shared/uploads'), { recursive: true });
    const commit = world.repository.git('rev-parse', 'HEAD');
    for (const release of layout.releases) {
      const folder = join(site, 'releases', release);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'index.html'), `${layout.tool} ${release}\n`);
      writeFileSync(join(folder, 'REVISION'), `${commit}\n`);
    }
    for (const release of layout.left) {
      mkdirSync(join(site, 'releases', release));
      // A deploy that failed; what comes after the live release was rolled back.
      writeFileSync(join(site, 'releases', release, layout.tool === 'deployer' ? 'BAD_RELEASE' : 'file'), '');
    }
    for (const name of layout.extra)
      if (name.includes('.log'))
        writeFileSync(
          join(site, name),
          layout.releases
            .map((release) => `Branch main (at ${commit}) deployed as release ${release} by ann\n`)
            .join(''),
        );
      else mkdirSync(join(site, name));
    symlinkSync(layout.target(site, layout.releases.at(-1) ?? ''), join(site, 'current'));
    return site;
  }

  /** All but `.durant` and the folder itself, with times. */
  const untouched = (site: string) =>
    execFileSync('find', [
      site,
      '-mindepth',
      '1',
      '-path',
      '*/.durant*',
      '-prune',
      '-o',
      '-mindepth',
      '1',
      '-printf',
      '%p %y %m %T@ %s %l\\n',
    ])
      .toString()
      .split('\n')
      .toSorted();

  for (const layout of LAYOUTS)
    it(`a layout of ${layout.tool}: adopted, deployed to, rolled back to`, async () => {
      const sites = [0, 1].map((server) => lay(layout, server));
      const live = layout.releases.at(-1) ?? '';
      const before = sites.map(untouched);
      const refused = await world.run(['--json', 'deploy', 'production']);
      assert.equal((finishedOf(refused)['error'] as { code: string }).code, 'unmanaged-project-dir');

      const look = await world.run(['--json', 'adopt', '-n', 'production']);
      assert.equal(look.status, 0, look.stdout);
      const states = (text: string) =>
        (JSON.parse(text).servers as readonly { state: string; current: string }[]).map(
          ({ state, current }) => `${state} ${current}`,
        );
      assert.deepEqual(states(look.stdout), [`unchanged ${live}`, `unchanged ${live}`]);
      assert.ok(sites.every((site) => !existsSync(join(site, '.durant'))));

      const adopted = await world.run(['--json', 'adopt', 'production']);
      assert.equal(adopted.status, 0, adopted.stdout);
      assert.deepEqual(sites.map(untouched), before, 'nothing else is touched');
      const record = readFileSync(join(sites[0] ?? '', '.durant/releases', `${live}.ini`), 'utf8');
      assert.match(record, /^state = "finished"$/m);
      for (const site of sites)
        assert.deepEqual(
          readdirSync(join(site, '.durant/releases')).toSorted(),
          layout.releases.map((release) => `${release}.ini`).toSorted(),
        );
      const listed = JSON.parse((await world.run(['--json', 'releases', 'production'])).stdout);
      for (const { releases } of listed.servers)
        assert.deepEqual(
          releases.map(({ name }: { name: string }) => name),
          layout.releases.toReversed(),
        );
      assert.match(record, new RegExp(`^commit = "${world.repository.git('rev-parse', 'HEAD')}"$`, 'm'));
      const again = await world.run(['--json', 'adopt', 'production']);
      assert.deepEqual(states(again.stdout), [`unchanged ${live}`, `unchanged ${live}`]);

      commitVersion(world, `after ${layout.tool}`);
      const deployed = await world.run(['deploy', 'production']);
      assert.equal(deployed.status, 0, deployed.stderr);
      for (const server of [0, 1]) assert.equal(world.read('index.html', server), `after ${layout.tool}\n`);
      // What was taken over counts for keep_releases; what was left alone is never removed.
      for (const server of [0, 1])
        assert.deepEqual(
          new Set(world.releases(server)),
          new Set([live, ...layout.left, world.live(server) ?? '']),
        );

      const back = await world.run(['rollback', 'production']);
      assert.equal(back.status, 0, back.stderr);
      for (const server of [0, 1]) {
        assert.equal(world.live(server), live);
        assert.equal(world.read('index.html', server), `${layout.tool} ${live}\n`);
      }
      assert.equal((await world.run(['deploy', '--again', 'production'])).status, 0);
    });

  it('refuses what is no such layout, and says what to do', async () => {
    for (const server of [0, 1]) mkdirSync(world.site(server), { recursive: true });
    const result = await world.run(['--json', 'adopt', 'production']);
    assert.equal(result.status, 1);
    const { code, message } = JSON.parse(result.stdout).error;
    assert.equal(code, 'nothing-to-adopt');
    assert.match(message, /strategy: inplace/);
    assert.deepEqual(readdirSync(world.site()), []);
  });

  it('waits for nobody: a server that is locked is left as it is', async () => {
    const [layout] = LAYOUTS;
    if (layout === undefined) return;
    const sites = [0, 1].map((server) => lay(layout, server));
    const lock = join(sites[1] ?? '', '.durant/lock');
    mkdirSync(join(lock, '..'));
    writeFileSync(lock, 'run = "20200101000000-00000000"\nuser = "eve"\nhost = "laptop"\n');
    const refused = await world.run(['--json', 'adopt', 'production']);
    assert.equal(refused.status, 3, refused.stdout);
    assert.match(JSON.parse(refused.stdout).error.message, /eve/);
    for (const site of sites)
      assert.equal(existsSync(join(site, '.durant/releases', `${layout.releases.at(-1) ?? ''}.ini`)), false);
    rmSync(lock);
    const adopted = await world.run(['--json', 'adopt', 'production']);
    assert.equal(adopted.status, 0, adopted.stdout);
    for (const site of sites) {
      assert.ok(existsSync(join(site, '.durant/releases', `${layout.releases.at(-1) ?? ''}.ini`)));
      assert.equal(existsSync(join(site, '.durant/lock')), false);
    }
  });

  it('takes over what an adoption of the live release alone has left', async () => {
    const [layout] = LAYOUTS;
    if (layout === undefined) return;
    const sites = [0, 1].map((server) => lay(layout, server));
    assert.equal((await world.run(['adopt', 'production'])).status, 0);
    const [first = ''] = layout.releases;
    for (const site of sites) rmSync(join(site, '.durant/releases', `${first}.ini`));
    const dry = await world.run(['adopt', '-n', 'production']);
    assert.match(dry.stdout + dry.stderr, new RegExp(first));
    assert.equal((await world.run(['adopt', 'production'])).status, 0);
    const back = await world.run(['rollback', 'production']);
    assert.equal(back.status, 0, back.stderr);
    assert.deepEqual([world.live(0), world.live(1)], [first, first]);
  });

  it('adopts on no server where one has nothing to adopt', async () => {
    const [layout] = LAYOUTS;
    if (layout === undefined) return;
    const site = lay(layout, 0);
    mkdirSync(world.site(1), { recursive: true });
    assert.equal((await world.run(['adopt', 'production'])).status, 1);
    assert.equal(existsSync(join(site, '.durant')), false);
  });
});
