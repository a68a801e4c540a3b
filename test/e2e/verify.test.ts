/** `durant verify`: what differs on a server from what was deployed there, and nothing else. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { makeWorld, type World } from './world.ts';

const TOOLS = ['gnu', 'busybox'] as const;

describe('verify', function () {
  let world: World;
  const run = (...args: string[]): Promise<CliResult> =>
    runCliHere(args, { home: world.home, cwd: world.project });
  const drift = (result: CliResult, server: number): readonly (readonly [unknown, unknown])[] =>
    result.events
      .filter((event) => event['event'] === 'drift' && event['server'] === world.servers[server]?.entry)
      .map((event) => [event['kind'], event['path']] as const);
  const verify = async (status: number, ...args: string[]): Promise<CliResult> => {
    const result = await run('--json', 'verify', 'production', ...args);
    assert.equal(result.status, status, result.stdout + result.stderr);
    assert.equal(result.events.at(-1)?.['event'], 'run-finished');
    return result;
  };
  const live = (path: string, server: number): string => join(world.site(server), 'current', path);

  before(async () => {
    world = await makeWorld({
      servers: [{}, { tools: 'busybox' }],
      commits: [
        {
          message: 'First',
          files: {
            'index.php': 'of the commit\n',
            'gone.txt': 'of the commit\n',
            'same\nname.txt': 'of the commit\n',
            'bin/run.sh': 'of the commit\n',
            'config/made.ini': 'of the commit\n',
            'uploads/seed.txt': 'of the commit\n',
            'cache/.keep': '',
            'cleared/file.txt': 'of the commit\n',
          },
        },
      ],
      conf: [
        'spare = no',
        'shared_dirs = uploads',
        'writable_dirs = cache',
        'writable_mode = chmod',
        'clear_paths = cleared',
        'vendors = mkdir -p vendor/lib && echo made > vendor/lib/code.php',
        'after_symlink = echo late >> config/made.ini',
      ],
    });
  });
  after(() => world.remove());

  it('says that nothing is live before the first deploy', async () => {
    const result = await verify(1);
    const error = result.events.at(-1)?.['error'];
    assert.match(
      JSON.stringify(error),
      /"unknown-release","message":"Nothing is live on .* durant deploy production/,
    );
  });

  it('finds a release as it was deployed, whatever its own run did to it and users wrote into what they may', async () => {
    assert.equal((await run('deploy', 'production')).status, 0);
    for (const server of [0, 1]) {
      writeFileSync(join(world.site(server), 'shared/uploads/photo.jpg'), 'of a user\n');
      writeFileSync(live('cache/page.html', server), 'of the application\n');
    }
    const { mtimeMs } = lstatSync(join(world.site(0), '.durant'));
    const result = await verify(0);
    for (const server of [0, 1]) assert.deepEqual(drift(result, server), [], TOOLS[server]);
    assert.equal(lstatSync(join(world.site(0), '.durant')).mtimeMs, mtimeMs, 'nothing was written');
    const said = await run('verify', 'production');
    assert.equal(said.status, 0);
    assert.match(said.stdout, /: \d{14}-[0-9a-f]{7} is as it was deployed\n/);
  });

  it('with --all compares those, too', async () => {
    const result = await verify(4, '--all');
    for (const server of [0, 1])
      assert.deepEqual(
        drift(result, server),
        [
          ['added', 'cache/page.html'],
          ['deleted', 'cleared/file.txt'],
          ['changed', 'config/made.ini'],
          ['added', 'uploads/photo.jpg'],
          ['added', 'vendor/lib/code.php'],
        ],
        TOOLS[server],
      );
  });

  it('names each file that was changed, added or deleted, and each mode', async () => {
    for (const server of [0, 1]) {
      writeFileSync(live('index.php', server), 'OF THE COMMIT\n');
      appendFileSync(live('config/made.ini', server), 'later\n');
      appendFileSync(live('vendor/lib/code.php', server), 'later\n');
      appendFileSync(live('same\nname.txt', server), 'more\n');
      appendFileSync(live('REVISION', server), 'more\n');
      chmodSync(live('bin/run.sh', server), 0o755);
      rmSync(live('gone.txt', server));
      mkdirSync(live('new/folder', server), { recursive: true });
      writeFileSync(live('new/folder/shell.php', server), 'bad\n');
      writeFileSync(live(`b\u00e9.txt`, server), 'bad\n');
    }
    const result = await verify(4);
    for (const server of [0, 1])
      assert.deepEqual(
        drift(result, server),
        [
          ['changed', 'REVISION'],
          ['mode', 'bin/run.sh'],
          ['added', 'bé.txt'],
          ['changed', 'config/made.ini'],
          ['deleted', 'gone.txt'],
          ['changed', 'index.php'],
          ['added', 'new/folder/shell.php'],
          ['changed', 'same\nname.txt'],
          ['added', 'vendor/lib/code.php'],
        ],
        TOOLS[server],
      );
    const said = await run('verify', '--server', world.servers[0]?.entry ?? '', 'production');
    assert.equal(said.status, 4);
    assert.match(said.stdout, /\] deleted: gone\.txt\n/);
    assert.match(said.stdout, /, 9 differences\n$/);
  });

  it('needs no lock', async () => {
    const lock = join(world.site(0), '.durant/lock');
    writeFileSync(lock, 'run = "other"\n');
    await verify(4);
    assert.equal(readFileSync(lock, 'utf8'), 'run = "other"\n');
    rmSync(lock);
  });

  it('compares current with the release that was deployed last', async () => {
    assert.equal((await run('deploy', '--again', 'production')).status, 0);
    assert.deepEqual(drift(await verify(0), 0), []);
    const [first = ''] = world.releases(0);
    const link = join(world.site(0), 'current');
    rmSync(link);
    assert.deepEqual(drift(await verify(4), 0), [['deleted', 'current']]);
    symlinkSync(`releases/${first}`, link);
    assert.deepEqual(drift(await verify(4), 0)[0], ['changed', 'current']);
  });

  it('says so of a server that cannot be asked, and verifies the others', async () => {
    world.configure(['spare = no'], [world.servers[1]?.entry ?? '', '127.0.0.1:1']);
    const result = await verify(1);
    assert.deepEqual(drift(result, 1), []);
    assert.match(JSON.stringify(result.events.at(-1)), /"unchanged".*"failed".*host-unreachable/);
  });
});

describe('verify (strategy: inplace)', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({
      conf: ['strategy = inplace', 'after_deploy = echo late >> late.txt'],
      commits: [
        {
          message: 'First',
          files: { 'index.php': '1\n', 'late.txt': '1\n', 'gone.txt': '1\n', 'run.sh': '1\n' },
        },
      ],
    });
  });
  after(() => world.remove());

  it('compares what Durant has put there, and leaves alone what others have', async () => {
    const run = (...args: string[]): Promise<CliResult> =>
      runCliHere(args, { home: world.home, cwd: world.project });
    assert.equal((await run('deploy', 'production')).status, 0);
    writeFileSync(join(world.site(), 'others.txt'), 'of somebody\n');
    assert.equal((await run('verify', 'production')).status, 0);
    writeFileSync(join(world.site(), 'index.php'), '2\n');
    rmSync(join(world.site(), 'gone.txt'));
    chmodSync(join(world.site(), 'run.sh'), 0o755);
    const result = await run('--json', 'verify', 'production');
    assert.equal(result.status, 4);
    const found = result.events
      .filter(({ event }) => event === 'drift')
      .map(({ kind, path }) => [kind, path]);
    assert.deepEqual(found, [
      ['deleted', 'gone.txt'],
      ['changed', 'index.php'],
      ['mode', 'run.sh'],
    ]);
  });
});
