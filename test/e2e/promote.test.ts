/** `durant promote`: the very tree that is live in one stage, in another, whose own settings apply. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { awkwardFiles } from '../support/repo.ts';
import { assertSameTree } from '../support/tree.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('promote', function () {
  let world: World;
  const run = (...args: string[]): Promise<CliResult> =>
    runCliHere(args, { home: world.home, cwd: world.project });
  const entry = (server: number): string => world.servers[server]?.entry ?? '';
  /** `staging` on server 0, `production` on 1 and 2. */
  const configure = (...production: string[]) =>
    writeFileSync(
      join(world.project, 'durant.conf'),
      [
        '[DEFAULT]',
        `repository = ${world.repository.directory}`,
        'project_dir = ~/site',
        'spare = no',
        `before_deploy = echo x >> ${join(world.project, 'builds')}; date +%%s%%N > built.txt; ln -s built.txt built.lnk`,
        '[staging]',
        `server = ${entry(0)}`,
        'env_file = staging.env',
        '[production]',
        `server = ${entry(1)}, ${entry(2)}`,
        'env_file = production.env',
        'shared_dirs = data',
        ...production,
        '',
      ].join('\n'),
    );
  const manifest = (server: number): string =>
    createHash('sha256')
      .update(readFileSync(join(world.site(server), '.durant/manifests', world.live(server) ?? '')))
      .digest('hex');
  const record = (server: number): string =>
    readFileSync(join(world.site(server), '.durant/releases', `${world.live(server) ?? ''}.ini`), 'utf8');
  const builds = (): number => readFileSync(join(world.project, 'builds'), 'utf8').length;

  before(async () => {
    world = await makeWorld({
      servers: [{}, {}, { tools: 'busybox' }],
      commits: [
        {
          message: 'First',
          files: { ...awkwardFiles, 'index.html': '1\n', 'empty.txt': '', 'bin/run': '#!/bin/sh\n' },
        },
      ],
    });
    for (const stage of ['staging', 'production'])
      writeFileSync(join(world.project, `${stage}.env`), `STAGE=${stage}\n`);
    configure();
    assert.equal((await run('deploy', 'staging')).status, 0);
  });
  after(() => world.remove());

  it('says what it would do, and changes nothing', async () => {
    const result = await run('--json', 'promote', '-n', 'staging', 'production');
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.equal(finishedOf(result)['dry_run'], true);
    const paths = result.events.filter(({ event }) => event === 'change').map(({ path }) => path);
    assert.ok(paths.includes('built.txt') && paths.includes('index.html'));
    assert.equal(existsSync(world.site(1)), false);
  });

  it('makes the same tree live, by digest, without building, with the environment of its own stage', async () => {
    const before = builds();
    const result = await run('--json', 'promote', 'staging', 'production');
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.equal(builds(), before, 'before_deploy did not run');
    for (const server of [1, 2]) {
      assert.equal(manifest(server), manifest(0));
      assertSameTree(join(world.site(server), 'current'), join(world.site(0), 'current'), {
        without: ['.env', 'data'],
      });
      assert.equal(readFileSync(join(world.site(server), 'current/.env'), 'utf8'), "STAGE='production'\n");
      assert.equal(readlinkSync(join(world.site(server), 'current/data')), '../../shared/data');
      assert.match(record(server), new RegExp(`^promoted_from = "staging ${world.live(0) ?? ''}"$`, 'm'));
      assert.match(record(server), /^state = "finished"$/m);
    }
    const { servers } = JSON.parse((await run('--json', 'releases', 'production')).stdout);
    assert.equal(servers[0].releases[0].promoted_from, `staging ${world.live(0) ?? ''}`);
    const { runs } = JSON.parse((await run('--json', 'log', 'production')).stdout);
    assert.deepEqual([runs[0].action, runs[0].ok], ['promote', true]);
    assert.equal((await run('verify', 'production')).status, 0);
  });

  it('does nothing where it is live already', async () => {
    const live = world.live(1);
    const result = await run('promote', 'staging', 'production');
    assert.equal(result.status, 0);
    assert.match(result.stdout, /was live already/);
    assert.equal(world.live(1), live);
  });

  it('sends what is missing only, and what somebody has changed there', async () => {
    world.repository.commit({ message: 'Second', files: { 'index.html': '2\n' } });
    assert.equal((await run('deploy', 'staging')).status, 0);
    writeFileSync(join(world.site(2), 'current/bin/run'), 'changed\n');
    const result = await run('--json', 'promote', 'staging', 'production');
    assert.equal(result.status, 0, result.stdout);
    for (const server of [1, 2]) assert.equal(manifest(server), manifest(0));
    const sent = result.events
      .filter(({ event, server }) => event === 'transfer' && server === entry(1))
      .at(-1);
    assert.equal(sent?.['total_files'], 2, 'index.html and built.txt');
    assert.equal((await run('rollback', 'production')).status, 0);
  });

  it('asks where the stage that it goes to is protected, and heeds its hold', async () => {
    configure('protected = yes');
    const asked = await run('promote', 'staging', 'production');
    assert.equal(asked.status, 2);
    assert.match(asked.stderr, /protected, and the run was not confirmed/);
    assert.equal((await run('hold', 'production', '-m', 'not now')).status, 0);
    assert.equal((await run('promote', '--yes', 'staging', 'production')).status, 3);
    assert.equal((await run('unhold', 'production')).status, 0);
    assert.equal((await run('promote', '--yes', 'staging', 'production')).status, 0);
  });

  it('refuses what is not as it was deployed, what differs, and what is not there', async () => {
    configure();
    const live = world.live(1);
    world.repository.commit({ message: 'Third', files: { 'index.html': '3\n' } });
    assert.equal((await run('deploy', 'staging')).status, 0);
    writeFileSync(join(world.site(0), 'current/index.html'), 'X\n');
    const changed = await run('--json', 'promote', 'staging', 'production');
    assert.equal(changed.status, 1);
    assert.match(
      JSON.stringify(finishedOf(changed)['error']),
      /verification-failed.*index\.html on .* is not as it was deployed/,
    );
    assert.equal(world.live(1), live);
    assert.equal((await run('promote', 'staging', 'staging')).status, 2);
    assert.equal((await run('promote', 'staging')).status, 2);
    configure('health_check = false', 'health_retries = 0');
    writeFileSync(join(world.site(0), 'current/index.html'), '3\n');
    const failed = await run('promote', 'staging', 'production');
    assert.equal(failed.status, 1);
    assert.equal(world.live(1), live, 'switched back');
  });
});
