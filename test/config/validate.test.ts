import assert from 'node:assert/strict';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { PROBLEM_CODES, type ProblemCode } from '../../src/config/syntax/problemCodes.ts';
import { isValid, requireValid, validate, type Facts } from '../../src/config/rules/validate.ts';
import { DurantError } from '../../src/errors.ts';
import { applied, marked } from './marked.ts';

const DEFAULTS = '[DEFAULT]\nrepository: .\nserver: web1\nproject_dir: /srv/x\n';
const INPLACE = `${DEFAULTS}[p]\nstrategy: inplace\n`;
const STAGE = `${DEFAULTS}[p]\n`;
const GOAL = `${STAGE}[goal g]\n`;
const PROCESS = `${STAGE}[process w]\ncommand: x\n`;

/** Code, text with « » around what is pointed at, and facts. Nothing else may be wrong with the text. */
type Row = readonly [code: ProblemCode, source: string, facts?: Facts];

const excludes = (patterns: readonly string[], path: string): boolean =>
  patterns.some((pattern) => path === pattern || path.startsWith(`${pattern}/`));

const KEYS: readonly Row[] = [
  ['unknown-key', `${STAGE}«brnach»: main`],
  ['unknown-key', '[DEFAULT]\n«repositry»: .\n[p]\nrepository: .\nserver: w\nproject_dir: /x'],
  ['unknown-key', `${STAGE}«nonsense»: 1`],
  ['unknown-key', `${GOAL}type: shell\ncommand: x\n«comand»: y`],
  ['unknown-key', `${PROCESS}«replcas»: 2`],
  ['misplaced-key', `${STAGE}«command»: x`],
  ['misplaced-key', `${STAGE}«replicas»: 2`],
  ['misplaced-key', `${DEFAULTS}«retries»: 2\n[p]`],
  ['misplaced-key', `${GOAL}type: shell\ncommand: x\n«keep_releases»: 2`],
  ['misplaced-key', `${GOAL}type: shell\ncommand: x\n«url»: https://x`],
  ['misplaced-key', `${PROCESS}«project_dir»: /x`],
  ['missing-key', '[«p»]\nserver: w\nproject_dir: /x'],
  [
    'missing-key',
    '[«p»]\nrepository: .\nproject_dir: /x\npipeline: g, deploy\n[goal g]\ntype: shell\ncommand: x',
  ],
  ['missing-key', '[«p»]\nrepository: .\nproject_dir: /x'],
  ['missing-key', '[«p»]\nrepository: .\nserver: w'],
  ['missing-key', '[p]\n«repository»:\nserver: w\nproject_dir: /x'],
  ['missing-key', '[p]\nrepository: .\nserver: «,»\nproject_dir: /x'],
  ['missing-key', `${STAGE}[«goal g»]`],
  ['missing-key', `${STAGE}[«goal g»]\ntype: http_ok`],
  ['missing-key', `${STAGE}[«process w»]`],
  ['missing-key', `${DEFAULTS}[«p»]\ninstall_mode: binary`],
  ['inplace-web-root', `${STAGE}strategy: «inplace»\ndelete: yes`],
  ['wrong-strategy', `${STAGE}«delete»: yes`],
  ['wrong-strategy', `${STAGE}strategy: releases\n«overwrite_newer»: no`],
  ...[
    'current_path: c',
    'keep_releases: 3',
    'release_name: x{date}',
    'unchanged: link',
    'spare: no',
    'shared_dirs: a',
    'shared_files: b',
    'copy_dirs: c',
    'env_file: .env',
    'distfile: a.whl',
    'install_mode: python',
    'processes: ',
    'domain_name: x.example',
  ].map((line): Row => ['wrong-strategy', `${INPLACE}${line.replace(/^(\w+)/, '«$1»')}`]),
  ['conflicting-keys', `${STAGE}before_deploy: a\n«build_command»: b`],
  ['conflicting-keys', `${DEFAULTS}build_command: a\n[p]\n«before_deploy»: b`],
  [
    'conflicting-keys',
    `${GOAL}type: github_release_exists\nrepository: a/b\ntag: v1\nnotes: a\n«notes_file»: b`,
  ],
  ['conflicting-keys', `${PROCESS}«replicas»: 2\nsocket: yes`],
  ['conflicting-keys', `${PROCESS}«replicas»: 2\ntimer: OnCalendar=daily`],
  ['conflicting-keys', `${PROCESS}«socket»: 8000\ntimer: OnCalendar=daily`],
];

const VALUES: readonly Row[] = [
  ...[
    'keep_releases: «many»',
    'keep_releases: «0»',
    'keep_releases: «-2»',
    'ssh_port: «65536»',
    'ssh_port: «0»',
    'parallel: «0»',
    'parallel: «»'.replace('parallel: «»', '«parallel»:'),
    'protected: «yep»',
    'connect_timeout: «15 s»',
    'connect_timeout: «0»',
    'connect_timeout: «1d»',
    'strategy: «release»',
    'ssh_client: «putty»',
    'writable_chmod_mode: «999»',
    'release_name: «{dat}»',
    'release_name: «a/b»',
    'release_name: «..»',
    'user: «-x»',
    'user: «a b»',
    'server: a, «b c»',
    'server: «-x»',
    'server: «a@@»',
    'server: «a:0»',
    'server: «::1»',
    'server:\n  ok\n  «a;b»',
    'repository: «--upload-pack=x»',
    'repository: «ext::sh -c x»',
    'branch: «-x»',
    'branch: «a..b»',
    'branch: «a b»',
    'env: A=1, «B»',
    'env: «1A=x»',
    'pipeline: «a b»',
    'pipeline: deploy, «a/b»',
    '«pipeline»:',
    'statics: «static»',
    'app: «Shop»',
    'upstream: «here»',
    'python_version: «-x»',
    'python_version: «abc»',
    'python_version: «>=3.9»',
    'secrets_password_env: «A-B»',
    'health_retries: «-1»',
    'health_timeout: «0»',
    'writable_mode: «777»',
    'secrets: «lastpass»',
    'host_key_checking: «no»',
    'domain_name: «a b»',
  ].map((line): Row => ['wrong-value', STAGE + line]),
  ['wrong-value', `${GOAL}type: http_ok\nurl: «ftp://x»`],
  ['wrong-value', `${GOAL}type: http_ok\nurl: https://x\nstatus: «99»`],
  ['wrong-value', `${GOAL}type: shell\ncommand: x\nretries: «often»`],
  ['wrong-value', `${PROCESS}replicas: «0»`],
  ['wrong-value', `${PROCESS}socket: «maybe»`],
  ['wrong-value', `${PROCESS}timer: «daily»`],
  ['wrong-value', `${PROCESS}restart: «sometimes»`],
  // Inherited by two stages, said once, where it is written.
  ['wrong-value', `${DEFAULTS}keep_releases: «x»\n[p]\n[q]\nproject_dir: /srv/q`],
  // Inherited by none.
  ['wrong-value', `${DEFAULTS}keep_releases: «x»\n[p]\nkeep_releases: 3`],
  ['unsafe-project-dir', `${STAGE}project_dir: «/»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «//.»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «~»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «~/»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «/srv/../x»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «srv/x»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «~bob/x»`],
  ['unsafe-project-dir', `${STAGE}project_dir: «$HOME/x»`],
  ['unsafe-project-dir', `${DEFAULTS}a: ..\n[p]\nproject_dir: «/srv/%(a)s»`],
  ['unsafe-path', `${STAGE}shared_dirs: a, «/b»`],
  ['unsafe-path', `${STAGE}shared_files: «../b»`],
  ['unsafe-path', `${STAGE}writable_dirs:\n  a\n  «a/../..»`],
  ['unsafe-path', `${STAGE}clear_paths: «.»`],
  ['unsafe-path', `${STAGE}current_path: «/x»`],
  ['unsafe-path', `${STAGE}sub_directory: «~/x»`],
  ['reserved-path', `${STAGE}clear_paths: tests, «.durant»`],
  ['reserved-path', `${INPLACE}clear_paths:\n  «./.durant//env»\n  shared`],
  ['reserved-path', `${INPLACE}writable_dirs: «.durant/»`],
  ['reserved-path', `${STAGE}shared_dirs: «.durant/x»`],
  ['reserved-path', `${STAGE}shared_files: «.durant/lock»`],
  ['reserved-path', `${STAGE}copy_dirs: a, «.//.durant»`],
  ['reserved-path', `${STAGE}env_target: «.durant/.env»`],
  ['reserved-path', `${STAGE}statics: «/x/ = .durant/env»`],
  ...['shared', 'releases/x', '.durant/x', './shared//', 'releases', './/.durant'].map((path): Row => [
    'reserved-path',
    `${STAGE}current_path: «${path}»`,
  ]),
  ['nested-path', `${STAGE}shared_dirs: a, «a/b»`],
  ['nested-path', `${STAGE}shared_dirs: «a/b/c», a`],
  ['nested-path', `${STAGE}shared_dirs: a\nshared_files: «./a//b»`],
  ['nested-path', `${STAGE}shared_dirs: a, «a/»`],
  ['excluded-path', `${STAGE}exclude: x, var\nshared_files: a, «var/b»`, { excludes }],
  ['excluded-path', `${STAGE}exclude: var\nwritable_dirs: «var»`, { excludes }],
  ['plain-secret', `${STAGE}env:\n  A=1\n  «DB_PASSWORD=hunter2»`],
  ['plain-secret', `${STAGE}vendors: «curl -H "token: abcdef"»`],
  ['plain-secret', `${STAGE}before_deploy: «mysql --password=hunter2»`],
  ['plain-secret', '[p]\nrepository: «https://bob:hunter2@example.com/x.git»\nserver: w\nproject_dir: /x'],
  ['plain-secret', `${STAGE}[vars]\nkey: «-----BEGIN OPENSSH PRIVATE KEY-----\n  abc»`],
  ['plain-secret', `${STAGE}[vars]\ndb_password: «hunter2»`],
  ['plain-secret', `${STAGE}[vars]\nsentry_dsn: «hunter2»`],
  ['plain-secret', `${STAGE}env:\n  «DB_PASS=hunter2»`],
  ['plain-secret', `${GOAL}type: npm_published\ntoken: «abc»`],
];

const NAMES: readonly Row[] = [
  ['undefined-var', `${STAGE}branch: «var!tga»\n[vars]\ntag: 1`],
  ['undefined-var', `${DEFAULTS}tag: 1\n[p]\nbranch: «var!tag»`.replace('tag: 1\n', 'user: u\n')],
  ['undefined-var', `${STAGE}exclude: a, «var!b»`],
  ['undefined-var', `${STAGE}env: A=1, «B=var!b»`],
  ['undefined-var', `${STAGE}after_deploy:\n  x\n  «local! var!b»`],
  ['undefined-var', `${STAGE}[vars]\na: «var!b»`],
  ['undefined-var', `${GOAL}type: git_tag_exists\nname: «var!v»`],
  ['variable-cycle', `${STAGE}[vars]\na: «var!b»\nb: var!a`],
  ['variable-cycle', `${STAGE}[vars]\nc: var!a\na: «var!a»`],
  [
    'unknown-goal',
    `${STAGE}pipeline: deploy, «tets»?\n[goal test]\ntype: shell\ncommand: x`.replace('«tets»?', '«tets?»'),
  ],
  ['unknown-goal', `${STAGE}pipeline:\n  «Deploy»`],
  ['hook-never-runs', `${STAGE}«before_vendors»: x`],
  ['hook-never-runs', `${STAGE}vendors:\n«after_vendors»: x`],
  ['hook-never-runs', `${STAGE}«after_shared»: x`],
  ['hook-never-runs', `${STAGE}«before_writable»: x`],
  ['hook-never-runs', `${STAGE}«before_clear_paths»: x`],
  ['hook-never-runs', `${DEFAULTS}shared_dirs: a\n[p]\nstrategy: inplace\n«before_shared»: x`],
  ['hook-never-runs', `${DEFAULTS}«before_vendors»: x\n[p]`],
  ['unknown-goal-type', `${GOAL}type: «shel»\ncommand: x`],
  ['reserved-goal', `${STAGE}[«goal deploy»]\ntype: shell\ncommand: x`],
  [
    'unknown-process',
    `${STAGE}processes: w, «wroker»\n[process w]\ncommand: x\n[process worker]\ncommand: y`,
  ],
  ['unknown-role', `${STAGE}server: a [web], b [db, worker]\nrelease_role: «wbe»`],
  ['unknown-role', `${STAGE}server: a [web]\nvendors:\n  on web! true\n  «once db! true»`],
  ['unknown-role', `${DEFAULTS}[p]\nserver: a [web]\n[process w]\ncommand: x\nroles: web, «job»`],
  ['wrong-value', `${STAGE}server: «a [we b!]»`],
  ['wrong-value', `${STAGE}server: «a []»`],
  ['wrong-value', `${STAGE}waves: 1, «0%», 25%, rest`],
  ['wrong-value', `${STAGE}waves: «101%»`],
  ['duplicate-server', `${STAGE}server: a [web], «a [db]»`],
  ['duplicate-goal', `${STAGE}pipeline: deploy, «deploy»`],
  ['duplicate-goal', `${STAGE}pipeline: deploy, «deploy?»`],
  ['optional-deploy', `${STAGE}pipeline: «deploy?»`],
  ['duplicate-goal', `${STAGE}pipeline:\n  t\n  deploy\n  «t?»\n[goal t]\ntype: shell\ncommand: x`],
  ['duplicate-process', `${STAGE}processes: w, «w»\n[process w]\ncommand: x`],
  // Inherited by two stages, said once.
  ['duplicate-goal', `${DEFAULTS}pipeline: deploy, «deploy»\n[p]\n[q]\nproject_dir: /srv/q`],
  ['bad-section-name', `${STAGE}[«goal a b»]\ntype: shell\ncommand: x`],
  ['bad-section-name', `${STAGE}[«process a/b»]\ncommand: x`],
  ['no-stage', '«»[DEFAULT]\nuser: u'],
  ['duplicate-server', `${STAGE}server: a, b, «a»`],
  ['duplicate-server', `${STAGE}server: local, «127.0.0.1»`],
  ['duplicate-server', `${STAGE}user: u\nserver: u@web, «WEB»`],
  ['duplicate-server', `${STAGE}ssh_port: 22\nserver:\n  web:22\n  «web»`],
  ['same-target', `${DEFAULTS}[p]\n[«q»]`],
  ['same-target', `${DEFAULTS}[p]\n[q]\nserver: a, web1\nproject_dir: «/srv//x/»`],
  ['same-target', `${DEFAULTS}[p]\nserver: local\n[q]\nserver: «localhost»`],
  ['identity-missing', `${STAGE}ssh_identity: «~/.ssh/nope»`, { identity: () => ({ exists: false }) }],
  [
    'identity-permissions',
    `${STAGE}ssh_identity: «k»`,
    { identity: () => ({ exists: true, mode: 0o100644 }) },
  ],
  ['no-repository', '[p]\nrepository: «.»\nserver: a\nproject_dir: /x', { isRepository: () => false }],
  [
    'sample-server',
    '[p]\nrepository: .\nserver: a, «deploy@server.example.com:22»\nproject_dir: /x',
    { sampleServer: 'server.example.com' },
  ],
  ['unknown-branch', `${STAGE}branch: «mian»`, { refs: () => ['main'] }],
  [
    'exclude-matches-nothing',
    `${STAGE}exclude: src, «nope»`,
    { excludes, trackedFiles: () => ['src/a.ts', 'b'] },
  ],
];

/** Texts that nothing is wrong with. */
const GOOD: readonly (readonly [name: string, text: string, facts?: Facts])[] = [
  ['the greatest port', `${STAGE}ssh_port: 65535`],
  [
    'what DEFAULT gives is not misplaced',
    `${DEFAULTS}keep_releases: 3\ndelete: yes\n[p]\nstrategy: inplace\n[q]\nserver: b`,
  ],
  [
    'a goal and a process inherit what is not theirs',
    `${GOAL}type: shell\ncommand: x\n[process w]\ncommand: y`,
  ],
  ['keys that are referred to', `${DEFAULTS}base: /srv\n[p]\nsite: shop\nproject_dir: %(base)s/%(site)s`],
  ['[vars] takes any key', `${STAGE}[vars]\nanything: 1`],
  ['a module takes any key', `${GOAL}type: ./goals/x.mjs\nanything: 1`],
  [
    'resolvers are exempt',
    `${STAGE}keep_releases: env!N\nprotected: var!b\nserver: env!A, sh!x\nproject_dir: secret!dir\n[vars]\nb: sh!x`.replace(
      'server: env!A, sh!x',
      'server: sh!hosts',
    ),
  ],
  ['resolvers of items are exempt', `${STAGE}server: a, env!A\nenv: A=1, B=secret!b\nexclude:\n  a\n  env!E`],
  [
    'an empty value takes an inherited one away',
    `${DEFAULTS}branch: main\nexclude: x\n[p]\nbranch:\nexclude:`,
  ],
  [
    "names that are Durant's elsewhere, or nearly so",
    `${STAGE}current_path: public/shared\nclear_paths: shared, releases, src/.durant, .durant-old\nwritable_dirs: .Durant`,
  ],
  [
    'hooks of steps that run, or may',
    `${STAGE}before_vendors: x\nvendors: env!V\nafter_shared: x\nshared_files: a\nbefore_cleanup: x\nafter_symlink: x\nbefore_clear_paths:`,
  ],
  ['a hook of DEFAULT that one stage needs', `${DEFAULTS}before_vendors: x\n[p]\nvendors: y\n[q]\nserver: b`],
  ['no time at all', `${STAGE}wave_pause: 0\ndrain: 0s\n[goal g]\ntype: shell\ncommand: x\nretry_delay: 0`],
  ['keep all', `${STAGE}keep_releases: -1`],
  ['home', `${STAGE}project_dir: ~/shop`],
  ['a socket with one replica', `${PROCESS}socket: yes\nreplicas: 1`],
  [
    'variables and secrets that are not plain',
    `${STAGE}env: DB_PASSWORD=secret!db, TOKEN=env!T\nvendors: curl -H "token: $TOKEN"\nsecrets_password_env: BW_PASSWORD`,
  ],
  [
    'a key that others cannot read',
    `${STAGE}ssh_identity: k`,
    { identity: () => ({ exists: true, mode: 0o100600 }) },
  ],
  [
    'branches, tags and ids',
    `${DEFAULTS}[p]\nbranch: main\n[q]\nserver: b\nbranch: 0123456789012345678901234567890123456789`,
    { refs: () => ['main'] },
  ],
  ['one host, two ports or logins', `${STAGE}server: a:1, a:2, u@a, v@a`],
  ['one project_dir on two servers', `${DEFAULTS}[p]\n[q]\nserver: web2`],
  [
    'both names of the command, one of them empty',
    `${DEFAULTS}before_deploy: a\n[p]\nbefore_deploy:\nbuild_command: b`,
  ],
  [
    'goals and processes that are there',
    `${STAGE}pipeline: g, deploy, h?\nprocesses: w\n[goal g]\ntype: shell\ncommand: x\n[goal h]\ntype: shell\ncommand: x\n[process w]\ncommand: y`,
  ],
];

describe('config: validation', () => {
  for (const [code, source, facts] of [...KEYS, ...VALUES, ...NAMES])
    it(`${code}: ${JSON.stringify(source.replace(DEFAULTS, '…'))}`, () => {
      const { text, ranges } = marked(source);
      // Every stage with strategy inplace has this one.
      const problems = validate(parseConf(text), undefined, facts).filter(
        (found) => code === 'inplace-web-root' || found.code !== 'inplace-web-root',
      );
      assert.deepEqual(
        problems.map((found) => [
          found.code,
          text.slice(found.range.start, found.range.end),
          found.range.start,
        ]),
        ranges.map(({ start, end }) => [code, text.slice(start, end), start]),
        problems.map((found) => found.message).join('\n'),
      );
      assert.equal(problems[0]?.severity, PROBLEM_CODES[code].severity);
      for (const found of problems) assert.doesNotMatch(found.message, /hunter2/);
    });

  for (const [name, text, facts] of GOOD)
    it(`nothing wrong: ${name}`, () => {
      const problems = validate(parseConf(text), undefined, facts);
      assert.deepEqual(
        problems.filter(({ code }) => code !== 'inplace-web-root'),
        [],
      );
    });

  it('every code is tested somewhere', () => {
    const parsers =
      /^(?:not-utf8|no-section|no-delimiter|empty-|unclosed|duplicate-(?:key|section)|interpolation|lone|text-after|section-like)/;
    const tested = new Set([...KEYS, ...VALUES, ...NAMES].map(([code]) => code));
    const untested = Object.keys(PROBLEM_CODES).filter(
      (code) => !parsers.test(code) && ![...tested].some((name) => name === code),
    );
    assert.deepEqual(untested, []);
  });

  it('applying a quick fix removes the problem and makes no new error', () => {
    let fixes = 0;
    for (const [, source, facts] of [...KEYS, ...VALUES, ...NAMES]) {
      const { text } = marked(source);
      for (const found of validate(parseConf(text), undefined, facts))
        for (const fix of found.data?.fixes ?? []) {
          fixes += 1;
          const after = validate(parseConf(applied(text, fix.edits)), undefined, facts);
          // A goal that has got its type may now lack what that type requires.
          const left = after.filter(
            ({ code, message }) =>
              code !== 'inplace-web-root' && (code !== 'missing-key' || message === found.message),
          );
          assert.deepEqual(left, [], `${fix.title}: ${text}`);
        }
    }
    assert.ok(fixes > 20, String(fixes));
  });

  it('quick fixes of the parser do what they say', () => {
    const fix = (text: string, which = 0): string => {
      const [found] = parseConf(text).problems;
      return applied(text, found?.data?.fixes?.[which]?.edits ?? []);
    };
    assert.equal(fix('x=1\n'), '[production]\nx=1\n');
    assert.equal(fix('x=1\r\n', 1), '[DEFAULT]\r\nx=1\r\n');
    assert.equal(fix('[a\n'), '[a]\n');
    assert.equal(fix('[a] b\n'), '[a]\n');
    assert.equal(fix('[a]\nx=%h'), '[a]\nx=%%h');
    assert.equal(fix('[a]\nabc=1\nx=%(abd)s'), '[a]\nabc=1\nx=%(abc)s');
    assert.equal(fix('[a]\nabc=1\nx=%(abd)s', 1), '[a]\nabc=1\nx=%%(abd)s');
  });

  it('one stage is judged with what it uses, not the others', () => {
    const doc = parseConf(
      `${DEFAULTS}pipeline: deploy, g\nprocesses: w\n[p]\n[q]\nserver: b\nkeep_releases: x\npipeline: deploy\n[goal g]\n[goal other]\n[process w]\n[process x]`,
    );
    const where = (stage: string): unknown[] =>
      validate(doc, stage).map((found) => [found.code, doc.text.slice(found.range.start, found.range.end)]);
    assert.deepEqual(where('p'), [
      ['missing-key', 'goal g'],
      ['missing-key', 'process w'],
    ]);
    assert.deepEqual(where('q'), [
      ['wrong-value', 'x'],
      ['missing-key', 'process w'],
    ]);
    assert.throws(() => validate(doc, 'pp'), { code: 'unknown-stage' });
  });

  it('a line that may hide a stage is said before the stage that is missing', () => {
    const asked = (text: string): unknown => {
      try {
        requireValid(parseConf(text), 'prod');
      } catch (error) {
        return error instanceof DurantError && `${error.code}: ${error.message}`;
      }
      return undefined;
    };
    for (const [text, place] of [
      ['[prod\nserver = w\n', /1:1 This section name is not closed/],
      [`${DEFAULTS}prod]\n[q]\n`, /5:1 This line has no = or :/],
      [`${DEFAULTS}[prod:x\n`, /5:1 .*no section name/],
    ] as const) {
      assert.match(String(asked(text)), /^config-invalid: durant.conf has no stage "prod"/);
      assert.match(String(asked(text)), place);
    }
    assert.match(String(asked(`${DEFAULTS}user: a\nuser: b\n[q]\n`)), /^unknown-stage: /);
    assert.deepEqual(
      validate(parseConf('[prod\n'), undefined).map(({ code }) => code),
      ['unclosed-section'],
    );
  });

  it('two stages with one target: said at the one that is asked for', () => {
    const doc = parseConf(`${DEFAULTS}[p]\n[q]`);
    for (const stage of ['p', 'q'])
      assert.deepEqual(
        validate(doc, stage).map((found) => doc.text.slice(found.range.start, found.range.end)),
        [stage],
      );
  });

  it('requireValid names every error with its line', () => {
    assert.doesNotThrow(() => {
      requireValid(parseConf(`${STAGE}[q]`), 'p');
    });
    assert.throws(
      () => {
        requireValid(parseConf(`${STAGE}brnach: x\nprotected: yse\n`), 'p');
      },
      (error) =>
        error instanceof DurantError &&
        error.code === 'config-invalid' &&
        /6:1 .*brnach/.test(error.message) &&
        /7:12 .*yse/.test(error.message),
    );
    assert.equal(isValid(validate(parseConf(`${STAGE}[q]`), undefined)), true);
  });

  it('a hook that never runs: what is missing is named', () => {
    const said = (text: string): readonly string[] =>
      requireValid(parseConf(text), 'p')
        .filter(({ code }) => code === 'hook-never-runs')
        .map(({ message }) => message);
    assert.deepEqual(said(`${STAGE}before_vendors: x\nafter_shared: y`), [
      'before_vendors never runs: the stage has no vendors. Add vendors, or remove the hook.',
      'after_shared never runs: the stage has no shared_dirs or shared_files. Add shared_dirs or shared_files, or remove the hook.',
    ]);
    assert.deepEqual(said(`${DEFAULTS}before_vendors: x\n[p]\n[q]`), [
      'before_vendors never runs: no stage has vendors. Add vendors, or remove the hook.',
    ]);
    assert.deepEqual(said(`${INPLACE}before_shared: x`), [
      'before_shared never runs: strategy: inplace has no shared_dirs or shared_files. Remove the hook, or change the strategy.',
    ]);
    assert.deepEqual(said(`${DEFAULTS}before_vendors: x\n[p]\n[q]\nvendors: y`), []);
  });
});
