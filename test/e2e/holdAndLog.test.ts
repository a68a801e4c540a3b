/** `durant hold`, `unhold` and `log`: what everybody who looks after a stage can see of each other. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEntry } from '../../src/engine/index.ts';
import type { CliResult } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a stage that several people look after', function () {
  let world: World;
  const run = (...args: string[]): Promise<CliResult> =>
    runCliHere(args, { home: world.home, cwd: world.project });
  const holdFile = (server: number): string => join(world.site(server), '.durant/hold');
  const entry = (server: number): string => world.servers[server]?.entry ?? '';
  const json = async (...args: string[]) => JSON.parse((await run('--json', ...args)).stdout);

  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }], conf: ['spare = no'] });
    assert.equal((await run('deploy', 'production')).status, 0);
  });
  after(() => world.remove());

  describe('hold', () => {
    it('keeps everybody from deploying and rolling back, the holder too, and says why', async () => {
      const held = await run('hold', 'production', '-m', 'the database is "moved"', '--until', '2h');
      assert.equal(held.status, 0, held.stderr);
      assert.match(held.stdout, /: held by .*@.*, until .*: the database is "moved"\n/);
      assert.match(
        readFileSync(holdFile(1), 'utf8'),
        /^user = ".+"\nhost = ".+"\nwhy = "the database is \\"moved\\""\nsince = /,
      );
      const before = readFileSync(join(world.site(), '.durant/history.log'), 'utf8');
      for (const args of [['deploy'], ['deploy', '--again'], ['rollback']]) {
        const refused = await run('--json', ...args, 'production');
        assert.equal(refused.status, 3, args.join(' '));
        const { error } = finishedOf(refused) as { error: Record<string, unknown> };
        assert.equal(error['code'], 'held');
        assert.match(String(error['message']), /the database is "moved".*durant unhold production/);
      }
      assert.equal(world.releases().length, 1);
      assert.equal(
        readFileSync(join(world.site(), '.durant/history.log'), 'utf8'),
        before,
        'a run that was refused is none',
      );
    });

    it('is told by the dry run, status and releases', async () => {
      const dry = await run('--json', '-n', 'deploy', '--again', 'production');
      assert.equal(dry.status, 0);
      assert.match(JSON.stringify(dry.events.filter(({ code }) => code === 'held')), /the database is/);
      const { stages } = await json('status', 'production');
      const { why, since, until, user } = stages[0].hold;
      assert.equal(why, 'the database is "moved"');
      assert.equal(Date.parse(until) - Date.parse(since), 2 * 3600_000);
      assert.ok(user.length > 0);
      assert.match((await run('status', 'production')).stdout, /held by .*: the database is "moved"/);
      assert.equal((await json('releases', 'production')).servers[0].hold.why, why);
    });

    it('holds the stage on any one server, and is replaced by a second', async () => {
      assert.equal((await run('unhold', 'production')).status, 0);
      assert.equal(existsSync(holdFile(0)) || existsSync(holdFile(1)), false);
      assert.equal((await run('unhold', 'production')).status, 0, 'and again');
      world.configure(['spare = no'], [entry(1)]);
      assert.equal((await run('hold', 'production', '-m', 'first')).status, 0);
      assert.equal((await run('hold', 'production', '-m', 'second')).status, 0);
      world.configure(['spare = no']);
      const { stages } = await json('status', 'production');
      assert.deepEqual([stages[0].hold.why, stages[0].hold.until], ['second', null]);
      assert.equal(stages[0].servers[0].hold, null);
      const refused = await run('--json', 'deploy', '--again', '--server', entry(0), 'production');
      assert.equal(refused.status, 3, refused.stdout);
      const prune = await run('prune', 'production');
      assert.equal(prune.status, 0, 'what makes nothing live goes on');
    });

    it('is ignored when its time is over by the server’s clock, and removed by the next run', async () => {
      const over = readFileSync(holdFile(1), 'utf8').replace(
        /^until = .*/m,
        'until = "2026-01-01T00:00:00.000Z"',
      );
      writeFileSync(holdFile(1), over);
      const { stages } = await json('status', 'production');
      assert.equal(stages[0].hold, null);
      assert.equal((await run('deploy', '--again', 'production')).status, 0);
      assert.equal(existsSync(holdFile(1)), false);
    });

    it('wants a reason, and a time that is to come', async () => {
      for (const args of [
        [],
        ['-m', ''],
        ['-m', 'x', '--until', 'tomorrow'],
        ['-m', 'x', '--until', '2026-13-01'],
      ])
        assert.equal((await run('hold', 'production', ...args)).status, 2, args.join(' '));
      const past = await run('hold', 'production', '-m', 'x', '--until', '2020-01-01T00:00Z');
      assert.equal(past.status, 1);
      assert.match(past.stderr, /has already passed by the server's clock/);
      assert.equal(existsSync(holdFile(0)), false);
    });
  });

  describe('log', () => {
    it('has every run of every server as one, newest first, failures too', async () => {
      const [commit = ''] = world.repository.commit({ message: 'Second', files: { 'index.html': '2\n' } });
      world.configure(['spare = no', 'health_check = false', 'health_retries = 0']);
      assert.equal((await run('deploy', 'production')).status, 1);
      world.configure(['spare = no', 'before_deploy = false']);
      assert.equal((await run('deploy', 'production')).status, 1);
      world.configure(['spare = no']);
      assert.equal((await run('deploy', 'production')).status, 0);
      assert.equal((await run('rollback', 'production')).status, 0);
      const { stage, runs } = await json('log', 'production');
      assert.equal(stage, 'production');
      const entries: readonly HistoryEntry[] = runs;
      assert.deepEqual(
        entries.map(({ action, ok, error }) => [action, ok, error?.code ?? null]),
        [
          ['rollback', true, null],
          ['deploy', true, null],
          ['deploy', false, 'local-command-failed'],
          ['deploy', false, 'health-check-failed'],
          ['deploy', true, null],
          ['hold', true, null],
          ['hold', true, null],
          ['unhold', true, null],
          ['hold', true, null],
          ['deploy', true, null],
        ],
      );
      const [rollback, deploy] = entries;
      assert.deepEqual(Object.keys(deploy ?? {}).toSorted(), [
        'action',
        'commit',
        'error',
        'from_commit',
        'host',
        'ms',
        'ok',
        'release',
        'run',
        'servers',
        'started',
        'user',
      ]);
      const first = world.repository.git('rev-list', '--max-parents=0', 'HEAD').trim();
      assert.deepEqual([deploy?.from_commit, deploy?.commit], [first, commit]);
      assert.deepEqual([rollback?.from_commit, rollback?.commit], [commit, first]);
      assert.deepEqual(deploy?.servers, [entry(0), entry(1)]);
      assert.ok((deploy?.ms ?? 0) > 0);
      assert.match(deploy?.started ?? '', /^\d{4}-.*Z$/);
      assert.equal(deploy?.release, world.releases(0).at(-1));
      assert.deepEqual((await json('log', '-k', '2', 'production')).runs, entries.slice(0, 2));
      const said = await run('log', 'production');
      assert.match(said.stdout, new RegExp(`deploy +${first.slice(0, 7)} → ${commit.slice(0, 7)}`));
    });

    it('reads lines of earlier versions, and leaves out what is none', async () => {
      const id = 'a'.repeat(40);
      for (const server of [0, 1]) {
        const log = join(world.site(server), '.durant/history.log');
        const at = `2026-01-0${1}T00:00:0${server}.000Z ann@laptop`;
        appendFileSync(
          log,
          `${at} deploy old ${id} ok\n${at} deploy old ${id} failed: timeout\ngarbage {"run":"x"\n`,
        );
      }
      const { runs } = await json('log', 'production');
      const all: readonly HistoryEntry[] = runs;
      const old = all.filter(({ release }) => release === 'old');
      assert.deepEqual(
        old
          .map(({ user, host, commit, run: of, error }) => [user, host, commit, of, error?.code ?? 'ok'])
          .toSorted(),
        [
          ['ann', 'laptop', id, null, 'ok'],
          ['ann', 'laptop', id, null, 'timeout'],
        ],
      );
      assert.deepEqual(old[0]?.servers, [entry(0), entry(1)]);
    });

    it('shows all stages where none is named, and what the others say where a server is gone', async () => {
      world.configure(['spare = no'], [entry(0), '127.0.0.1:1']);
      const result = await run('--json', 'log');
      assert.equal(result.status, 1);
      const log = JSON.parse(result.stdout);
      assert.equal(log.stage, 'production');
      assert.equal(log.errors[0].server, '127.0.0.1:1');
      assert.ok(log.runs.length > 5);
    });
  });
});
