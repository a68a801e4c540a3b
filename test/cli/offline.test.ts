/** The commands that contact nobody, as a user runs them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, type CliHome, type CliResult } from '../support/cli.ts';

describe('durant without servers', () => {
  let home: CliHome;
  let project = '';

  before(async () => {
    home = await makeCliHome();
  });
  after(() => home.remove());
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'durant-offline-'));
  });
  afterEach(() => {
    rmSync(project, { recursive: true, force: true });
  });

  const durant = (line: string): Promise<CliResult> => runCli(line.split(' '), { home, cwd: project });
  const conf = (...lines: readonly string[]): void => {
    writeFileSync(join(project, 'durant.conf'), `${lines.join('\n')}\n`);
  };
  const stage = ['[production]', 'repository = .', 'server = web1, web2', 'project_dir = /srv/shop'];

  it('init writes a file that check accepts, and never overwrites one', async () => {
    assert.equal((await durant('init')).status, 0);
    const check = await durant('check --json');
    assert.equal(check.status, 0);
    const problems: readonly { readonly code: string; readonly severity: string }[] = JSON.parse(
      check.stdout,
    ).problems;
    assert.deepEqual(
      problems.map(({ code, severity }) => `${severity} ${code}`),
      ['warning no-repository', 'warning sample-server'],
    );
    const before = readFileSync(join(project, 'durant.conf'), 'utf8');
    assert.ok(before.split('\n').length <= 12, before);
    assert.equal((await durant('init --all --config all.conf')).status, 0);
    assert.match(readFileSync(join(project, 'all.conf'), 'utf8'), /^#keep_releases: /m);
    const again = await durant('init');
    assert.equal(again.status, 2);
    assert.match(again.stderr, /exists already/);
    assert.equal(readFileSync(join(project, 'durant.conf'), 'utf8'), before);
  });

  it('durant.conf is found in the nearest folder above, and paths in it are relative to it', async () => {
    conf('[production]', 'repository = repo', 'server = web1', 'project_dir = /srv/shop');
    execFileSync('git', ['init', '-q', join(project, 'repo')]);
    const folder = join(project, 'deep', 'er');
    mkdirSync(folder, { recursive: true });
    const { status, stdout } = await runCli(['check'], { home, cwd: folder });
    assert.equal(stdout, '../../durant.conf: no problems\n');
    assert.equal(status, 0);
    writeFileSync(join(project, 'deep', 'durant.conf'), '[nearer]\n');
    assert.equal((await runCli(['check'], { home, cwd: folder })).status, 2);
    const named = await runCli(['--config', '../../durant.conf', 'stages'], { home, cwd: folder });
    assert.match(named.stdout, /^production/);
  });

  for (const [encoding, bytes] of [
    ['Latin-1', Buffer.from('[gr\xfcn]\nserver = web1\n', 'latin1')],
    ['UTF-16 with a mark', Buffer.from('\ufeff[a]\nserver = web1\n', 'utf16le')],
    ['UTF-16 without one', Buffer.from('[a]\nserver = web1\n', 'utf16le')],
  ] as const)
    it(`a file in ${encoding} is one error everywhere`, async () => {
      writeFileSync(join(project, 'durant.conf'), bytes);
      const json = await durant('check --json');
      assert.equal(json.status, 2);
      const { problems } = JSON.parse(json.stdout);
      assert.deepEqual(
        problems.map(({ code }: { readonly code: string }) => code),
        ['not-utf8'],
      );
      assert.match(problems[0].message, /Save it as UTF-8\.$/);
      for (const line of ['stages', 'config', 'status', 'deploy a', 'check a']) {
        const { status, stdout, stderr } = await durant(line);
        assert.equal(status, 2, line);
        assert.match(stdout + stderr, /Save it as UTF-8\./, line);
      }
    });

  it('a file of 1 MB with 4,000 stages of one local clone is checked in no more than a second or two', async () => {
    execFileSync('git', ['init', '-q', '-b', 'main', project]);
    writeFileSync(join(project, 'kept.txt'), '');
    execFileSync('git', ['-C', project, 'add', 'kept.txt']);
    execFileSync('git', ['-C', project, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-qm', 'x']);
    const pad = `# ${'x'.repeat(100)}`;
    conf(
      ...Array.from({ length: 4000 }, (_, n) => [
        `[stage${n}]`,
        'repository = .',
        `branch = ${n % 2 === 0 ? 'main' : 'nowhere'}`,
        `server = web${n}`,
        `project_dir = /srv/${n}`,
        `exclude = kept.txt, no${n}`,
        pad,
      ]).flat(),
    );
    const start = process.cpuUsage();
    const { status, stdout } = await durant('check');
    const { user, system } = process.cpuUsage(start);
    assert.equal(status, 0);
    assert.match(stdout.trimEnd().split('\n').at(-1) ?? '', /^durant\.conf: .*4,000 warnings/);
    // Processor time, with room for a slow machine: git was once started 8,000 times, which took half a minute.
    assert.ok((user + system) / 1000 < 5000, `${(user + system) / 1000} ms`);
  });

  it('check shows problems as compilers do and exits 2 for errors', async () => {
    conf(...stage, 'brnch = main');
    const { status, stdout } = await durant('check');
    assert.equal(status, 2);
    assert.match(stdout, /^durant\.conf:5:1: error unknown-key: .*branch/m);
    assert.match(stdout, /^durant\.conf: 1 error, 1 warning$/m);
  });

  it('config says what each option is and where it comes from', async () => {
    conf('[DEFAULT]', 'branch = main', ...stage, 'connect_timeout = 5m', 'env = A=secret!a');
    const json = await durant('config production --json');
    const [config] = json.events;
    const options = config?.['options'];
    assert.ok(typeof options === 'object' && options !== null);
    assert.deepEqual(Reflect.get(options, 'branch'), {
      value: 'main',
      raw: 'main',
      from: 'DEFAULT',
      line: 2,
    });
    assert.equal(Reflect.get(Reflect.get(options, 'env'), 'raw'), 'A=secret!a');
    const text = await durant('config production');
    assert.match(text.stdout, /^branch = main {2}# durant\.conf:2 \[DEFAULT\]$/m);
    assert.match(text.stdout, /^strategy = releases {2}# default$/m);
    const list: unknown = JSON.parse((await durant('config --json')).stdout);
    assert.ok(Array.isArray(list) && list.length === 1);
  });

  it('config shows no secret that is written out', async () => {
    conf(
      ...stage.filter((line) => !line.startsWith('repository')),
      'repository = https://ann:%(pw)s@git.example.com/shop.git',
      'pw = hunter22',
      'env = API_TOKEN=hunter22, MODE=hunter2, DB_KEY=sh!cat key',
    );
    const shown = [await durant('config production'), await durant('config production --json')];
    for (const { status, stdout } of shown) {
      assert.equal(status, 0);
      assert.doesNotMatch(stdout, /hunter22/);
      for (const text of [
        'https://ann:***@git.example.com/shop.git',
        'API_TOKEN=***',
        'MODE=hunter2',
        'DB_KEY=sh!cat key',
      ])
        assert.ok(stdout.includes(text), text);
    }
    assert.match((await durant('config --raw')).stdout, /hunter22/);
  });

  it('config --raw is what Python reads, and exits 2 where Python refuses', async () => {
    conf('[DEFAULT]', 'a = 1', '[s]', 'b = %(a)s', 'b = 2');
    const { status, events } = await durant('config --raw --json');
    assert.equal(status, 2);
    const [raw] = events;
    assert.deepEqual(raw?.['defaults'], { a: '1' });
    assert.deepEqual(raw?.['sections'], { s: { a: '1', b: '1' } });
  });

  it('stages lists them', async () => {
    conf(...stage, 'protected = yes');
    const { events, status } = await durant('stages --json');
    assert.equal(status, 0);
    const production = {
      stage: 'production',
      servers: ['web1', 'web2'],
      branch: null,
      strategy: 'releases',
      protected: true,
      line: 1,
    };
    assert.deepEqual(events, [{ stages: [production] }]);
    assert.match((await durant('stages')).stdout, /^production .* web1, web2 {2}protected$/m);
  });

  const failures: readonly (readonly [line: string, says: RegExp])[] = [
    ['stages', /There is no durant\.conf in/],
    ['--config other.conf check', /There is no file other\.conf/],
    ['deploy', /Name the STAGE to deploy, or a plan: --plan FILE/],
    ['rollback', /Missing required argument/],
    ['frobnicate', /Unknown command/],
  ];
  for (const [line, says] of failures)
    it(`durant ${line} exits 2 with a sentence on standard error, or as JSON on standard output`, async () => {
      const plain = await durant(line);
      assert.equal(plain.status, 2);
      assert.equal(plain.stdout, '');
      assert.match(plain.stderr, says);
      const json = await durant(`${line} --json`);
      assert.equal(json.status, 2);
      assert.equal(json.stderr, '');
      assert.equal(json.events.length, 1);
      const error = json.events[0]?.['error'];
      assert.ok(typeof error === 'object' && error !== null);
      assert.match(String(Reflect.get(error, 'message')), says);
    });

  it('a durant.conf that is no file is not read', async () => {
    const folder = join(project, 'endless');
    mkdirSync(folder);
    symlinkSync('/dev/zero', join(folder, 'durant.conf'));
    const { status, stderr } = await runCli(['stages'], { home, cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, /durant\.conf cannot be read \(it is no file\)/);
  });

  it('a mistake that hides every stage is said by each command that lists them', async () => {
    conf('[production', 'server = web1');
    for (const line of ['stages', 'config', 'status', 'log']) {
      const { status, stderr } = await durant(line);
      assert.equal(status, 2, line);
      assert.match(stderr, /has no stage, perhaps because of this mistake:\n {2}1:1 This section name/, line);
    }
    assert.deepEqual((await durant('check --json')).events[0]?.['ok'], false);
  });

  it('a stage that is not there is an error with what was meant', async () => {
    conf(...stage);
    for (const command of ['deploy prodution', 'config prodution', 'status prodution']) {
      const { status, stderr } = await durant(command);
      assert.equal(status, 2, command);
      assert.match(stderr, /Did you mean production\?/);
    }
  });

  it('colours are for terminals, and NO_COLOR is heard there', async () => {
    conf(...stage);
    const shown = async (env: NodeJS.ProcessEnv) =>
      (await runCli(['stages'], { home, cwd: project, on: 'terminal', env })).stdout;
    assert.match(await shown({}), /\u001b\[/);
    assert.doesNotMatch(await shown({ NO_COLOR: '1' }), /\u001b\[/);
    assert.doesNotMatch((await durant('stages')).stdout, /\u001b\[/);
  });
});
