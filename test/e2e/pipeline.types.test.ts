import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { makeRepository } from '../support/repo.ts';
import { startRegistries, TOKEN, type Registries } from '../support/registries.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const files = {
  'index.html': 'version 1\n',
  'notes.md': '# 1.4.0\r\n\r\nBetter.\n',
  'dist/shop.tar.gz': 'an archive\n',
  'package.json': JSON.stringify({ name: '@example/shop', version: '1.4.0', files: ['index.html'] }),
  'shop.gemspec': `Gem::Specification.new do |s|
  s.name = 'shop'
  s.version = '1.4.0'
  s.summary = 'A shop'
  s.authors = ['Ada']
  s.files = ['index.html']
end
`,
};

describe('the types of goals', () => {
  let world: World;
  let registries: Registries;
  /** Bare repositories that can be pushed to: on disk, and on the test server over SSH. */
  let remotes: { readonly disk: string; readonly ssh: string; readonly sshFolder: string };
  before(async () => {
    world = await makeWorld({ commits: [{ message: 'First', files }] });
    registries = await startRegistries();
    const disk = mkdtempSync(join(tmpdir(), 'durant-remote-'));
    const [server] = world.servers;
    const sshFolder = join(server?.home ?? '', 'remote.git');
    for (const folder of [disk, sshFolder]) execFileSync('git', ['init', '-q', '--bare', folder]);
    remotes = {
      disk,
      sshFolder,
      ssh: `ssh://${server?.user ?? ''}@127.0.0.1:${String(server?.port ?? 0)}${sshFolder}`,
    };
  });
  after(async () => {
    await registries.stop();
    await world.remove();
    rmSync(remotes.disk, { recursive: true, force: true });
  });
  beforeEach(() => registries.forget());

  const configure = (...goals: readonly (readonly string[])[]) =>
    world.configure([
      `pipeline = ${goals.map((_, index) => `g${String(index + 1)}`).join(', ')}`,
      ...goals.flatMap((lines, index) => [`[goal g${String(index + 1)}]`, ...lines]),
    ]);
  const deploy = async (...args: readonly string[]): Promise<CliResult> => {
    const result = await world.run(['--json', 'deploy', ...args, 'production'], {
      env: { THE_TOKEN: TOKEN },
    });
    assert.ok(!`${result.stdout}${result.stderr}`.includes(TOKEN), 'the token is shown nowhere');
    return result;
  };
  const states = (result: CliResult): string[] =>
    result.events.flatMap((event) =>
      event['event'] === 'step' && /^g\d$/.test(String(event['step'])) && event['state'] !== 'running'
        ? [`${String(event['step'])} ${String(event['state'])}`]
        : [],
    );
  const messageOf = (result: CliResult): string =>
    String((finishedOf(result)['error'] as Record<string, unknown> | null)?.['message']);
  /** Dry run, run, run again. */
  const thrice = async (): Promise<void> => {
    const dry = await deploy('-n');
    assert.equal(dry.status, 0, dry.stdout);
    assert.ok(
      states(dry).every((state) => state.endsWith('pending')),
      states(dry).join(),
    );
    const first = await deploy();
    assert.equal(first.status, 0, first.stdout);
    assert.ok(
      states(first).every((state) => state.endsWith('done')),
      states(first).join(),
    );
    const second = await deploy();
    assert.equal(second.status, 0, second.stdout);
    assert.ok(
      states(second).every((state) => state.endsWith('already')),
      states(second).join(),
    );
  };
  const commit = () => world.repository.git('rev-parse', 'HEAD');

  describe('command', () => {
    it('is what its commands say', async () => {
      configure([
        'type = command',
        'working_dir = .',
        'assess = test -d .',
        'achieved = test -f flag',
        'achieve =',
        '    echo one',
        '    touch flag',
        'reason = echo no flag yet',
      ]);
      const dry = await deploy('-n');
      assert.ok(dry.events.some((event) => event['reason'] === 'no flag yet'));
      assert.equal(existsSync(join(world.project, 'flag')), false);
      await thrice();
    });

    it('that is not effectful is not looked at again', async () => {
      configure(['type = command', 'achieved = false', 'achieve = true', 'effectful = no']);
      const result = await deploy();
      assert.equal(result.status, 0, result.stdout);
      assert.ok(result.events.some((event) => event['step'] === 'g1' && event['reason'] === 'passed'));
    });
  });

  describe('file_exists', () => {
    it('writes what is missing or differs, and says of a folder that it is one', async () => {
      const lines = (filename: string) => [
        'type = file_exists',
        'working_dir = .',
        `filename = ${filename}`,
        'contents = 1.4.0',
      ];
      configure(lines('deep/VERSION'));
      await thrice();
      assert.equal(readFileSync(join(world.project, 'deep/VERSION'), 'utf8'), '1.4.0');
      writeFileSync(join(world.project, 'deep/VERSION'), 'other');
      assert.deepEqual(states(await deploy()), ['g1 done']);
      configure(lines('deep'));
      const refused = await deploy();
      assert.equal(refused.status, 1);
      assert.match(messageOf(refused), /deep is a folder/);
    });
  });

  describe('git_tag_exists and git_ref_pushed', () => {
    it('tag the commit and push the tag to where the clone comes from', async () => {
      configure(
        ['type = git_tag_exists', 'name = v1.4.0', 'message = -m "quoted" #1', 'annotated = yes'],
        ['type = git_ref_pushed', 'ref = v1.4.0'],
      );
      await thrice();
      assert.equal(world.repository.git('rev-parse', 'v1.4.0^{commit}'), commit());
      assert.equal(world.repository.git('cat-file', '-t', 'v1.4.0'), 'tag');
      assert.equal(
        world.repository.git('tag', '-l', '--format=%(contents)', 'v1.4.0').trim(),
        '-m "quoted" #1',
      );
    });

    it('never move a tag', async () => {
      world.repository.commit({ message: 'Second', files: { 'index.html': 'version 2\n' } });
      configure(['type = git_tag_exists', 'name = v1.4.0']);
      const result = await deploy();
      assert.equal(result.status, 1);
      assert.match(messageOf(result), /v1\.4\.0 points at [0-9a-f]{7}, not at [0-9a-f]{7}/);
    });

    for (const kind of ['disk', 'ssh'] as const)
      it(`push a branch and a tag of a folder of one's own to a remote on ${kind}`, async () => {
        const mine = join(world.project, `mine-${kind}`);
        execFileSync('git', ['clone', '-q', world.repository.directory, mine]);
        execFileSync('git', ['-C', mine, 'remote', 'add', 'backup', remotes[kind]]);
        const where = [`working_dir = mine-${kind}`, 'remote = backup'];
        configure(
          ['type = git_ref_pushed', 'ref = main', ...where],
          ['type = git_tag_exists', `name = ${kind}-1`, `working_dir = mine-${kind}`],
          ['type = git_ref_pushed', `ref = ${kind}-1`, ...where],
        );
        await thrice();
        const bare = kind === 'disk' ? remotes.disk : remotes.sshFolder;
        const has = (name: string) =>
          execFileSync('git', ['-C', bare, 'rev-parse', name], { encoding: 'utf8' }).trim();
        assert.equal(has('refs/heads/main'), commit());
        assert.equal(has(`refs/tags/${kind}-1`), commit());
        // What the remote has beyond is never overwritten.
        execFileSync('git', ['-C', mine, 'reset', '-q', '--hard', 'HEAD~1']);
        execFileSync('git', [
          '-C',
          mine,
          '-c',
          'user.name=A',
          '-c',
          'user.email=a@b',
          'commit',
          '-q',
          '--allow-empty',
          '-m',
          'x',
        ]);
        const refused = await deploy();
        assert.equal(refused.status, 1);
        assert.match(messageOf(refused), /main cannot be pushed to backup/);
        assert.equal(has('refs/heads/main'), commit());
      });

    it("use the project's own remote and its git configuration where it deploys itself", async () => {
      const bare = mkdtempSync(join(tmpdir(), 'durant-origin-'));
      const project = mkdtempSync(join(tmpdir(), 'durant-self-'));
      const own = makeRepository([{ message: 'First', files }], project);
      try {
        execFileSync('git', ['init', '-q', '--bare', bare]);
        writeFileSync(
          join(project, 'durant.conf'),
          [
            '[production]',
            'repository = .',
            `server = ${world.servers[0]?.entry ?? ''}`,
            'project_dir = ~/self',
            'pipeline = deploy, tagged, pushed, shared',
            '[goal tagged]',
            'type = git_tag_exists',
            'name = v2',
            'signed = yes',
            '[goal pushed]',
            'type = git_ref_pushed',
            'ref = v2',
            '[goal shared]',
            'type = git_ref_pushed',
            'ref = main',
            '',
          ].join('\n'),
        );
        const run = (...args: string[]) => world.run(['--json', ...args, 'production'], { cwd: project });
        const live = join(world.servers[0]?.home ?? '', 'self/current');

        const nowhere = await run('deploy');
        assert.equal(nowhere.status, 1, nowhere.stdout);
        assert.match(messageOf(nowhere), /could not be signed|has no remote "origin"/);
        own.git('config', 'gpg.format', 'ssh');
        own.git('config', 'user.signingKey', join(project, 'nobody.pub'));
        own.git('remote', 'add', 'origin', bare);
        const unsigned = await run('deploy');
        assert.equal(unsigned.status, 1, unsigned.stdout);
        assert.match(messageOf(unsigned), /v2 could not be signed.*nobody\.pub.*user\.signingKey/s);
        assert.equal(existsSync(live), false, 'before anything is deployed');

        const key = world.servers[0]?.clientKey ?? '';
        own.git('config', 'user.signingKey', key);
        const result = await run('deploy');
        assert.equal(result.status, 0, result.stdout);
        const has = (...args: string[]) => execFileSync('git', ['-C', bare, ...args], { encoding: 'utf8' });
        assert.match(has('cat-file', 'tag', 'v2'), /tagger Ada [^]*-----BEGIN SSH SIGNATURE-----/);
        assert.equal(has('rev-parse', 'main').trim(), own.git('rev-parse', 'HEAD'));
        const again = await run('deploy');
        assert.deepEqual(
          again.events.flatMap(({ event, step, state }) =>
            event === 'step' && ['tagged', 'pushed', 'shared'].includes(String(step)) && state !== 'running'
              ? [state]
              : [],
          ),
          ['already', 'already', 'already'],
        );
      } finally {
        for (const folder of [bare, project]) rmSync(folder, { recursive: true, force: true });
      }
    });

    it('say what is wrong with the folder or the remote before anything is changed', async () => {
      mkdirSync(join(world.project, 'plain'), { recursive: true });
      for (const [lines, says] of [
        [['type = git_tag_exists', 'name = v9', 'working_dir = plain'], /not in a git repository/],
        [['type = git_tag_exists', 'name = v9', 'working_dir = nowhere'], /nowhere is not a folder/],
        [['type = git_tag_exists', 'name = a..b'], /not a name that git takes/],
        [['type = git_ref_pushed', 'ref = main', 'remote = nobody'], /no remote "nobody"/],
      ] as const) {
        configure(['type = file_exists', 'working_dir = .', 'filename = never'], lines);
        const result = await deploy();
        assert.equal(result.status, 1, result.stdout);
        assert.match(messageOf(result), says);
        assert.equal(existsSync(join(world.project, 'never')), false);
      }
    });
  });

  describe('github_release_exists', () => {
    const release = (...more: readonly string[]) => [
      'type = github_release_exists',
      'repository = example/shop',
      'tag = v1.4.0',
      `api_url = ${registries.url}/github`,
      'retry_delay = 1',
      ...more,
    ];
    const full = () =>
      release(
        'token = env!THE_TOKEN',
        'name = Version 1.4.0',
        'notes_file = notes.md',
        'assets = dist/shop.tar.gz',
      );

    it('makes the release with its text and files, published last', async () => {
      configure(full());
      await thrice();
      const [made] = registries.releases;
      assert.equal(registries.releases.length, 1);
      assert.equal(made?.draft, false);
      assert.equal(made?.name, 'Version 1.4.0');
      assert.equal(made?.target_commitish, commit());
      assert.match(made?.body ?? '', /Better/);
      assert.deepEqual(
        made?.assets.map(({ name, content }) => [name, content]),
        [['shop.tar.gz', 'an archive\n']],
      );
    });

    it('puts right what differs, and needs no token where nothing does', async () => {
      const [made] = registries.releases;
      assert.ok(made !== undefined);
      made.name = 'Another';
      made.assets = [{ id: 99, name: 'shop.tar.gz', size: 3, state: 'starter', content: 'an ' }];
      configure(full());
      assert.deepEqual(states(await deploy()), ['g1 done']);
      assert.equal(made.name, 'Version 1.4.0');
      assert.equal(made.assets[0]?.content, 'an archive\n');
      configure(release('name = Version 1.4.0'));
      assert.deepEqual(states(await deploy()), ['g1 already']);
    });

    it('makes a draft, finds it again, and lets it be published by hand', async () => {
      const draft = ['tag = v2', 'draft = yes', 'token = env!THE_TOKEN'];
      const lines = release(...draft).filter((line) => line !== 'tag = v1.4.0');
      configure(lines);
      await thrice();
      const made = registries.releases.find(({ tag_name }) => tag_name === 'v2');
      assert.equal(made?.draft, true);
      if (made !== undefined) made.draft = false;
      assert.deepEqual(states(await deploy()), ['g1 already']);
    });

    const other = (...more: readonly string[]) =>
      release(...more).map((line) => (line === 'tag = v1.4.0' ? 'tag = v3' : line));

    it('ends the run first where the token is missing, refused, or may not write', async () => {
      for (const [lines, says] of [
        [other(), /no token/],
        [other('token = env!WRONG'), /answered 401 \(Bad credentials\).*[Tt]oken/s],
        [
          other('token = env!THE_TOKEN').map((line) => line.replace('example/shop', 'example/none')),
          /no repository example\/none/,
        ],
      ] as const) {
        configure(['type = file_exists', 'working_dir = .', 'filename = never'], lines);
        const result = await world.run(['--json', 'deploy', 'production'], {
          env: { THE_TOKEN: TOKEN, WRONG: 'ghp_wrong' },
        });
        assert.equal(result.status, 1, result.stdout);
        assert.match(messageOf(result), says);
        assert.ok(!result.stdout.includes('ghp_wrong'));
        assert.equal(existsSync(join(world.project, 'never')), false);
      }
    });

    it('is tried again after 500 and 429, and not after 422', async () => {
      configure(other('token = env!THE_TOKEN', 'retries = 2'));
      registries.fail(500, 1, /^POST/);
      registries.fail(429, 1, /^GET .*tags/);
      const result = await deploy();
      assert.equal(result.status, 0, result.stdout);
      assert.deepEqual(states(result), ['g1 done']);
      assert.equal(registries.requests.filter((line) => /^POST/.test(line)).length, 2);

      registries.releases.length = 0;
      registries.forget();
      registries.fail(422, 5, /^POST/);
      const refused = await deploy();
      assert.equal(refused.status, 1);
      assert.match(messageOf(refused), /422 \(told to fail\)/);
      assert.equal(registries.requests.filter((line) => /^POST/.test(line)).length, 1);
    });

    it('does not wait longer than its timeout for an answer', async () => {
      configure(other('token = env!THE_TOKEN', 'timeout = 1'));
      registries.hang(/tags/);
      const result = await deploy();
      assert.equal(result.status, 1);
      assert.match(messageOf(result), /longer than 1 s/);
    });

    it('is cancelled while it waits for an answer', async () => {
      configure(other('token = env!THE_TOKEN'));
      registries.hang(/^POST/);
      const started = world.start(['--json', 'deploy', 'production'], { env: { THE_TOKEN: TOKEN } });
      await started.waitForEvent((event) => event['step'] === 'g1' && event['state'] === 'running');
      started.interrupt();
      assert.equal((await started.result).status, 130);
    });
  });

  describe('gem_built and gem_pushed', () => {
    const gem = ['name = shop', 'version = 1.4.0'];
    const pushed = (...more: readonly string[]) => [
      'type = gem_pushed',
      ...gem,
      `base_url = ${registries.url}/gems`,
      'retry_delay = 1',
      ...more,
    ];

    it('build the gem and push it', async function () {
      if (!hasRuby()) return this.skip();
      configure(['type = gem_built', ...gem], pushed('authorization = env!THE_TOKEN', 'retries = 1'));
      registries.fail(503, 1, /^POST/);
      await thrice();
      const bytes = registries.gems.get('shop 1.4.0');
      assert.match(bytes?.subarray(0, 200).toString('latin1') ?? '', /metadata\.gz|data\.tar\.gz|checksums/);
    });

    it('say what is missing: gemspec, version, gem file, key', async function () {
      if (!hasRuby()) return this.skip();
      for (const [lines, says] of [
        [['type = gem_built', 'name = other', 'version = 1'], /no other\.gemspec/],
        [['type = gem_built', 'name = shop', 'version = 9'], /did not make shop-9\.gem/],
        [pushed('authorization = env!THE_TOKEN').map((line) => line.replace('1.4.0', '9')), /no shop-9\.gem/],
        [pushed().map((line) => line.replace('1.4.0', '9')), /no API key/],
        [pushed('authorization = wrong-key-123').map((line) => line.replace('1.4.0', '9')), /401/],
      ] as const) {
        configure(lines);
        const result = await deploy();
        assert.equal(result.status, 1, result.stdout);
        assert.match(messageOf(result), says);
        assert.ok(!result.stdout.includes('wrong-key-123'));
      }
    });
  });

  describe('npm_published', () => {
    const published = (...more: readonly string[]) => [
      'type = npm_published',
      `registry = ${registries.url}/npm/`,
      'retry_delay = 1',
      ...more,
    ];

    it('publishes the package with real npm', async () => {
      configure(published('token = env!THE_TOKEN', 'retries = 1'));
      registries.fail(500, 1, /^PUT/);
      await thrice();
      assert.deepEqual([...(registries.packages.get('@example/shop') ?? [])], ['1.4.0']);
      assert.deepEqual(
        readdirSync(tmpdir()).filter((name) => name.startsWith('durant-npm-')),
        [],
      );
    });

    it('ends the run first where there is no token, or it is refused', async () => {
      registries.packages.clear();
      configure(published());
      assert.match(messageOf(await deploy()), /no token for/);
      configure(published('token = npm_wrong_token'));
      const refused = await deploy();
      assert.match(messageOf(refused), /401/);
      assert.ok(!refused.stdout.includes('npm_wrong_token'));
      assert.equal(registries.packages.size, 0);
    });
  });

  describe('http_ok', () => {
    const cases: readonly (readonly [lines: readonly string[], status: number, says: RegExp])[] = [
      [['url = /site'], 0, /^/],
      [['url = /moved'], 0, /^/],
      [['url = /moved', 'status = 302'], 0, /^/],
      [['url = /site', 'contains = version 2'], 0, /^/],
      [['url = /site', 'contains = version 3'], 1, /does not contain "version 3"/],
      [['url = /site', 'status = 204'], 1, /answers 200, not 204/],
      [['url = /nothing'], 1, /answers 404/],
    ];
    for (const [lines, status, says] of cases)
      it(`${lines.join(', ')}: ${status === 0 ? 'is achieved' : 'fails'}`, async () => {
        configure([
          'type = http_ok',
          ...lines.map((line) => line.replace('url = ', `url = ${registries.url}`)),
        ]);
        const result = await deploy();
        assert.equal(result.status, status, result.stdout);
        assert.deepEqual(states(result), [status === 0 ? 'g1 already' : 'g1 failed']);
        if (status !== 0) assert.match(messageOf(result), says);
      });

    it('is asked again while the answer may pass', async () => {
      configure(['type = http_ok', `url = ${registries.url}/site`, 'retries = 3', 'retry_delay = 1']);
      registries.fail(503, 3);
      const result = await deploy();
      assert.equal(result.status, 0, result.stdout);
      assert.deepEqual(states(result), ['g1 done']);
    });

    it('is asked again while what is served is the version before', async () => {
      configure([
        'type = http_ok',
        `url = ${registries.url}/site`,
        'contains = version 3',
        'retries = 3',
        'retry_delay = 1',
      ]);
      registries.serveLater('version 3', 3);
      const result = await deploy();
      assert.equal(result.status, 0, result.stdout);
      assert.deepEqual(states(result), ['g1 done']);
    });

    it('says that nothing listens', async () => {
      const gone = await startRegistries();
      await gone.stop();
      configure(['type = http_ok', `url = ${gone.url}/`, 'retries = 1', 'retry_delay = 1']);
      const result = await deploy();
      assert.equal(result.status, 1);
      assert.match(messageOf(result), /did not answer: .*ECONNREFUSED/);
      assert.ok(result.events.some((event) => event['code'] === 'goal-retried'));
    });
  });

  describe('a module of the project', () => {
    const module = (text: string) => {
      writeFileSync(join(world.project, 'goal.mjs'), text);
      configure(['type = ./goal.mjs', 'file = flag2', 'working_dir = .', 'token = env!THE_TOKEN']);
    };
    const body = `
      async achieved({ directory, options }) { return existsSync(join(directory, options.file)); },
      async achieve({ directory, options, output, commit }) {
        output(\`writing with \${options.token}\`);
        writeFileSync(join(directory, options.file), commit);
      },
      async reason({ options }) { return options.file + ' is missing'; },`;
    const imports = `import { existsSync, writeFileSync } from 'node:fs'; import { join } from 'node:path';\n`;
    const shapes: readonly (readonly [what: string, text: string])[] = [
      ['an object', `${imports}export default { ${body} };`],
      ['a function', `${imports}export default (options) => ({ ${body} });`],
      [
        'a class',
        `${imports}export default class { constructor(options) { this.options = options; } ${body.replaceAll('},', '}')} }`,
      ],
      [
        'named exports',
        `${imports}${body.replaceAll('async ', 'export async function ').replaceAll('},', '}')}`,
      ],
    ];
    for (const [what, text] of shapes)
      it(`is ${what}`, async () => {
        rmSync(join(world.project, 'flag2'), { force: true });
        module(text);
        assert.ok((await deploy('-n')).events.some((event) => event['reason'] === 'flag2 is missing'));
        await thrice();
        assert.equal(readFileSync(join(world.project, 'flag2'), 'utf8'), commit());
      });

    it('may refuse in its assessment, ask for another try, and pass without effect', async () => {
      const goal = (inner: string) =>
        module(`let tries = 0; export const achieved = () => false; export const reason = () => 'never';
          export const effectful = false; ${inner}`);
      goal(
        `export const assess = () => { throw new Error('no key here'); }; export const achieve = () => {};`,
      );
      assert.match(messageOf(await deploy()), /g1 cannot be reached: no key here/);
      goal(
        `export const achieve = () => { if (tries++ === 0) throw Object.assign(new Error('busy'), { mayPass: true }); };`,
      );
      assert.equal((await deploy()).status, 1);
      world.configure(['pipeline = g1', '[goal g1]', 'type = ./goal.mjs', 'retries = 1', 'retry_delay = 1']);
      assert.equal((await deploy()).status, 0);
    });

    it('says what is wrong with it', async () => {
      module('export const nothing = 1;');
      assert.match(messageOf(await deploy()), /is not a goal/);
      module('this is no module');
      assert.match(messageOf(await deploy()), /could not be loaded/);
      configure(['type = ./missing.mjs']);
      assert.match(messageOf(await deploy()), /no module \.\/missing\.mjs/);
    });
  });
});

function hasRuby(): boolean {
  try {
    execFileSync('gem', ['--version']);
    return true;
  } catch {
    return false;
  }
}
