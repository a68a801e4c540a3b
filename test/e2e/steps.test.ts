/** The steps that build a release, on two servers: what they make, that a second run finds it, and what a failure leaves. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { makeRepository, type CommitDescription } from '../support/repo.ts';
import { removeTree } from '../support/remove.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const SERVERS = [0, 1];

function errorOf(result: CliResult): { code: string; message: string } {
  return finishedOf(result)['error'] as { code: string; message: string };
}

function states(result: CliResult): string[] {
  return (finishedOf(result)['servers'] as { state: string }[]).map(({ state }) => state);
}

describe('the steps of a release', function () {
  let world: World;
  let version = 0;
  const file = (path: string, server = 0): string => join(world.site(server), path);
  const text = (path: string, server = 0): string => readFileSync(file(path, server), 'utf8');
  const next = (files: CommitDescription['files'] = {}): void => {
    version += 1;
    world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n`, ...files } });
  };
  /** Deploys, and finds it live when asked again. */
  const deployTwice = async (): Promise<CliResult> => {
    const first = await world.run(['--json', 'deploy', 'production']);
    assert.equal(first.status, 0, first.stdout);
    const second = await world.run(['--json', 'deploy', 'production']);
    assert.deepEqual(states(second), ['unchanged', 'unchanged'], second.stdout);
    return first;
  };
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());

  describe('shared', () => {
    it('stops before anything is sent where a file is missing, also in a dry run', async () => {
      world.configure(['shared_dirs = storage/logs', 'shared_files = .env, config/local.php']);
      next({ 'config/local.php': 'from the commit\n', 'storage/logs/first.log': 'seed\n' });
      mkdirSync(file('shared', 1), { recursive: true });
      writeFileSync(file('shared/.env', 1), 'KEY=1\n');
      for (const args of [['-n', 'deploy'], ['deploy']]) {
        const result = await world.run(['--json', ...args, 'production']);
        assert.equal(errorOf(result).code, 'shared-file-missing', result.stdout);
        assert.match(errorOf(result).message, /\.env/);
        assert.doesNotMatch(errorOf(result).message, /local\.php/);
        assert.equal(existsSync(file('releases')), false);
      }
      const check = await world.run(['--json', 'check', '--connect', 'production']);
      assert.equal(check.status, 1);
      const assessments = JSON.parse(check.stdout).assessments as { step: string; ok: boolean }[];
      assert.deepEqual(
        assessments.filter(({ step }) => step === 'shared').map(({ ok }) => ok),
        [false, true],
      );
    });

    it('links what is kept, seeded from the first release', async () => {
      mkdirSync(file('shared'), { recursive: true });
      writeFileSync(file('shared/.env'), 'KEY=0\n');
      await deployTwice();
      for (const server of SERVERS) {
        assert.equal(text('current/.env', server), `KEY=${server}\n`);
        assert.equal(readlinkSync(file('current/.env', server)), '../../shared/.env');
        assert.equal(readlinkSync(file('current/storage/logs', server)), '../../../shared/storage/logs');
        assert.equal(text('shared/storage/logs/first.log', server), 'seed\n');
        assert.equal(text('shared/config/local.php', server), 'from the commit\n');
        writeFileSync(file('current/storage/logs/app.log', server), 'written by the application\n');
      }
    });

    it('keeps what is there through the next release, and fails where a link is on the way', async () => {
      next({ 'storage/logs/first.log': 'another seed\n' });
      await deployTwice();
      for (const server of SERVERS) {
        assert.equal(text('current/storage/logs/app.log', server), 'written by the application\n');
        assert.equal(text('current/storage/logs/first.log', server), 'seed\n');
      }
      const live = world.live();
      mkdirSync(join(world.project, 'outside'), { recursive: true });
      next({ 'storage/logs/first.log': null, storage: { link: join(world.project, 'outside') } });
      const result = await world.run(['--json', 'deploy', 'production']);
      assert.equal(result.status, 1);
      assert.match(errorOf(result).message, /symbolic link/);
      assert.equal(world.live(), live);
      assert.equal(world.releases().length, 2);
      assert.equal(existsSync(join(world.project, 'outside/logs')), false);
      next({ storage: null });
    });
  });

  describe('copy_dirs', () => {
    it('copies from the release before; what the commit has wins', async () => {
      world.configure(['copy_dirs = node_modules']);
      next();
      await deployTwice();
      for (const server of SERVERS) {
        mkdirSync(file('current/node_modules/left-pad', server), { recursive: true });
        writeFileSync(file('current/node_modules/left-pad/index.js', server), 'pad\n');
        symlinkSync('left-pad', file('current/node_modules/pad', server));
      }
      next({ 'node_modules/own.js': 'of the commit\n' });
      await deployTwice();
      for (const server of SERVERS) {
        assert.equal(text('current/node_modules/left-pad/index.js', server), 'pad\n');
        assert.equal(readlinkSync(file('current/node_modules/pad', server)), 'left-pad');
        assert.equal(text('current/node_modules/own.js', server), 'of the commit\n');
      }
      next({ 'node_modules/own.js': null });
      await deployTwice();
      assert.equal(text('current/node_modules/left-pad/index.js'), 'pad\n');
    });
  });

  describe('vendors, clear_paths, release_command', () => {
    it('run in the release, in this order, the last on the first server once', async () => {
      world.configure([
        'vendors =',
        '    echo "vendors $DURANT_SERVER $DURANT_RELEASE" > order',
        '    mkdir -p build/cache && echo x > build/cache/x && pwd > where',
        'clear_paths = build, bin/run, not-there',
        'release_command =',
        '    test ! -e build && echo release >> order',
        '    echo "$DURANT_COMMIT" >> ../../migrations',
      ]);
      next();
      await deployTwice();
      for (const server of SERVERS) {
        const entry = world.servers[server]?.entry ?? '';
        const lines = text('current/order', server).trimEnd().split('\n');
        assert.deepEqual(lines, [
          `vendors ${entry} ${world.live() ?? ''}`,
          ...(server === 0 ? ['release'] : []),
        ]);
        assert.equal(existsSync(file('current/build', server)), false);
        assert.equal(existsSync(file('current/bin/run', server)), false);
        assert.equal(text('current/where', server).trim(), file(`releases/${world.live() ?? ''}`, server));
        assert.equal(existsSync(file('migrations', server)), server === 0);
      }
      assert.equal(text('migrations').trimEnd().split('\n').length, 1);
      next();
      await deployTwice();
      assert.equal(existsSync(file('current/bin/run')), false, 'the next release is clear of it too');
    });

    for (const [step, lines] of [
      ['vendors', ['vendors = test "$DURANT_SERVER" != "SECOND"']],
      ['release_command', ['release_command = echo no database >&2; exit 3']],
      ['clear_paths', ['clear_paths = link-folder/run']],
      ['writable', ['writable_mode = chmod', 'writable_dirs = link-folder/made']],
    ] as const)
      it(`leave nothing of a release whose ${step} failed`, async () => {
        const second = world.servers[1]?.entry ?? '';
        world.configure(lines.map((line) => line.replace('SECOND', second)));
        next();
        const [live, releases] = [world.live(), world.releases()];
        const result = await world.run(['--json', 'deploy', 'production']);
        assert.equal(result.status, 1, result.stdout);
        if (step === 'release_command') assert.match(errorOf(result).message, /exit status 3.*no database/s);
        if (step === 'clear_paths') assert.match(errorOf(result).message, /symbolic link/);
        for (const server of SERVERS) {
          assert.equal(world.live(server), live);
          assert.deepEqual(world.releases(server), releases);
          assert.equal(existsSync(file('current/bin/made', server)), false);
        }
      });
  });

  describe('the tree', () => {
    it('of a sub_directory, also one that before_deploy made', async () => {
      world.configure([
        'sub_directory = dist',
        'before_deploy =',
        '    mkdir -p dist/assets',
        '    cp index.html dist/ && echo built > dist/assets/app.js && chmod 600 dist/assets/app.js',
      ]);
      next();
      const shown = await world.run(['--json', '-n', 'deploy', '--build', 'production']);
      assert.equal(shown.status, 0, shown.stdout);
      assert.ok(shown.events.some((event) => event['path'] === 'assets/app.js' && event['kind'] === 'added'));
      await deployTwice();
      for (const server of SERVERS) {
        assert.equal(text('current/assets/app.js', server), 'built\n');
        assert.equal(lstatSync(file('current/assets/app.js', server)).mode & 0o777, 0o600);
        assert.equal(existsSync(file('current/plain.txt', server)), false);
      }
    });

    it('with submodules, and without', async () => {
      const library = makeRepository([{ message: 'Library', files: { 'lib.js': 'library\n' } }]);
      try {
        world.repository.git(
          '-c',
          'protocol.file.allow=always',
          'submodule',
          'add',
          '-q',
          library.directory,
          'vendor/lib',
        );
        world.repository.git('commit', '-qm', 'With a submodule');
        world.configure([]);
        await deployTwice();
        for (const server of SERVERS) assert.equal(text('current/vendor/lib/lib.js', server), 'library\n');
        world.configure(['submodules = no']);
        await deployTwice();
        assert.equal(existsSync(file('current/vendor/lib/lib.js')), false);
      } finally {
        library.remove();
      }
    });

    it('of a branch, a tag, a full and an abbreviated id', async () => {
      world.configure([]);
      const [side = ''] = world.repository.commit({
        message: 'Side',
        branch: 'side',
        files: { 'index.html': 'side\n' },
        tag: 'v1.0',
      });
      const [main = ''] = world.repository.commit({
        message: 'Main',
        branch: 'main',
        files: { 'index.html': 'main\n' },
      });
      for (const [ref, expected] of [
        ['side', 'side\n'],
        ['main', 'main\n'],
        ['v1.0', 'side\n'],
        [main, 'main\n'],
        [side.slice(0, 8), 'side\n'],
      ] as const) {
        const result = await world.run(['--json', 'deploy', '--ref', ref, 'production']);
        assert.equal(result.status, 0, `${ref}: ${result.stdout}`);
        assert.equal(text('current/index.html', 1), expected, ref);
      }
      const unknown = await world.run(['--json', 'deploy', '--ref', 'nowhere', 'production']);
      assert.equal(errorOf(unknown).code, 'branch-not-found');
    });
  });

  describe('--server', () => {
    it('deploys to a part of the servers, which are then mixed, and a rollback compares with the newest', async () => {
      world.configure([]);
      assert.equal((await world.run(['deploy', 'production'])).status, 0);
      const common = world.live();
      world.repository.commit({ message: 'Part', branch: 'main', files: { 'index.html': 'part\n' } });
      const one = world.servers[1]?.entry ?? '';
      const result = await world.run(['--json', 'deploy', '--server', one, 'production']);
      assert.equal(result.status, 0, result.stdout);
      assert.equal(world.live(0), common);
      assert.equal(text('current/index.html', 1), 'part\n');
      const status = async (): Promise<{ mixed: boolean }> =>
        JSON.parse((await world.run(['--json', 'status', 'production'])).stdout).stages[0];
      assert.equal((await status()).mixed, true);
      assert.equal((await world.run(['rollback', 'production'])).status, 0);
      assert.equal(world.live(0), common);
      assert.equal(world.live(1), common);
      assert.equal((await status()).mixed, false);
    });

    it('is refused where another server has nothing live', async () => {
      removeTree(world.site(1));
      const one = world.servers[0]?.entry ?? '';
      next();
      const result = await world.run(['--json', 'deploy', '--server', one, 'production']);
      assert.equal(errorOf(result).code, 'servers-disagree', result.stdout);
    });

    it('names the first server that is left behind, whichever answers first', async () => {
      const one = world.servers[0]?.entry ?? '';
      const silent = createServer((socket) => void socket.on('error', () => undefined).resume());
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as AddressInfo;
      world.configure(['connect_timeout = 1'], [one, `127.0.0.1:${port}`, '127.0.0.1:9']);
      next();
      const result = await world.run(['--json', 'deploy', '--server', one, 'production']);
      assert.equal(errorOf(result).code, 'servers-disagree', result.stdout);
      assert.match(errorOf(result).message, new RegExp(`would leave 127\\.0\\.0\\.1:${port} behind`));
      await new Promise((resolve) => silent.close(resolve));
    });
  });
});
