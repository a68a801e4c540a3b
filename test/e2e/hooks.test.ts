/** The user's commands: in which order, where, how often, with which variables; and secrets, which nobody sees. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { allProcesses } from '../support/processes.ts';
import { commitVersion } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const STEPS = [
  'lock',
  'release',
  'update_code',
  'shared',
  'writable',
  'vendors',
  'clear_paths',
  'symlink',
  'cleanup',
];

describe('hooks', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());

  it('run before and after their step, in the order of the run, in project_dir or the release', async () => {
    world.configure([
      'shared_dirs = uploads',
      'writable_dirs = cache',
      'writable_mode = chmod',
      'vendors = echo "vendors $(pwd -P)" >> ~/order',
      'clear_paths = binary.bin',
      'release_command = echo "release_command $(pwd -P)" >> ~/order',
      'health_check = echo "health_check $(pwd -P)" >> ~/order',
      'after_deploy = echo "after_deploy $(pwd -P)" >> ~/order',
      ...STEPS.flatMap((name) =>
        ['before', 'after'].map((side) => `${side}_${name} = echo "${side}_${name} $(pwd -P)" >> ~/order`),
      ),
    ]);
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 0, result.stderr);
    for (const [index, { home }] of world.servers.entries()) {
      const site = world.site(index);
      const release = join(site, 'releases', world.live(index) ?? '');
      const lines = readFileSync(join(home, 'order'), 'utf8').trim().split('\n');
      assert.deepEqual(
        lines,
        [
          ['before_lock', site],
          ['after_lock', site],
          ['before_release', site],
          ['after_release', release],
          ['before_update_code', release],
          ['after_update_code', release],
          ['before_shared', release],
          ['after_shared', release],
          ['before_writable', release],
          ['after_writable', release],
          ['before_vendors', release],
          ['vendors', release],
          ['after_vendors', release],
          ['before_clear_paths', release],
          ['after_clear_paths', release],
          ...(index === 0 ? [['release_command', release]] : []),
          ['before_symlink', release],
          ['after_symlink', release],
          ['health_check', release],
          ['before_cleanup', release],
          ['after_cleanup', release],
          ['after_deploy', release],
        ].map((line) => line.join(' ')),
      );
    }
  });

  it('of a step that the stage does not have: a deploy says that it never runs, a rollback does not', async () => {
    world.configure(['before_vendors = touch ~/never']);
    const said = async (...args: readonly string[]): Promise<readonly unknown[]> => {
      const result = await world.run(['--json', ...args]);
      assert.equal(result.status, 0, result.stderr);
      return result.events
        .filter((event) => event['code'] === 'hook-never-runs')
        .map((event) => [event['event'], event['message']]);
    };
    const never = [
      ['warning', 'before_vendors never runs: the stage has no vendors. Add vendors, or remove the hook.'],
    ];
    assert.deepEqual(await said('deploy', 'production', '--again'), never);
    assert.deepEqual(await said('-n', 'deploy', 'production', '--again'), never);
    assert.deepEqual(await said('deploy', 'production', '--again'), never);
    assert.deepEqual(await said('rollback', 'production'), []);
    for (const { home } of world.servers) assert.equal(existsSync(join(home, 'never')), false);
  });

  it('local! runs here in the clone and once a run, once! on the first server only, others on each', async () => {
    const here = join(world.home.directory, 'here');
    world.configure([
      'after_update_code =',
      `    local! pwd >> ${here}; test -d .git && echo "$DURANT_STAGE" >> ${here}`,
      '    once! echo once >> ~/counted',
      '    echo each >> ~/counted',
      `after_deploy = local! echo deployed >> ${here}`,
    ]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const [clone, ...rest] = readFileSync(here, 'utf8').trim().split('\n');
    assert.deepEqual(rest, ['production', 'deployed']);
    assert.ok(existsSync(join(clone ?? '', '.git')));
    const counted = world.servers.map(({ home }) => readFileSync(join(home, 'counted'), 'utf8'));
    assert.deepEqual(counted, ['once\neach\n', 'each\n']);
  });

  it('see every variable, values as they are written', async () => {
    const value = `it's "$HOME" \`x\` \\n %% *`;
    const show = 'env | grep -E "^(DURANT_[B-S]|GREETING|EMPTY)" | sort';
    world.configure([
      'env =',
      `    GREETING=${value}`,
      '    EMPTY=',
      `before_deploy = ${show} > "${join(world.home.directory, 'env-here')}"`,
      `after_update_code = ${show} > ~/env-release`,
      'before_symlink = exit 3',
      `on_failure = { ${show}; pwd -P; } > ~/env-failure`,
    ]);
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 1);
    const { release, error } = finishedOf(result);
    assert.match(JSON.stringify(error), /exit 3/);
    const shown = value.replaceAll('%%', '%');
    for (const [index, { home, entry }] of world.servers.entries()) {
      const common = {
        DURANT_BRANCH: 'main',
        DURANT_COMMIT: world.repository.git('rev-parse', 'HEAD'),
        DURANT_RELEASE: String(release),
        DURANT_RELEASE_PATH: join(world.site(index), 'releases', String(release)),
        DURANT_SERVER: entry,
        DURANT_STAGE: 'production',
        EMPTY: '',
        GREETING: shown,
      };
      const lines = (extra: object) =>
        Object.entries({ ...common, ...extra })
          .map(([name, each]) => `${name}=${each}`)
          .toSorted();
      assert.deepEqual(
        readFileSync(join(home, 'env-release'), 'utf8').trim().split('\n').toSorted(),
        lines({}),
      );
      const failure = readFileSync(join(home, 'env-failure'), 'utf8');
      assert.match(failure, /^DURANT_ERROR=.*exit status 3/m);
      assert.match(failure, /^DURANT_FAILED_STEP=symlink$/m);
      assert.ok(failure.trim().endsWith(world.site(index)), 'on_failure runs in project_dir');
    }
    const here = readFileSync(join(world.home.directory, 'env-here'), 'utf8');
    assert.ok(here.includes(`GREETING=${shown}\n`));
    assert.match(here, /^DURANT_STAGE=production$/m);
  });

  it('on_failure runs also where the failure was on this machine, after_rollback in what is live again', async () => {
    for (const { home } of world.servers) rmSync(join(home, 'failed'), { force: true });
    world.configure(['before_deploy = exit 1', 'on_failure = echo "$DURANT_FAILED_STEP" > ~/failed']);
    assert.equal((await world.run(['deploy', 'production'])).status, 1);
    for (const { home } of world.servers)
      assert.equal(readFileSync(join(home, 'failed'), 'utf8'), 'before_deploy\n');

    world.configure(['health_retries = 0', 'health_check = exit 1', 'after_rollback = pwd -P > ~/back']);
    const before = world.live();
    assert.equal((await world.run(['deploy', 'production'])).status, 1);
    for (const [index, { home }] of world.servers.entries())
      assert.equal(
        readFileSync(join(home, 'back'), 'utf8').trim(),
        join(world.site(index), 'releases', before ?? '?'),
      );
  });
});

describe('secrets', function () {
  let world: World;
  const secret = "s3cr3t-With 'quotes' & $dollar";
  const second = 'another-Secret-9';
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());

  /** Every command line that is ever seen while `work` runs. */
  async function sampleCommandLines<T>(work: Promise<T>): Promise<{ result: T; seen: ReadonlySet<string> }> {
    const seen = new Set<string>();
    let done = false;
    const end = work.finally(() => {
      done = true;
    });
    while (!done) {
      const began = performance.now();
      for (const { command } of await allProcesses()) seen.add(command);
      // A third of the time goes into looking, as what is looked at needs the processors, too.
      await pause(2 * (performance.now() - began));
    }
    return { result: await end, seen };
  }

  function allText(root: string): string {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');
  }

  for (const client of ['ssh2', 'openssh'])
    it(`are in no command line, output, record, history or error (${client})`, async () => {
      commitVersion(world, `with ${secret} ${client}`);
      world.configure([
        `ssh_client = ${client}`,
        'spare = no',
        'env =',
        '    TOKEN=secret!token',
        '    OTHER=secret!other',
        'before_deploy = echo "here $TOKEN"; sleep 0.1; printf %%s "$TOKEN" > "$HOME/token-here"',
        'after_update_code = echo "there $TOKEN"; echo "err $OTHER" >&2; printf %%s "$TOKEN" > ~/token-there; sleep 0.3',
        'before_symlink = echo "failing with $OTHER"; exit 4',
        'on_failure = printf %%s "$DURANT_ERROR" > ~/error-there',
      ]);
      const env = { DURANT_SECRET_TOKEN: secret, DURANT_SECRET_OTHER: second };
      const texts: string[] = [];
      for (const json of [['--json'], []]) {
        const { result, seen } = await sampleCommandLines(
          world.start([...json, '--verbose', 'deploy', 'production'], { env }).result,
        );
        assert.equal(result.status, 1, result.stderr);
        assert.match(result.stdout + result.stderr, /here \*\*\*/);
        assert.match(result.stdout + result.stderr, /failing with \*\*\*/);
        texts.push(result.stdout, result.stderr, [...seen].join('\n'));
      }
      for (const [index, { home }] of world.servers.entries()) {
        assert.equal(readFileSync(join(home, 'token-there'), 'utf8'), secret);
        texts.push(
          allText(join(world.site(index), '.durant')),
          readFileSync(join(home, 'error-there'), 'utf8'),
        );
      }
      assert.equal(readFileSync(join(world.home.directory, 'token-here'), 'utf8'), secret);

      world.configure([`ssh_client = ${client}`, 'spare = no', 'env = TOKEN=secret!token']);
      const live = await world.run(['--json', 'deploy', 'production'], { env });
      assert.equal(live.status, 0, live.stdout);
      for (const args of [
        ['releases', 'production'],
        ['status', 'production'],
        ['config', 'production'],
        ['-n', 'deploy', '--again', 'production'],
      ]) {
        const result = await world.run(['--json', ...args], { env });
        texts.push(result.stdout, result.stderr);
      }
      texts.push(live.stdout);
      for (const index of [0, 1]) texts.push(allText(join(world.site(index), '.durant')));
      for (const text of texts) {
        assert.ok(!text.includes(secret) && !text.includes('s3cr3t-With'), text.slice(0, 2000));
        assert.ok(!text.includes(second), text.slice(0, 2000));
      }
    });

  it('that is not given is an error without a terminal; a changed one is another recipe', async () => {
    world.configure(['env = TOKEN=secret!token']);
    const missing = await world.run(['deploy', 'production']);
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /DURANT_SECRET_TOKEN/);
    const run = (token: string) =>
      world.run(['--json', 'deploy', 'production'], { env: { DURANT_SECRET_TOKEN: token } });
    assert.equal((await run('one-secret')).status, 0);
    const before = world.live();
    assert.equal((await run('one-secret')).status, 0);
    assert.equal(world.live(), before);
    assert.equal((await run('two-secret')).status, 0);
    assert.notEqual(world.live(), before);
    writeFileSync(join(world.home.directory, 'unused'), '');
  });
});

describe('a hook that prints without a line end', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}] });
  });
  after(() => world.remove());

  it('is shown in pieces as it goes, its secrets hidden, in memory that does not grow', async () => {
    const print = (what: string) =>
      `i=0; while [ $i -lt 400 ]; do head -c 99990 /dev/zero | tr "\\\\0" ${what}; printf %%s "$TOKEN"; i=$((i+1)); done`;
    world.configure([
      'env = TOKEN=secret!token',
      `before_deploy = ${print('h')}`,
      `before_symlink = ${print('t')}`,
    ]);
    const run = world.start(['--json', 'deploy', 'production'], {
      env: { DURANT_SECRET_TOKEN: 'never-shown' },
    });
    let memory = 0;
    const sampling = setInterval(() => {
      const status = readFileSync(`/proc/${run.child.pid ?? 0}/status`, 'utf8');
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? memory * 1024) / 1024);
    }, 20);
    const result = await run.result.finally(() => clearInterval(sampling));
    assert.equal(result.status, 0, result.stdout.slice(-2000));
    assert.equal(result.stdout.includes('never-sh'), false);
    for (const [letter, server] of [
      ['h', null],
      ['t', world.servers[0]?.entry],
    ] as const) {
      const lines = result.events.flatMap((event) =>
        event['event'] === 'output' && event['server'] === server ? [String(event['line'])] : [],
      );
      assert.ok(lines.length > 100 && lines.every((line) => line.length < 200_000));
      assert.equal(lines.join(''), `${letter.repeat(99_990)}***`.repeat(400));
    }
    assert.ok(memory < 300, `${memory} MB`);
  });
});
