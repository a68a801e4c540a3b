/** What lies in the work tree after a checkout: exactly the commit, whatever was there, whoever was killed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HASHES_FILE } from '../../src/git/gitFolder.ts';
import { awkwardFiles } from '../support/repo.ts';
import { assertSameTree } from '../support/tree.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

const gitIn = (directory: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: directory, encoding: 'utf8', env: testEnvironment() }).trim();

describe('git: checkout', () => {
  let area: GitArea;
  beforeEach(() => {
    area = openGitArea();
  });
  afterEach(async () => await area.remove());

  it('lays out every kind of name and file, and lists them byte for byte', async () => {
    const remote = area.remote('shop', [{ message: 'awkward', files: awkwardFiles }]);
    const clone = await area.open({ repository: remote.directory });
    const commit = await clone.fetch('main');
    await clone.checkout(commit, { submodules: true });
    assertSameTree(clone.directory, remote.directory, { without: ['.git'] });
    const files = await clone.trackedFiles();
    assert.deepEqual(files.map((file) => file.path).sort(), Object.keys(awkwardFiles).sort());
    const modeOf = (path: string) => files.find((file) => file.path === path)?.mode;
    assert.equal(modeOf('bin/run'), '100755');
    assert.equal(modeOf('plain.txt'), '100644');
    assert.equal(modeOf('link-broken'), '120000');
    assert.equal(
      files.find((file) => file.path === 'empty')?.blob,
      gitIn(remote.directory, 'rev-parse', 'HEAD:empty'),
    );
  });

  it('brings back what was changed and removes what does not belong', async () => {
    const remote = area.remote('shop', [
      {
        message: 'one',
        files: {
          '.gitignore': 'ignored\n',
          'src/a': 'a',
          'src/b': 'b',
          run: { content: 'run', executable: true },
          link: { link: 'src' },
          'folder/file': 'file',
        },
      },
    ]);
    const { directory } = await area.deployed({ repository: remote.directory });
    const at = (...parts: readonly string[]) => join(directory, ...parts);
    writeFileSync(at('src/a'), 'X');
    rmSync(at('src/b'));
    chmodSync(at('run'), 0o644);
    rmSync(at('link'));
    mkdirSync(at('link'));
    writeFileSync(at('link/inside'), '');
    rmSync(at('folder'), { recursive: true });
    symlinkSync(area.project, at('folder'));
    writeFileSync(join(area.project, 'file'), 'of the user');
    writeFileSync(at('ignored'), '');
    writeFileSync(at('new\nline'), '');
    mkdirSync(at('vendor/lib'), { recursive: true });
    gitIn(at('vendor/lib'), 'init', '-q');
    gitIn(
      at('vendor/lib'),
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@y',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
    gitIn(directory, 'update-index', '--assume-unchanged', 'src/a');
    gitIn(directory, 'update-index', '--skip-worktree', 'src/b');
    gitIn(directory, 'config', 'core.sparseCheckout', 'true');
    mkdirSync(at('.git/info'), { recursive: true });
    writeFileSync(at('.git/info/sparse-checkout'), '/nothing\n');
    writeFileSync(at('.git/info/attributes'), '* eol=crlf text\n');
    writeFileSync(at('.git/index.lock'), '');
    await area.deployed({ repository: remote.directory });
    assertSameTree(directory, remote.directory, { without: ['.git'] });
    assert.equal(readFileSync(join(area.project, 'file'), 'utf8'), 'of the user');
    assert.equal(gitIn(directory, 'status', '--porcelain', '--ignored'), '');
  });

  it('goes between commits where files become folders, links and back', async () => {
    const remote = area.remote('shop', []);
    const shapes = [
      { a: 'file', b: { link: 'a' }, 'c/d': 'deep' },
      { a: null, 'a/x': 'in folder', b: null, 'b/y': 'y', 'c/d': null, c: { link: 'b' } },
      { 'a/x': null, a: { link: 'c' }, 'b/y': null, b: 'file', c: null, 'c/d/e': 'deeper' },
    ] as const;
    const ids = shapes.map((files) => remote.commit({ message: 'shape', files })[0] ?? '');
    for (const id of [...ids, ...ids.toReversed(), ids[2], ids[0]]) {
      const { directory } = await area.deployed({ repository: remote.directory }, id);
      remote.git('checkout', '-q', '-f', String(id));
      remote.git('clean', '-ffdxq');
      assertSameTree(directory, remote.directory, { without: ['.git'] });
    }
  });

  it('is the same whatever the user has configured: no eol changes, no hooks, no monitor, no export-ignore', async () => {
    const remote = area.remote('shop', [
      {
        message: 'eol',
        files: { a: 'one\ntwo\n', b: 'one\r\ntwo\r\n', '.gitattributes': 'a export-ignore\n', Makefile: 'x' },
      },
    ]);
    const ran = join(area.root, 'ran');
    const hook = `#!/bin/sh\necho "$0" >>'${ran}'\n`;
    const hooks = join(area.root, 'hooks');
    mkdirSync(hooks);
    for (const name of [
      'post-checkout',
      'post-index-change',
      'reference-transaction',
      'post-merge',
      'pre-auto-gc',
      'monitor',
    ]) {
      writeFileSync(join(hooks, name), hook);
      chmodSync(join(hooks, name), 0o755);
    }
    writeFileSync(join(area.root, 'attributes'), '* text eol=crlf\n');
    const config = join(area.root, 'gitconfig');
    writeFileSync(
      config,
      `[core]\n\tautocrlf = true\n\teol = crlf\n\thooksPath = ${hooks}\n\tfsmonitor = ${hooks}/monitor\n\tattributesFile = ${area.root}/attributes\n[init]\n\ttemplateDir = ${area.root}\n[submodule]\n\trecurse = true\n[clean]\n\trequireForce = true\n`,
    );
    const env = { ...testEnvironment(), GIT_CONFIG_GLOBAL: config };
    const { directory } = await area.deployed({ repository: remote.directory, env });
    const again = await area.deployed({ repository: remote.directory, env });
    assert.equal(again.directory, directory);
    assertSameTree(directory, remote.directory, { without: ['.git'] });
    assert.equal(existsSync(ran), false);
  });

  it('leaves a clone that commands can use: detached, with the remote’s branches and all tags', async () => {
    const remote = area.remote('shop', [{ message: 'one', files: { a: 'a' }, tag: 'v1.0' }]);
    remote.git('tag', '-a', '-m', 'x', 'annotated');
    remote.git('branch', 'topic/x');
    const [id] = remote.commit({ message: 'two', files: { a: 'b' } });
    const { directory } = await area.deployed({ repository: remote.directory, remote: 'upstream' });
    assert.equal(gitIn(directory, 'rev-parse', 'HEAD'), id);
    assert.equal(gitIn(directory, 'rev-parse', '--abbrev-ref', 'HEAD'), 'HEAD');
    assert.equal(gitIn(directory, 'remote'), 'upstream');
    assert.equal(gitIn(directory, 'remote', 'get-url', 'upstream'), remote.directory);
    assert.match(gitIn(directory, 'describe', '--tags'), /^(v1\.0|annotated)-1-g/);
    assert.equal(
      gitIn(directory, 'branch', '-r', '--format=%(refname:short)'),
      'upstream/main\nupstream/topic/x',
    );
    gitIn(directory, 'fsck', '--strict');
    gitIn(directory, 'tag', 'made-by-a-command');
    await area.deployed({ repository: remote.directory, remote: 'upstream' });
    assert.equal(gitIn(directory, 'tag'), 'annotated\nv1.0');
  });

  it('keeps the hashes of the files that were sent, with the files that did not change', async () => {
    const remote = area.remote('shop', [{ message: 'one', files: { same: 'same', other: '1' } }]);
    const first = await area.deployed({ repository: remote.directory }, 'main');
    const hashes = join(first.directory, '.git', HASHES_FILE);
    writeFileSync(hashes, 'kept');
    const { ctimeMs } = lstatSync(join(first.directory, 'same'));
    remote.commit({ message: 'two', files: { other: '2' } });
    const second = await area.deployed({ repository: remote.directory }, 'main');
    assert.equal(readFileSync(join(second.directory, 'other'), 'utf8'), '2');
    assert.equal(readFileSync(hashes, 'utf8'), 'kept');
    assert.equal(lstatSync(join(second.directory, 'same')).ctimeMs, ctimeMs);
  });

  it('never mixes two stages that are at work at once with different branches', async () => {
    const remote = area.remote('shop', [
      { message: 'main', files: { only: 'main', shared: 'main', a: 'a' } },
      { message: 'next', branch: 'next', files: { only: null, shared: 'next', other: 'next' } },
    ]);
    const stages = [
      ['production', 'main', 'a,only,shared'],
      ['staging', 'next', 'a,other,shared'],
    ] as const;
    for (let round = 0; round < 3; round += 1) {
      const trees = await Promise.all(
        stages.map(
          async ([stage, branch]) => await area.deployed({ repository: remote.directory, stage }, branch),
        ),
      );
      for (const [index, [, branch, names]] of stages.entries()) {
        const directory = trees[index]?.directory ?? '';
        assert.equal(readFileSync(join(directory, 'shared'), 'utf8'), branch);
        assert.equal(
          readdirSync(directory)
            .filter((name) => name !== '.git')
            .join(),
          names,
        );
      }
      assert.notEqual(trees[0]?.directory, trees[1]?.directory);
    }
    assert.equal(readdirSync(join(area.cache, 'repositories')).length, 1);
  });

  it('never mixes two stages that share temp_dir', async () => {
    const remote = area.remote('shop', [
      { message: 'main', files: { a: 'main', m: 'm' } },
      { message: 'next', branch: 'next', files: { a: 'next', m: null, n: 'n' } },
    ]);
    const tempDir = join(area.root, 'temp');
    for (const [stage, branch, names] of [
      ['production', 'main', 'a,m'],
      ['staging', 'next', 'a,n'],
      ['production', 'main', 'a,m'],
    ] as const) {
      const { directory } = await area.deployed({ repository: remote.directory, stage, tempDir }, branch);
      assert.equal(directory, tempDir);
      writeFileSync(join(directory, 'build'), 'output');
      assert.equal(
        readdirSync(directory)
          .filter((name) => !['.git', 'build'].includes(name))
          .join(),
        names,
      );
    }
  });

  it('moves to another repository when the configuration does', async () => {
    const one = area.remote('one', [{ message: 'one', files: { a: '1', only: '1' } }]);
    const two = area.remote('two', [{ message: 'two', files: { a: '2' } }]);
    for (const remote of [one, two, one]) {
      const { directory } = await area.deployed({ repository: remote.directory });
      assertSameTree(directory, remote.directory, { without: ['.git'] });
    }
  });

  it('repairs a work tree and a cache that are damaged', async () => {
    const remote = area.remote('shop', [{ message: 'one', files: { a: 'a', 'b/c': 'c' } }]);
    const { directory, commit } = await area.deployed({ repository: remote.directory });
    const pack = () => {
      const folder = join(area.bare(), 'objects', 'pack');
      const name = readdirSync(folder).find((each) => each.endsWith('.pack'));
      return join(folder, name ?? '');
    };
    const damages: readonly (() => void)[] = [
      () => truncateSync(join(directory, '.git', 'index'), 10),
      () => writeFileSync(join(directory, '.git', 'HEAD'), ''),
      () => writeFileSync(join(directory, '.git', 'config'), '[['),
      () => rmSync(join(directory, '.git', 'objects'), { recursive: true }),
      () => rmSync(join(directory, 'b'), { recursive: true }),
      () => rmSync(area.cache, { recursive: true }),
      () => {
        chmodSync(pack(), 0o644);
        const bytes = readFileSync(pack());
        writeFileSync(pack(), bytes.fill(0, 12, bytes.length - 20));
        rmSync(join(directory, 'a'), { force: true });
        rmSync(join(directory, '.git', 'index'), { force: true });
      },
    ];
    for (const [index, damage] of damages.entries()) {
      damage();
      const again = await area.deployed({ repository: remote.directory }, commit.id);
      assertSameTree(again.directory, remote.directory, { without: ['.git'] });
      assert.equal(again.commit.id, commit.id, `damage ${index}`);
    }
  });

  it('makes a scratch tree elsewhere, and forgets one that was left', async () => {
    const remote = area.remote('shop', [
      { message: 'one', files: { a: '1' } },
      { message: 'two', files: { a: '2' } },
    ]);
    const clone = await area.open({ repository: remote.directory });
    const commit = await clone.fetch('main');
    await clone.checkout(commit, { submodules: true });
    writeFileSync(join(clone.directory, 'kept'), '');
    const scratch = await clone.scratch(commit, { submodules: true });
    assert.deepEqual(
      scratch.files.map((file) => file.path),
      ['a'],
    );
    assertSameTree(scratch.directory, remote.directory, { without: ['.git'] });
    assert.ok(existsSync(join(clone.directory, 'kept')));
    await scratch.remove();
    assert.equal(existsSync(scratch.directory), false);
    const left = await clone.scratch(commit, { submodules: true });
    await clone.release();
    await area.open({ repository: remote.directory });
    assert.equal(existsSync(left.directory), false);
  });

  it('refuses Git LFS pointers where git-lfs is not installed, unless they are wanted', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n';
    const remote = area.remote('shop', [
      {
        message: 'lfs',
        files: {
          '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
          'a.bin': pointer,
          'b.bin': pointer,
          c: pointer,
        },
      },
    ]);
    const config = join(area.root, 'gitconfig');
    writeFileSync(
      config,
      '[filter "lfs"]\n\trequired = true\n\tsmudge = git-lfs smudge -- %f\n\tprocess = git-lfs filter-process\n',
    );
    // A PATH with git and without git-lfs, whatever this machine has.
    const bin = join(area.root, 'bin');
    mkdirSync(bin);
    for (const tool of ['git', 'sh'])
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(),
        join(bin, tool),
      );
    const env = { ...testEnvironment(), PATH: bin, GIT_CONFIG_GLOBAL: config };
    await assert.rejects(area.deployed({ repository: remote.directory, env }), {
      code: 'lfs-missing',
      message: /^2 files are Git LFS pointers.*\(a\.bin, b\.bin\)\. Install git-lfs.*lfs: no/,
    });
    const { directory } = await area.deployed({ repository: remote.directory, env, lfs: false });
    assert.equal(readFileSync(join(directory, 'a.bin'), 'utf8'), pointer);
    assert.deepEqual(area.warnings, []);
  });

  it('keeps passwords out of files that others can read', async () => {
    const clone = await area.open({ repository: 'http://ada:s3cret@127.0.0.1:1/shop.git' });
    await assert.rejects(clone.fetch('main'), { code: 'repository-unreachable' });
    assert.equal(lstatSync(join(area.bare(), 'config')).mode & 0o077, 0);
    assert.doesNotMatch(area.bare(), /s3cret/);
  });
});
