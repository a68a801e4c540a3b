import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliBundle } from '../support/cli.ts';
import { makeWorld, type World } from './world.ts';

describe('durant prune', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
    world.configure(['keep_releases = -1']);
    for (let index = 0; index < 4; index++)
      assert.equal((await world.run(['deploy', '--again', 'production'])).status, 0);
  });
  after(() => world.remove());

  it('says in a dry run what it would remove, and removes nothing', async () => {
    mkdirSync(join(world.site(), 'releases/mine'));
    const result = await world.run(['--json', 'prune', '-n', '-k', '2', 'production']);
    assert.equal(result.status, 0, result.stdout);
    const pruned = JSON.parse(result.stdout);
    assert.equal(pruned.stage, 'production');
    assert.equal(pruned.dry_run, true);
    const oldest = world.releases(1).slice(0, 2);
    for (const server of pruned.servers) assert.deepEqual(server.removed.toSorted(), oldest);
    assert.equal(world.releases(1).length, 4);
    assert.equal(existsSync(join(world.site(), '.durant/lock')), false);
    assert.match(
      (await world.run(['prune', '-n', '-k', '2', 'production'])).stdout,
      /cleanup +pending: would remove/,
    );
  });

  it('respects a foreign lock', async () => {
    const lock = join(world.site(1), '.durant/lock');
    writeFileSync(
      lock,
      'run = "x"\nstage = "production"\nuser = "eve"\nhost = "laptop"\nstarted = "2020-01-01T00:00:00Z"\naction = "deploy"\nmessage = ""\n',
    );
    assert.equal((await world.run(['prune', '-k', '2', 'production'])).status, 3);
    assert.equal(world.releases(0).length, 5);
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
  });

  it('asks before it changes a protected stage', async () => {
    world.configure(['keep_releases = -1', 'protected = yes']);
    const refused = await world.run(['prune', '-k', '2', 'production']);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /Old releases will be removed.*--yes|--yes/s);
    assert.equal(world.releases(1).length, 4);
    world.configure(['keep_releases = -1']);
  });

  it('removes what is beyond those kept, notes it, and gives the lock back', async () => {
    const live = world.live();
    assert.equal((await world.run(['prune', 'production'])).status, 0, 'keep_releases: all');
    assert.equal(world.releases(1).length, 4);
    const result = await world.run(['prune', '-k', '2', 'production']);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /Done: prune production on 2 servers/);
    for (const server of [0, 1]) {
      assert.equal(world.live(server), live);
      assert.equal(world.releases(server).filter((name) => name !== 'mine').length, 2);
      assert.equal(existsSync(join(world.site(server), '.durant/lock')), false);
      assert.match(
        readFileSync(join(world.site(server), '.durant/history.log'), 'utf8'),
        /prune - ok: removed \S+ \S+ \{.*\}\n$/,
      );
    }
    assert.ok(world.releases(0).includes('mine'), 'what is not its own stays');
    // The rollback target always stays.
    const again = JSON.parse((await world.run(['--json', 'prune', '-k', '1', 'production'])).stdout);
    assert.deepEqual(again.servers[0].removed, []);
    assert.deepEqual(
      again.servers[0].kept.map(({ why }: { why: string }) => why),
      ['a rollback goes to it'],
    );
    const said = await world.run(['prune', '-n', '-k', '1', 'production']);
    assert.match(said.stdout + said.stderr, /nothing to remove; \S+ stays: a rollback goes to it/);
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    // What was rolled back is none of those that are kept.
    assert.equal((await world.run(['prune', '-k', '1', 'production'])).status, 0);
    assert.deepEqual(
      world.releases(0).filter((name) => name !== 'mine'),
      [world.live()],
    );
  });
});

describe('durant ssh', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
  });
  after(() => world.remove());

  it('goes to the live release of the server that is named', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const server of [0, 1]) {
      const entry = world.servers[server]?.entry ?? '';
      const result = await world.run(['ssh', 'production', entry], {
        input: 'pwd -P; echo "$HOME"; exit 7\n',
      });
      assert.equal(result.status, 7, result.stderr);
      assert.match(
        result.stdout,
        new RegExp(`^${world.site(server)}/releases/${world.live(server) ?? ''}$`, 'm'),
      );
    }
    const first = await world.run(['ssh', 'production'], { input: 'pwd -P\n' });
    assert.match(first.stderr, /the first of 2 servers; another: durant ssh production SERVER/);
    assert.match(first.stdout, new RegExp(world.site(0)));
  });

  it('has a terminal where there is one', async () => {
    const entry = world.servers[1]?.entry ?? '';
    const started = world.start(['ssh', 'production', entry], { on: 'terminal' });
    started.type('test -t 0 && echo on-a-"terminal"; exit 3\r');
    await started.waitForOutput(/on-a-terminal/);
    assert.equal((await started.result).status, 3);
  });

  it('goes to a local server without ssh, and refuses what is none of the stage', async () => {
    const site = join(world.project, 'www/current');
    mkdirSync(site, { recursive: true });
    writeFileSync(
      join(world.project, 'durant.conf'),
      `[here]\nrepository = .\nserver = local\nproject_dir = ${join(world.project, 'www')}\n`,
    );
    const result = await world.run(['ssh', 'here'], { input: 'pwd\n' });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, new RegExp(`^${site}$`, 'm'));
    assert.equal((await world.run(['ssh', 'here', 'elsewhere'])).status, 2);
  });
});

describe('durant completion', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [] });
    const command = join(world.project, 'durant');
    writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${cliBundle()} "$@"\n`);
    chmodSync(command, 0o755);
    writeFileSync(
      join(world.project, 'durant.conf'),
      [
        '[production]',
        'repository = .',
        'server = deploy@web1.example.org:2222, web2, env!THIRD',
        'project_dir = /srv/shop',
        '[staging]',
        'repository = .',
        'server = web3',
        'project_dir = /srv/shop',
        '[goal tests]',
        'type = shell',
        'command = true',
      ].join('\n'),
    );
  });
  after(() => world.remove());

  const cases: readonly (readonly [line: string, expected: readonly string[]])[] = [
    ['durant dep', ['deploy']],
    ['durant deploy ', ['production', 'staging']],
    ['durant deploy s', ['staging']],
    ['durant -n deploy --ref main pro', ['production']],
    ['durant deploy --wait pro', ['production']],
    ['durant prune --ke', ['--keep']],
    ['durant ssh production ', ['deploy@web1.example.org:2222', 'web2']],
    ['durant ssh production deploy@web1.example.org:', ['2222']],
    ['durant deploy --server=w', ['web2', 'web3']],
    ['durant deploy production --server ', ['deploy@web1.example.org:2222', 'web2']],
    ['durant completion ', ['bash', 'zsh', 'fish']],
    ['durant --config nowhere.conf deploy ', []],
    ['durant --config ./durant.conf deploy ', ['production', 'staging']],
    ['durant deploy production ', []],
  ];
  for (const [line, expected] of cases)
    it(`completes "${line}" in bash`, () => {
      const { stdout, status, stderr } = spawnSync(
        'bash',
        [
          '-c',
          'source <(durant completion bash); COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; _durant; printf "%s\\n" "${COMPREPLY[@]}"',
          'bash',
          line,
        ],
        {
          cwd: world.project,
          encoding: 'utf8',
          env: { ...world.home.env, PATH: `${world.project}:${world.home.env['PATH'] ?? ''}` },
        },
      );
      assert.equal(status, 0, stderr);
      assert.deepEqual(
        stdout.split('\n').filter((word) => word !== ''),
        expected,
      );
    });

  it('completes options and commands with what they are for', async () => {
    const { stdout } = await world.run(['__complete', 'deploy', '--']);
    assert.match(stdout, /^--again\tmake a new release/m);
    assert.match(stdout, /^--json\t/m);
    assert.match((await world.run(['__complete', ''])).stdout, /^goals\t/m);
  });

  for (const shell of ['zsh', 'fish'])
    it(`is a script that ${shell} reads`, async function () {
      const { stdout, status } = await world.run(['completion', shell]);
      assert.equal(status, 0);
      assert.match(stdout, /__complete/);
      if (spawnSync(shell, ['--version']).error !== undefined) return this.skip();
      const file = join(world.project, `completion.${shell}`);
      writeFileSync(file, stdout);
      assert.equal(spawnSync(shell, ['-n', file]).status, 0);
    });
});
