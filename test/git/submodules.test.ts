/** Submodules: at their commits, clean, listed with the rest; and the protocols that they may use. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesThatMerge } from '../../src/git/submodules.ts';
import type { Repository } from '../support/repo.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

describe('git: submodules', () => {
  let area: GitArea;
  let inner: Repository;
  let library: Repository;
  let shop: Repository;
  const allow = ['-c', 'protocol.file.allow=always'] as const;

  beforeEach(() => {
    area = openGitArea();
    inner = area.remote('inner', [{ message: 'inner', files: { deep: 'deep' } }]);
    library = area.remote('library', [
      { message: 'one', files: { lib: 'one', run: { content: 'x', executable: true } } },
    ]);
    library.git(...allow, 'submodule', '--quiet', 'add', '../inner', 'vendor/inner');
    library.git('commit', '-q', '-m', 'with inner');
    shop = area.remote('shop', [{ message: 'shop', files: { a: 'a' } }]);
    shop.git(...allow, 'submodule', '--quiet', 'add', '../library', 'lib with space');
    shop.git('commit', '-q', '-m', 'with library');
  });
  afterEach(async () => await area.remove());

  const checkedOut = async (options: { readonly submodules: boolean; readonly remote?: string }) => {
    const clone = await area.open({ repository: shop.directory, remote: options.remote ?? 'origin' });
    try {
      await clone.checkout(await clone.fetch('main'), options);
      const files = await clone.trackedFiles();
      return { directory: clone.directory, paths: files.map((file) => `${file.mode} ${file.path}`).sort() };
    } finally {
      await clone.release();
    }
  };

  const all = [
    '100644 .gitmodules',
    '100644 a',
    '100644 lib with space/.gitmodules',
    '100644 lib with space/lib',
    '100644 lib with space/vendor/inner/deep',
    '100755 lib with space/run',
  ];

  for (const remote of ['origin', 'upstream'])
    it(`checks them out recursively and lists their files (remote ${remote}, relative URLs)`, async () => {
      const { directory, paths } = await checkedOut({ submodules: true, remote });
      assert.deepEqual(paths, all);
      assert.equal(readFileSync(join(directory, 'lib with space/vendor/inner/deep'), 'utf8'), 'deep');
    });

  it('cleans them as it cleans the tree', async () => {
    const { directory } = await checkedOut({ submodules: true });
    const at = (path: string) => join(directory, 'lib with space', path);
    writeFileSync(at('junk'), '');
    writeFileSync(at('lib'), 'changed');
    rmSync(at('run'));
    writeFileSync(at('vendor/inner/junk'), '');
    mkdirSync(at('vendor/inner/nested/.git'), { recursive: true });
    rmSync(at('vendor/inner/deep'));
    writeFileSync(join(directory, '.git/modules/lib with space/index.lock'), '');
    assert.deepEqual((await checkedOut({ submodules: true })).paths, all);
    assert.equal(readFileSync(at('lib'), 'utf8'), 'one');
    assert.deepEqual(readdirSync(at('')).sort(), ['.git', '.gitmodules', 'lib', 'run', 'vendor']);
    assert.deepEqual(readdirSync(at('vendor/inner')).sort(), ['.git', 'deep']);
  });

  it('follows a new commit, a new URL, and a submodule that went', async () => {
    const { directory } = await checkedOut({ submodules: true });
    const moved = area.remote('moved', [{ message: 'moved', files: { lib: 'moved' } }]);
    shop.git('config', '-f', '.gitmodules', 'submodule.lib with space.url', '../moved');
    shop.git('submodule', '--quiet', 'sync');
    execFileSync('git', [...allow, 'fetch', '-q', moved.directory, 'main'], {
      cwd: join(shop.directory, 'lib with space'),
    });
    execFileSync('git', ['checkout', '-q', 'FETCH_HEAD'], { cwd: join(shop.directory, 'lib with space') });
    shop.git('commit', '-q', '-a', '-m', 'moved');
    assert.deepEqual((await checkedOut({ submodules: true })).paths.slice(2), ['100644 lib with space/lib']);
    assert.equal(readFileSync(join(directory, 'lib with space/lib'), 'utf8'), 'moved');
    shop.git('rm', '-q', '-f', 'lib with space');
    shop.git('commit', '-q', '-m', 'gone');
    assert.deepEqual((await checkedOut({ submodules: true })).paths, ['100644 .gitmodules', '100644 a']);
    assert.equal(existsSync(join(directory, 'lib with space')), false);
  });

  it('leaves their folders empty where they are not wanted, also after they were', async () => {
    const { directory } = await checkedOut({ submodules: true });
    const { paths } = await checkedOut({ submodules: false });
    assert.deepEqual(paths, ['100644 .gitmodules', '100644 a']);
    assert.deepEqual(readdirSync(join(directory, 'lib with space')), []);
    assert.deepEqual((await checkedOut({ submodules: true })).paths, all);
  });

  it('needs no remote for commits that it has', async () => {
    await checkedOut({ submodules: true });
    rmSync(library.directory, { recursive: true });
    rmSync(inner.directory, { recursive: true });
    assert.deepEqual((await checkedOut({ submodules: true })).paths, all);
  });

  it('repairs a copy that is damaged', async () => {
    const { directory } = await checkedOut({ submodules: true });
    rmSync(join(directory, '.git/modules/lib with space/objects'), { recursive: true });
    assert.deepEqual((await checkedOut({ submodules: true })).paths, all);
  });

  it('checks out exactly where .gitmodules asks for a merge', async () => {
    shop.git('config', '-f', '.gitmodules', 'submodule.lib with space.update', 'merge');
    shop.git('commit', '-q', '-a', '-m', 'merge');
    const { directory } = await checkedOut({ submodules: true });
    const folder = join(shop.directory, 'lib with space');
    execFileSync('git', ['checkout', '-q', 'HEAD~1'], { cwd: folder });
    shop.git('commit', '-q', '-a', '-m', 'back');
    assert.ok(
      !(await checkedOut({ submodules: true })).paths.includes('100644 lib with space/vendor/inner/deep'),
    );
    const head = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: join(directory, 'lib with space'),
      env: testEnvironment(),
    });
    assert.equal(String(head), String(execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder })));
    assert.deepEqual(
      namesThatMerge(
        '[submodule "a\\"b"]\n\tupdate = rebase\n[submodule "c"]\n\tpath = c\n[submodule "d"]\nupdate=none\n',
      ),
      ['a"b'],
    );
  });

  it('says which submodule cannot be had, and that it can be turned off', async () => {
    rmSync(library.directory, { recursive: true });
    await assert.rejects(checkedOut({ submodules: true }), {
      code: 'checkout-failed',
      message: /library.*does not.*submodules = no/,
    });
    assert.equal((await checkedOut({ submodules: false })).paths.length, 2);
  });

  it('allows paths of this machine only to a repository that is one, and commands to none', async () => {
    const ran = join(area.root, 'ran');
    shop.git('config', '-f', '.gitmodules', 'submodule.lib with space.url', `ext::sh -c "touch ${ran}"`);
    shop.git('commit', '-q', '-a', '-m', 'evil');
    await assert.rejects(checkedOut({ submodules: true }), {
      code: 'checkout-failed',
      message: /not allowed/,
    });
    assert.equal(existsSync(ran), false);
    // A repository over ssh (a command that runs upload-pack here) whose submodule is a path of this machine.
    shop.git('config', '-f', '.gitmodules', 'submodule.lib with space.url', library.directory);
    shop.git('commit', '-q', '-a', '-m', 'path');
    const config = join(area.root, 'gitconfig');
    writeFileSync(config, '[protocol "file"]\n\tallow = always\n');
    const env = {
      ...testEnvironment(),
      GIT_CONFIG_GLOBAL: config,
      GIT_SSH_COMMAND: `sh -c 'while [ "$1" != there ]; do shift; done; shift; exec sh -c "$*"' ssh`,
      GIT_SSH_VARIANT: 'simple',
    };
    const clone = await area.open({ repository: `there:${shop.directory}`, env });
    const commit = await clone.fetch('main');
    await assert.rejects(clone.checkout(commit, { submodules: true }), {
      code: 'checkout-failed',
      message: /transport 'file' not allowed/,
    });
    await clone.checkout(commit, { submodules: false });
  });
});
