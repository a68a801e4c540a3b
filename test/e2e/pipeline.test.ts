import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

/** The goals' last states in the order in which they ended, `name state reason`. */
function goals(result: CliResult, names: readonly string[]): string[] {
  return result.events.flatMap((event) =>
    event['event'] === 'step' &&
    event['server'] === null &&
    event['state'] !== 'running' &&
    names.includes(String(event['step']))
      ? [`${String(event['step'])} ${String(event['state'])} ${String(event['reason'])}`]
      : [],
  );
}

describe('a pipeline', () => {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
  });
  after(() => world.remove());
  const path = (name: string) => join(world.project, name);
  const run = (...args: string[]) => world.run(['--json', ...args, 'production']);
  const names = ['tests', 'deploy', 'noted', 'tagged', 'announced'];
  const configure = (pipeline: string, ...sections: readonly string[]) =>
    world.configure([`pipeline = ${pipeline}`, ...sections]);
  const tests = ['[goal tests]', 'type = shell', 'command = test -f index.html && pwd >> ${LOG:-/dev/null}'];
  const noted = [
    '[goal noted]',
    'type = file_exists',
    'filename = noted.txt',
    'contents = done',
    'working_dir = .',
  ];
  const tagged = ['[goal tagged]', 'type = git_tag_exists', 'name = v1'];

  it('says in a dry run what each goal would do, and changes nothing', async () => {
    configure('tests, deploy, noted, tagged', ...tests, ...noted, ...tagged);
    const result = await run('deploy', '-n');
    assert.equal(result.status, 0, result.stdout);
    const found = goals(result, names);
    assert.deepEqual(
      found.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['tests pending', 'deploy pending', 'noted pending', 'tagged pending'],
    );
    assert.equal(existsSync(path('noted.txt')), false);
    assert.equal(existsSync(world.site()), false);
    assert.ok(
      result.events.some((event) => event['event'] === 'command' && event['step'] === 'tests'),
      'the command that would run is told',
    );
    // Interleaved: the steps of the deploy come between those of the goals around it.
    const steps = result.events.filter((event) => event['event'] === 'step').map((event) => event['step']);
    assert.ok(steps.indexOf('tests') < steps.indexOf('symlink'));
    assert.ok(steps.indexOf('symlink') < steps.indexOf('noted'));
  });

  it('runs them in order, the first time all', async () => {
    const result = await run('deploy');
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(goals(result, names), [
      'tests done passed',
      'deploy done newly achieved',
      'noted done newly achieved',
      'tagged done newly achieved',
    ]);
    assert.equal(readFileSync(path('noted.txt'), 'utf8'), 'done');
    assert.equal(world.read('index.html', 1), 'version 1\n');
  });

  it('does only what is missing the next time', async () => {
    configure('deploy, noted, tagged', ...noted, ...tagged);
    const before = world.live();
    const again = await run('deploy');
    assert.equal(again.status, 0, again.stdout);
    assert.deepEqual(
      goals(again, names).map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['deploy already', 'noted already', 'tagged already'],
    );
    assert.equal(world.live(), before);
    rmSync(path('noted.txt'));
    const third = await run('deploy');
    assert.match(
      goals(third, names).join('\n'),
      /^deploy already .*\nnoted done newly achieved\ntagged already/,
    );
    const plain = await world.run(['deploy', 'production']);
    assert.equal(plain.status, 0);
    assert.match(plain.stdout, /nothing was changed/);
    assert.match((await world.run(['-n', 'deploy', 'production'])).stdout, /nothing to do/);
    assert.equal((await run('deploy', '-n', '--detailed-exitcode')).status, 0);
  });

  it('shows how each goal stands', async () => {
    configure(
      'deploy, noted, tagged, announced?',
      ...noted,
      ...tagged,
      '[goal announced]',
      'type = shell',
      'command = true',
    );
    const result = await world.run(['--json', 'goals', 'production']);
    assert.equal(result.status, 0, result.stdout);
    const { stage, goals: found } = JSON.parse(result.stdout);
    assert.equal(stage, 'production');
    assert.deepEqual(
      found.map((each: Record<string, unknown>) => [
        each['goal'],
        each['type'],
        each['state'],
        each['optional'],
      ]),
      [
        ['deploy', 'deploy', 'already', false],
        ['noted', 'file_exists', 'already', false],
        ['tagged', 'git_tag_exists', 'already', false],
        ['announced', 'shell', 'pending', true],
      ],
    );
    assert.match((await world.run(['goals', 'production'])).stdout, /announced +shell, optional +pending/);
  });

  it('changes nothing anywhere when one goal cannot be reached', async () => {
    world.repository.commit({ message: 'Second', files: { 'index.html': 'version 2\n' } });
    rmSync(path('noted.txt'));
    const unreachable = [
      '[goal announced]',
      'type = command',
      'assess = echo no key >&2; exit 1',
      'achieved = false',
    ];
    configure('noted, deploy, announced', ...noted, ...unreachable);
    const before = world.live();
    const result = await run('deploy');
    assert.equal(result.status, 1);
    const error = finishedOf(result)['error'] as Record<string, unknown>;
    assert.equal(error['code'], 'goal-failed');
    assert.equal(error['changed'], false);
    assert.match(String(error['message']), /announced cannot be reached: .*no key/s);
    assert.equal(existsSync(path('noted.txt')), false);
    assert.equal(world.live(), before);
    const stands = await world.run(['--json', 'goals', 'production']);
    assert.equal(stands.status, 1);
    assert.equal(JSON.parse(stands.stdout).goals[2].state, 'unknown');
    const check = await world.run(['--json', 'check', '--connect', 'production']);
    assert.equal(check.status, 1);
    assert.deepEqual(
      JSON.parse(check.stdout)
        .assessments.filter((each: Record<string, unknown>) => each['server'] === null)
        .map((each: Record<string, unknown>) => [each['step'], each['ok']]),
      [
        ['fetch', true],
        ['noted', true],
        ['announced', false],
      ],
    );
  });

  it('does not deploy when a goal before it fails', async () => {
    configure(
      'tests, deploy, noted',
      '[goal tests]',
      'type = shell',
      'command = echo broken; exit 3',
      ...noted,
    );
    const before = world.live();
    const result = await run('deploy');
    assert.equal(result.status, 1);
    const error = finishedOf(result)['error'] as Record<string, unknown>;
    assert.equal(error['code'], 'goal-failed');
    assert.equal(error['changed'], false);
    assert.match(String(error['message']), /tests failed: .*exit status 3.*broken/s);
    assert.equal(world.live(), before);
    assert.equal(existsSync(path('noted.txt')), false);
    assert.equal(existsSync(join(world.site(), '.durant/lock')), false);
  });

  it('takes the failure of an optional goal for a warning', async () => {
    configure('tests?, deploy, noted', '[goal tests]', 'type = shell', 'command = exit 3', ...noted);
    const result = await run('deploy');
    assert.equal(result.status, 0, result.stdout);
    assert.match(
      goals(result, names).join('\n'),
      /^tests failed .*\ndeploy done newly achieved\nnoted done newly achieved$/s,
    );
    assert.ok(result.events.some((event) => event['event'] === 'warning' && event['code'] === 'goal-failed'));
    assert.equal(world.read('index.html'), 'version 2\n');
  });

  it('leaves the deploy live when a goal after it fails, and runs nothing after that', async () => {
    world.repository.commit({ message: 'Third', files: { 'index.html': 'version 3\n' } });
    rmSync(path('noted.txt'));
    const failing = [
      '[goal announced]',
      'type = command',
      'achieved = false',
      'achieve = true',
      'reason = echo nobody listens',
    ];
    configure(
      'deploy, announced, noted',
      'on_failure = echo "$DURANT_FAILED_STEP" > failed-step',
      ...failing,
      ...noted,
    );
    const result = await run('deploy');
    assert.equal(result.status, 1);
    const finished = finishedOf(result);
    const error = finished['error'] as Record<string, unknown>;
    assert.equal(error['code'], 'goal-failed');
    assert.equal(error['changed'], true);
    assert.match(String(error['message']), /is live.*announced failed: .*nobody listens/s);
    assert.deepEqual(
      (finished['servers'] as { state: string }[]).map((server) => server.state),
      ['live', 'live'],
    );
    for (const server of [0, 1]) {
      assert.equal(world.read('index.html', server), 'version 3\n');
      assert.equal(existsSync(join(world.site(server), '.durant/lock')), false);
      assert.equal(readFileSync(join(world.site(server), 'failed-step'), 'utf8'), 'announced\n');
    }
    assert.equal(existsSync(path('noted.txt')), false);
    world.repository.commit({ message: 'Fourth', files: { 'index.html': 'version 4\n' } });
    const plain = await world.run(['deploy', 'production']);
    assert.equal(plain.status, 1);
    assert.match(plain.stderr, /is live; what failed comes after the deploy/);
    assert.doesNotMatch(plain.stderr, /The previous release is still live/);
  });

  it('tries again what may pass, as often as it is told', async () => {
    const counter = path('counter');
    const flaky = (status: number, retries: number) => {
      writeFileSync(counter, '');
      configure(
        'tests, deploy',
        '[goal tests]',
        'type = shell',
        `command = echo x >> ${counter}; test $(wc -l < ${counter}) -ge 3 || exit ${String(status)}`,
        `retries = ${String(retries)}`,
        'retry_delay = 1',
      );
    };
    const tries = () => readFileSync(counter, 'utf8').split('\n').length - 1;
    flaky(75, 2);
    assert.equal((await run('deploy')).status, 0);
    assert.equal(tries(), 3);
    flaky(75, 1);
    assert.equal((await run('deploy')).status, 1);
    assert.equal(tries(), 2);
    flaky(1, 5);
    assert.equal((await run('deploy')).status, 1, 'others fail at once');
    assert.equal(tries(), 1);
  });

  it('ends a goal that takes too long, and one that is cancelled, with all it started', async () => {
    configure('tests, deploy', '[goal tests]', 'type = shell', 'command = sleep 600', 'timeout = 1');
    const late = await run('deploy');
    assert.equal(late.status, 1);
    assert.match(
      String((finishedOf(late)['error'] as Record<string, unknown>)['message']),
      /longer than 1 s/,
    );

    for (const pipeline of ['tests, deploy', 'deploy, tests']) {
      configure(pipeline, '[goal tests]', 'type = shell', 'command = echo started; sleep 600');
      world.repository.commit({ message: 'More', files: { 'index.html': `${pipeline}\n` } });
      const started = world.start(['--json', 'deploy', 'production']);
      await started.waitForEvent((event) => event['event'] === 'output' && event['line'] === 'started');
      started.interrupt();
      const result = await started.result;
      assert.equal(result.status, 130, result.stdout);
      const error = finishedOf(result)['error'] as Record<string, unknown>;
      assert.equal(error['code'], 'cancelled');
      assert.equal(error['changed'], pipeline.startsWith('deploy'));
      assert.equal(world.read('index.html') === `${pipeline}\n`, pipeline.startsWith('deploy'));
    }
    await world.home.quiet();
  });

  it('keeps what goals make in the clone out of the release, and for the goals after it', async () => {
    const made = ['[goal noted]', 'type = file_exists', 'filename = made/here.txt', 'contents = x'];
    const seen = ['[goal tests]', 'type = shell', 'command = test -f made/here.txt && test -f built.txt'];
    configure('noted, deploy, tests', 'before_deploy = echo built > built.txt', ...made, ...seen);
    const result = await run('deploy');
    assert.equal(result.status, 0, result.stdout);
    assert.equal(existsSync(join(world.site(), 'current/made')), false);
    assert.equal(world.read('built.txt'), 'built\n');
    assert.match(goals(await run('deploy'), names).join('\n'), /^noted already .*\ndeploy already/);
    // At another commit the clone is clean again.
    world.repository.commit({ message: 'Next', files: { 'index.html': 'next\n' } });
    assert.match(goals(await run('deploy', '-n'), names).join('\n'), /^noted pending .*\ndeploy pending/);
    assert.match(goals(await run('deploy'), names).join('\n'), /^noted done .*\ndeploy done/);
  });

  it('works in the clone at the deployed commit, also in temp_dir, where a dry run looks too', async () => {
    const clone = path('clone');
    configure(
      'tests, noted, deploy',
      `temp_dir = ${clone}`,
      '[goal tests]',
      'type = shell',
      'command = pwd; git rev-parse HEAD; echo "$DURANT_COMMIT $DURANT_STAGE"',
      '[goal noted]',
      'type = file_exists',
      'filename = here',
    );
    const first = world.repository.git('rev-parse', 'HEAD~1');
    const result = await run('deploy', '--ref', first);
    assert.equal(result.status, 0, result.stdout);
    const lines = result.events.filter((event) => event['event'] === 'output').map((event) => event['line']);
    assert.deepEqual(lines, [clone, first, `${first} production`]);
    assert.match(
      goals(await run('deploy', '-n', '--ref', first), names).join('\n'),
      /^tests pending .*\nnoted already/,
    );
  });

  it('asks before a protected stage changes, and not before it looks', async () => {
    rmSync(path('noted.txt'), { force: true });
    configure('noted, deploy', 'protected = yes', ...noted);
    const refused = await run('deploy');
    assert.equal(refused.status, 2, refused.stdout);
    assert.equal(existsSync(path('noted.txt')), false);
    assert.equal((await run('deploy', '--yes')).status, 0);
    assert.equal((await run('deploy')).status, 0, 'nothing is left to do');
  });

  it('may be goals alone', async () => {
    rmSync(path('noted.txt'), { force: true });
    configure('noted', ...noted);
    const before = world.live();
    const result = await run('deploy');
    assert.equal(result.status, 0, result.stdout);
    assert.equal(world.live(), before);
    assert.equal(existsSync(path('noted.txt')), true);
  });

  it('that do not deploy need neither server nor project_dir', async () => {
    rmSync(path('noted.txt'), { force: true });
    const conf = [
      '[release]',
      `repository = ${world.repository.directory}`,
      'pipeline = noted',
      ...noted,
      '',
    ];
    writeFileSync(join(world.project, 'durant.conf'), conf.join('\n'));
    const alone = (...args: string[]) => world.run(['--json', ...args]);
    for (const args of [
      ['check', 'release'],
      ['check', '--connect', 'release'],
      ['goals', 'release'],
      ['deploy', '-n', 'release'],
    ]) {
      const result = await alone(...args);
      assert.equal(result.status, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    }
    assert.equal(existsSync(path('noted.txt')), false);
    const result = await alone('deploy', 'release');
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.deepEqual(finishedOf(result)['servers'], []);
    assert.equal(existsSync(path('noted.txt')), true);
    assert.deepEqual(
      JSON.parse((await alone('stages')).stdout).stages.map((each: { servers: string[] }) => each.servers),
      [[]],
    );
    for (const args of [
      ['status', 'release'],
      ['releases', 'release'],
      ['app', 'release', 'info'],
    ])
      assert.equal((await alone(...args)).status, 0, args.join(' '));
    const back = await alone('rollback', 'release');
    assert.notEqual(back.status, 0);
    assert.match(back.stdout, /deploys nowhere/);
  });

  const mistakes: readonly (readonly [what: string, lines: readonly string[], says: RegExp])[] = [
    ['a goal that is not there', ['pipeline = deploy, taged', ...tagged], /no goal "taged".*tagged/s],
    ['a goal without type', ['pipeline = deploy, tagged', '[goal tagged]', 'name = v1'], /type/],
    ['deploy twice', ['pipeline = deploy, deploy'], /twice/],
    ['an optional deploy', ['pipeline = deploy?'], /cannot be optional/],
    [
      'a process listed twice',
      ['processes = w, w', '[process w]', 'command = x'],
      /processes: "w" is listed twice/,
    ],
    [
      'a secret that is not there',
      ['pipeline = deploy, x', '[goal x]', 'type = shell', 'command = env!NOT_THERE'],
      /NOT_THERE/,
    ],
  ];
  for (const [what, lines, says] of mistakes)
    it(`refuses ${what} before anything is contacted`, async () => {
      world.configure(lines);
      const result = await world.run(['deploy', 'production']);
      assert.equal(result.status, 2, result.stdout);
      assert.match(result.stderr, says);
    });
});
