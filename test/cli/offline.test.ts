/** The commands that contact nobody, as a user runs them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    assert.deepEqual(check.events, [{ ok: true, problems: [] }]);
    const before = readFileSync(join(project, 'durant.conf'), 'utf8');
    const again = await durant('init');
    assert.equal(again.status, 2);
    assert.match(again.stderr, /exists already/);
    assert.equal(readFileSync(join(project, 'durant.conf'), 'utf8'), before);
  });

  it('check shows problems as compilers do and exits 2 for errors', async () => {
    conf(...stage, 'brnch = main');
    const { status, stdout } = await durant('check');
    assert.equal(status, 2);
    assert.match(stdout, /^durant\.conf:5:1: error unknown-key: .*branch/m);
    assert.match(stdout, /^durant\.conf: 1 error, 0 warnings$/m);
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
    ['deploy', /Missing required argument/],
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
