/** What is fetched: branches, tags, ids, default branches, and what git is not allowed to do. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync, readFileSync, chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from '../support/repo.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

const file = (content: string) => ({ 'index.html': content });

describe('git: fetch', () => {
  let area: GitArea;
  let remote: Repository;
  let ids: readonly string[];

  beforeEach(() => {
    area = openGitArea();
    remote = area.remote('shop', []);
    ids = remote.commit(
      { message: 'one', files: file('one') },
      { message: 'two', files: file('two'), tag: 'v1' },
      { message: 'next', files: file('next'), branch: 'feature/next' },
      { message: 'three\n\nwith a body', files: file('three') },
    );
    remote.git('checkout', '-q', 'main');
    remote.git('tag', '-a', '-m', 'annotated', 'v2', String(ids[1]));
  });
  afterEach(async () => await area.remove());

  const fetched = async (ref: string | undefined) => {
    const clone = await area.open({ repository: remote.directory });
    try {
      return await clone.fetch(ref);
    } finally {
      await clone.release();
    }
  };

  it('goes back from any of them with ~ and ^', async () => {
    for (const ref of [
      'HEAD~1',
      'main^',
      'main~1',
      'refs/heads/main^',
      'v2',
      `${ids[3]}~1`,
      `${ids[3]?.slice(0, 8)}^`,
      'main~2~0^0',
    ])
      assert.equal((await fetched(ref)).id, ref.includes('~2') ? ids[0] : ids[1], ref);
    assert.equal((await fetched('HEAD')).id, ids[3]);
    assert.equal((await fetched('main^')).branch, 'main');
    await assert.rejects(fetched('main~9'), { code: 'branch-not-found', message: /history of main ends/ });
    await assert.rejects(fetched('nowhere~1'), { code: 'branch-not-found' });
  });

  it('takes the branch where a tag has its name, and says so', async () => {
    remote.git('tag', 'feature/next', String(ids[0]));
    assert.equal((await fetched('feature/next')).id, ids[2]);
    assert.deepEqual(area.warnings, [
      'ambiguous-ref: feature/next is a branch and a tag; the branch is meant. For the tag write refs/tags/feature/next.',
    ]);
    assert.equal((await fetched('refs/tags/feature/next')).id, ids[0]);
    assert.equal(area.warnings.length, 1);
  });

  it('resolves branches, tags, ids, and the default branch', async () => {
    const cases: readonly (readonly [
      ref: string | undefined,
      id: string | undefined,
      name: string | undefined,
    ])[] = [
      ['main', ids[3], 'main'],
      ['feature/next', ids[2], 'feature/next'],
      ['refs/heads/main', ids[3], 'main'],
      ['v1', ids[1], 'v1'],
      ['v2', ids[1], 'v2'],
      ['refs/tags/v2', ids[1], 'v2'],
      [ids[0], ids[0], ids[0]],
      [ids[0]?.toUpperCase(), ids[0], ids[0]],
      [ids[2]?.slice(0, 8), ids[2], ids[2]],
      [undefined, ids[3], 'main'],
    ];
    for (const [ref, id, name] of cases) {
      const commit = await fetched(ref);
      assert.deepEqual([commit.id, commit.branch], [id, name], `ref ${String(ref)}`);
    }
  });

  it('gives subject, author and the committer date in ms', async () => {
    const commit = await fetched('main');
    assert.equal(commit.subject, 'three');
    assert.equal(commit.author, 'Ada <ada@example.org>');
    assert.equal(commit.date, Number(remote.git('log', '-1', '--format=%ct')) * 1000);
  });

  it('prefers a branch to a tag and a tag to an id', async () => {
    const short = String(ids[0]).slice(0, 7);
    remote.git('tag', 'same', String(ids[0]));
    remote.git('branch', 'same', String(ids[1]));
    remote.git('tag', short, String(ids[2]));
    assert.equal((await fetched('same')).id, ids[1]);
    assert.equal((await fetched(short)).id, ids[2]);
    remote.git('branch', short, String(ids[3]));
    assert.equal((await fetched(short)).id, ids[3]);
  });

  it('takes a full id for the commit, whatever branch is named so', async () => {
    remote.git('update-ref', `refs/heads/${String(ids[0])}`, String(ids[3]));
    assert.equal((await fetched(ids[0])).id, ids[0]);
  });

  it('follows a default branch that is not main, and one that changes', async () => {
    remote.git('checkout', '-q', 'feature/next');
    assert.equal((await fetched(undefined)).branch, 'feature/next');
    remote.git('checkout', '-q', '-b', 'trunk', String(ids[1]));
    assert.deepEqual(await fetched(undefined).then(({ id, branch }) => [id, branch]), [ids[1], 'trunk']);
  });

  it('takes what a detached HEAD points at, though no branch has it', async () => {
    remote.git('checkout', '-q', '--detach', String(ids[0]));
    remote.git('commit', '-q', '--allow-empty', '-m', 'nowhere');
    const commit = await fetched(undefined);
    assert.deepEqual([commit.subject, commit.branch], ['nowhere', 'HEAD']);
  });

  it('follows a forced push, and drops branches that the remote has dropped', async () => {
    await fetched('main');
    remote.git('reset', '-q', '--hard', String(ids[0]));
    remote.git('branch', '-D', 'feature/next');
    remote.git('branch', 'feature');
    assert.equal((await fetched('main')).id, ids[0]);
    assert.equal((await fetched('feature')).id, ids[0]);
    await assert.rejects(fetched('feature/next'), { code: 'branch-not-found' });
  });

  it('follows a tag that was moved', async () => {
    await fetched('v1');
    remote.git('tag', '-f', 'v1', String(ids[0]));
    assert.equal((await fetched('v1')).id, ids[0]);
  });

  it('finds a commit by its full id that no branch or tag reaches', async () => {
    const [lost] = remote.commit({ message: 'lost', files: file('lost') });
    remote.git('reset', '-q', '--hard', String(ids[3]));
    assert.equal((await fetched(lost)).subject, 'lost');
  });

  it('needs no remote for a full id that it has', async () => {
    await fetched('main');
    rmSync(remote.directory, { recursive: true });
    assert.equal((await fetched(ids[0])).id, ids[0]);
    await assert.rejects(fetched('main'), { code: 'repository-unreachable' });
  });

  it('names what a missing branch may have meant', async () => {
    const cases: readonly (readonly [ref: string, says: RegExp])[] = [
      ['mian', /Did you mean main\?$/],
      ['origin/main', /Did you mean main\?$/],
      ['V1', /Did you mean v1\?$/],
      ['nothing-like-it', /branches are feature\/next, main:/],
      ['f'.repeat(40), /no branch, tag or commit/],
      ['fffff', /no branch, tag or commit/],
      ['-n', /no branch, tag or commit/],
      ['mian~1', /Did you mean main\?$/],
    ];
    for (const [ref, message] of cases)
      await assert.rejects(fetched(ref), { code: 'branch-not-found', message }, ref);
  });

  it('says that an abbreviated id is ambiguous', async () => {
    // Among enough commits two begin alike.
    const stream = Array.from(
      { length: 1500 },
      (_, index) => `commit refs/heads/many\ncommitter Ada <ada@example.org> ${index} +0000\ndata 0\n\n`,
    );
    execFileSync('git', ['fast-import', '--quiet'], { cwd: remote.directory, input: stream.join('') });
    const all = remote.git('rev-list', '--all').split('\n');
    const short = all.map((id) => id.slice(0, 4)).find((start, index, list) => list.indexOf(start) !== index);
    assert.ok(short, 'no two of 400 ids begin alike');
    await assert.rejects(fetched(short), {
      code: 'branch-not-found',
      message: /several commits.*more digits/,
    });
  });

  it('says so of a repository without commits, or whose HEAD names no branch', async () => {
    const empty = area.remote('empty', []);
    const clone = await area.open({ repository: empty.directory });
    await assert.rejects(clone.fetch(undefined), { code: 'branch-not-found', message: /no commits yet/ });
    await clone.release();
    remote.git('symbolic-ref', 'HEAD', 'refs/heads/gone');
    await assert.rejects(fetched(undefined), {
      code: 'branch-not-found',
      message: /Set `branch` to one of feature/,
    });
  });

  it('reads a relative path, a file URL and a bundle', async () => {
    remote.git('bundle', 'create', '-q', join(area.root, 'shop.bundle'), '--all', 'HEAD');
    for (const repository of ['../shop', `file://${remote.directory}`, '../shop.bundle', '../shop/.git']) {
      const clone = await area.open({ repository });
      assert.equal((await clone.fetch(undefined)).id, ids[3], repository);
      await clone.release();
    }
  });

  it('shows the log between two commits, and nothing for one it does not know', async () => {
    const clone = await area.open({ repository: remote.directory });
    await clone.fetch('main');
    const between = await clone.log(String(ids[0]), String(ids[3]), 10);
    assert.deepEqual(
      between?.map((commit) => commit.subject),
      ['three', 'two'],
    );
    assert.deepEqual(
      (await clone.log(String(ids[0]), String(ids[3]), 1))?.map((commit) => commit.id),
      [ids[3]],
    );
    assert.equal(await clone.log('0'.repeat(40), String(ids[3]), 10), undefined);
    assert.equal(await clone.log('--all', String(ids[3]), 10), undefined);
  });

  it('remakes a cache that is damaged, half made, or locked by a dead git', async () => {
    await fetched('main');
    const breaks: readonly ((bare: string) => void)[] = [
      (bare) => rmSync(join(bare, 'objects', 'pack'), { recursive: true }),
      (bare) => rmSync(join(bare, 'HEAD')),
      (bare) => rmSync(join(bare, 'config')),
      (bare) => writeFileSync(join(bare, 'packed-refs'), 'rubbish'),
      (bare) => writeFileSync(join(bare, 'packed-refs.lock'), ''),
      (bare) => {
        rmSync(join(bare, 'refs'), { recursive: true });
        writeFileSync(join(bare, 'refs'), '');
      },
    ];
    for (const [index, damage] of breaks.entries()) {
      damage(area.bare());
      const [id] = remote.commit({ message: `after ${index}`, files: file(`after ${index}`) });
      const { directory, commit } = await area.deployed({ repository: remote.directory }, 'main');
      assert.equal(commit.id, id);
      assert.equal(readFileSync(join(directory, 'index.html'), 'utf8'), `after ${index}`);
    }
  });

  it('explains a repository that is not there, with git’s own words', async () => {
    const clone = await area.open({ repository: 'nowhere' });
    await assert.rejects(clone.fetch('main'), {
      code: 'repository-unreachable',
      message:
        /nowhere cannot be fetched\. git said: .*does not appear to be a git repository.*Correct `repository`/,
    });
  });

  it('masks passwords and tokens of URLs', async () => {
    for (const repository of [
      'http://ada:s3cret-pass@127.0.0.1:1/shop.git',
      'http://ghp_s3cret-pass@127.0.0.1:1/shop.git',
    ]) {
      const clone = await area.open({ repository });
      await assert.rejects(clone.fetch('main'), (error: Error) => {
        assert.match(error.message, /127\.0\.0\.1:1\/shop\.git cannot be fetched/);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
      await clone.release();
    }
  });

  it('never waits for an answer: no prompt, and ssh in batch mode unless the user chose a command', async () => {
    const fake = join(area.root, 'ssh');
    const seen = join(area.root, 'seen');
    writeFileSync(
      fake,
      `#!/bin/sh\nprintf '%s\\n' "$*" >'${seen}'\necho Host key verification failed. >&2\nexit 255\n`,
    );
    chmodSync(fake, 0o755);
    const attempt = async (env: Record<string, string>) => {
      const clone = await area.open({ repository: 'deploy@git.example.org:shop.git', env });
      await assert.rejects(clone.fetch('main'), {
        code: 'repository-unreachable',
        message: /Host key verification failed.*Connect once with ssh/,
      });
      await clone.release();
      return readFileSync(seen, 'utf8');
    };
    const env = testEnvironment();
    const onPath = { ...env, PATH: `${area.root}:${env['PATH'] ?? ''}` };
    assert.match(await attempt(onPath), /BatchMode=yes/);
    assert.doesNotMatch(await attempt({ ...env, GIT_SSH_COMMAND: `'${fake}'` }), /BatchMode/);
    const config = join(area.root, 'gitconfig');
    writeFileSync(config, `[core]\n\tsshCommand = '${fake}' -o Mine=yes\n`);
    assert.match(await attempt({ ...env, GIT_CONFIG_GLOBAL: config }), /Mine=yes/);
  });

  it('refuses what would run commands or look like options', async () => {
    const ran = join(area.root, 'ran');
    for (const repository of [
      `ext::sh -c "touch ${ran}"`,
      'EXT::x',
      'fd::17',
      '-u',
      '--upload-pack=x',
      '-oProxyCommand=x:y',
      '',
      'a\nb',
    ])
      await assert.rejects(area.open({ repository }), { code: 'config-invalid' }, repository);
    for (const remote of ['-x', 'a b', '../x', 'a..b', 'x.lock', ''])
      await assert.rejects(area.open({ repository: '.', remote }), { code: 'config-invalid' }, remote);
    // Through the user's own configuration, too.
    const config = join(area.root, 'gitconfig');
    writeFileSync(
      config,
      `[url "ext::sh -c 'touch ${ran}' "]\n\tinsteadOf = https://evil/\n[protocol "ext"]\n\tallow = always\n`,
    );
    const clone = await area.open({
      repository: 'https://evil/x',
      env: { ...testEnvironment(), GIT_CONFIG_GLOBAL: config },
    });
    await assert.rejects(clone.fetch('main'), { code: 'repository-unreachable' });
    assert.equal(existsSync(ran), false);
  });

  it('is deaf to the repository that the caller’s environment names', async () => {
    const other = area.remote('other', [{ message: 'other', files: file('other') }]);
    const env = {
      ...testEnvironment(),
      GIT_DIR: join(other.directory, '.git'),
      GIT_WORK_TREE: other.directory,
      GIT_INDEX_FILE: join(other.directory, '.git', 'index'),
      GIT_OBJECT_DIRECTORY: join(other.directory, '.git', 'objects'),
      GIT_NAMESPACE: 'x',
      GIT_ALLOW_PROTOCOL: 'none',
      EDITOR: 'false',
    };
    const { directory } = await area.deployed({ repository: remote.directory, env }, 'main');
    assert.equal(readFileSync(join(directory, 'index.html'), 'utf8'), 'three');
    assert.equal(readFileSync(join(other.directory, 'index.html'), 'utf8'), 'other');
    assert.equal(other.git('status', '--porcelain'), '');
  });

  it('says that git is missing', async () => {
    const env = { ...testEnvironment(), PATH: area.root };
    await assert.rejects(area.open({ repository: '.', env }), {
      code: 'git-missing',
      message: /Install git/,
    });
    await assert.rejects(area.open({ repository: '.', gitPath: '/nowhere/git' }), { code: 'git-missing' });
  });

  it('ends git when it is cancelled', async () => {
    const fake = join(area.root, 'slow-ssh');
    const started = join(area.root, 'started');
    writeFileSync(fake, `#!/bin/sh\necho $$ >'${started}'\nexec sleep 60\n`);
    chmodSync(fake, 0o755);
    const controller = new AbortController();
    const env = { ...testEnvironment(), GIT_SSH_COMMAND: `'${fake}'` };
    const clone = await area.open({ repository: 'h:shop.git', env, signal: controller.signal });
    const fetching = clone.fetch('main');
    const watch = setInterval(() => existsSync(started) && controller.abort(), 20);
    await assert.rejects(fetching, { code: 'cancelled' });
    clearInterval(watch);
    process.kill(Number(readFileSync(started, 'utf8')), 'SIGKILL');
  });
});
