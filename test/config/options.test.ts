import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  GOAL_TYPES,
  OPTIONS,
  PROCESS_OPTIONS,
  goalOptions,
  type OptionTable,
} from '../../src/config/options/options.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { refusalsOf } from '../../src/config/values/parseValue.ts';
import { configJson, resolveStage } from '../../src/config/values/stage.ts';
import { sampleConf } from '../../src/config/generate/sample.ts';
import { parseServer, type ServerAddress as ConfigAddress } from '../../src/config/values/serverEntries.ts';
import { didYouMean } from '../../src/config/rules/suggest.ts';
import { parseDuration } from '../../src/config/values/kinds.ts';
import { validate } from '../../src/config/rules/validate.ts';
import { wholeResolver } from '../../src/config/values/resolvers.ts';
import type { ServerAddress as RemoteAddress } from '../../src/remote/target.ts';
import { generatedDocs } from '../../scripts/docs.ts';

const TABLES: readonly (readonly [name: string, table: OptionTable])[] = [
  ['stage', OPTIONS],
  ['process', PROCESS_OPTIONS],
  ...Object.keys(GOAL_TYPES).map((type) => [`goal ${type}`, goalOptions(type)] as const),
];

describe('config: option table', () => {
  for (const [name, table] of TABLES)
    it(`${name}: defaults and examples are of their kind, docs are sentences`, () => {
      for (const [key, spec] of Object.entries(table)) {
        assert.match(key, /^[a-z][a-z0-9_]*$/);
        assert.match(spec.doc, /[.…]$/, key);
        for (const text of [spec.default, spec.example])
          if (text !== undefined && wholeResolver(spec.kind, text) === undefined)
            assert.deepEqual(refusalsOf(spec, text, { sshPort: undefined }), [], `${key}: ${text}`);
      }
    });

  it('generated docs are up to date (npm run docs writes them)', async () => {
    for (const [path, text] of await generatedDocs()) assert.equal(await readFile(path, 'utf8'), text, path);
  });

  it('the reference names every option', async () => {
    const [reference] = [...(await generatedDocs()).values()];
    for (const key of Object.keys(OPTIONS)) assert.ok(reference?.includes(`\n#### ${key}\n`), key);
  });

  it('config STAGE: every option with a value or a default, and where it comes from', () => {
    const doc = parseConf(
      '[DEFAULT]\nuser: u\nbase: /srv\n[p]\nserver: a, b\nproject_dir: %(base)s/x\nkeep_releases: env!N\nconnect_timeout: 1m\nprotected: on\nexclude: sh!x',
    );
    const { stage, options } = configJson(resolveStage(doc, 'p'));
    assert.equal(stage, 'p');
    assert.deepEqual(options['project_dir'], { value: '/srv/x', raw: '%(base)s/x', from: 'stage', line: 6 });
    assert.deepEqual(options['user'], { value: 'u', raw: 'u', from: 'DEFAULT', line: 2 });
    assert.deepEqual(options['remote'], { value: 'origin', raw: 'origin', from: 'default', line: null });
    assert.deepEqual(options['server']?.value, ['a', 'b']);
    assert.equal(options['keep_releases']?.value, 'env!N');
    assert.equal(options['connect_timeout']?.value, 60_000);
    assert.equal(options['protected']?.value, true);
    assert.deepEqual(options['exclude']?.value, ['sh!x']);
    assert.equal(options['branch'], undefined);
    assert.equal(options['base'], undefined);
  });
});

describe('config: sample', () => {
  it('is valid as it is, and with the repository of the project', () => {
    for (const facts of [{}, { repository: 'https://example.com/a%20b.git', branch: 'main' }]) {
      const doc = parseConf(sampleConf(facts));
      assert.deepEqual(validate(doc, undefined), []);
      const { values } = resolveStage(doc, 'production');
      assert.equal(values.get('repository')?.value, facts.repository ?? '.');
      assert.equal(values.get('branch')?.value, facts.branch);
    }
  });

  it('what is commented out is valid too, where the strategy allows it', () => {
    const text = sampleConf().replaceAll(/^#(?=[a-z_]+:|    )/gm, '');
    const problems = validate(parseConf(text), undefined);
    const left = problems.filter(
      (found) =>
        !['wrong-strategy', 'inplace-web-root', 'unknown-goal', 'unknown-process', 'plain-secret'].includes(
          found.code,
        ),
    );
    assert.deepEqual(
      left.map((found) => found.message),
      [
        '[production] has both "before_deploy" and "build_command", but they are two names of one option. Keep one of them.',
      ],
    );
  });

  it('names every option, hooks by their pattern', () => {
    const text = sampleConf();
    for (const key of Object.keys(OPTIONS))
      if (!/^(?:before|after)_(?!deploy|rollback)/.test(key))
        assert.match(text, new RegExp(`^#?${key}:`, 'm'));
    assert.match(text, /before_<step>/);
  });
});

/** Entry, `ssh_port`, and user, host, port, local. */
const SERVERS: readonly (readonly [
  entry: string,
  sshPort: number | undefined,
  parts: readonly [user: string | undefined, host: string, port: number | undefined, local: boolean],
])[] = [
  ['web1', undefined, [undefined, 'web1', undefined, false]],
  ['u@web1:2222', undefined, ['u', 'web1', 2222, false]],
  ['[::1]', undefined, [undefined, '::1', undefined, false]],
  ['u@[fe80::1%eth0]:22', undefined, ['u', 'fe80::1%eth0', 22, false]],
  ['local', undefined, [undefined, 'local', undefined, true]],
  ['localhost', undefined, [undefined, 'localhost', undefined, true]],
  ['127.0.0.1', undefined, [undefined, '127.0.0.1', undefined, true]],
  ['127.0.0.1:22', undefined, [undefined, '127.0.0.1', 22, false]],
  ['u@localhost', undefined, ['u', 'localhost', undefined, false]],
  ['local', 22, [undefined, 'local', undefined, false]],
  ['LOCAL', undefined, [undefined, 'LOCAL', undefined, false]],
];

describe('config: servers, durations, suggestions', () => {
  for (const [entry, sshPort, [user, host, port, local]] of SERVERS)
    it(`${entry}, ssh_port ${String(sshPort)}`, () => {
      assert.deepEqual(parseServer(entry, { sshPort }), { entry, host, user, port, local, roles: [] });
    });

  for (const entry of [
    '',
    '-x',
    'u@-x',
    '-u@x',
    'a b',
    'a:',
    'a:x',
    'a:0',
    'a:65536',
    '@a',
    '[a]',
    '[::1',
    '::1',
    'a/b',
    'a$b',
    'u;@a',
  ])
    it(`refuses ${JSON.stringify(entry)}`, () => {
      assert.ok('error' in parseServer(entry, { sshPort: undefined }));
    });

  it('addresses are those of remote/target.ts', () => {
    const here: ConfigAddress = {
      entry: 'a',
      host: 'a',
      user: undefined,
      port: undefined,
      local: false,
      roles: [],
    };
    const there: RemoteAddress = here;
    const back: ConfigAddress = there;
    assert.equal(back, here);
  });

  it('durations', () => {
    for (const [text, ms] of [
      ['30', 30_000],
      ['30s', 30_000],
      ['5m', 300_000],
      ['1h', 3_600_000],
      ['0', undefined],
      ['1.5m', undefined],
      ['', undefined],
      ['-1', undefined],
      ['1 s', undefined],
    ] as const)
      assert.equal(parseDuration(text), ms, text);
    assert.equal(parseDuration('0s', true), 0);
  });

  it('did you mean', () => {
    const keys = Object.keys(OPTIONS);
    for (const [typed, meant] of [
      ['sevrer', 'server'],
      ['repositry', 'repository'],
      ['keep_release', 'keep_releases'],
      ['brnch', 'branch'],
      ['zzz', undefined],
    ] as const)
      assert.equal(didYouMean(typed, keys), meant);
  });
});
