/** A shallow clone as `repository`, which is what CI checks out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from '../support/repo.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

const file = (content: string) => ({ 'index.html': content });

describe('git: shallow clones', () => {
  let area: GitArea;
  let remote: Repository;
  let ids: readonly string[];
  let shallow: string;

  beforeEach(() => {
    area = openGitArea();
    remote = area.remote('shop', []);
    ids = remote.commit(
      { message: 'one', files: file('one') },
      { message: 'two', files: file('two') },
      { message: 'three', files: file('three') },
    );
    shallow = join(area.root, 'checkout');
    execFileSync('git', ['clone', '-q', '--depth=1', `file://${remote.directory}`, shallow], {
      env: testEnvironment(),
    });
  });
  afterEach(async () => await area.remove());

  const inShallow = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', shallow, ...args], { env: testEnvironment(), encoding: 'utf8' }).trim();
  const logged = async (from: string | undefined, to: string | undefined) => {
    const clone = await area.open({ repository: shallow });
    try {
      return (await clone.log(String(from), String(to), 10))?.map(({ subject }) => subject);
    } finally {
      await clone.release();
    }
  };

  it('deploys it, its next commits, and the same path with all its history', async () => {
    const first = await area.deployed({ repository: shallow }, 'main');
    assert.equal(first.commit.id, ids[2]);
    // Commands in the clone may ask for its history, too.
    const history = (directory: string): string =>
      execFileSync('git', ['-C', directory, 'log', '--format=%s'], {
        env: testEnvironment(),
        encoding: 'utf8',
      });
    assert.equal(history(first.directory), 'three\n');

    const [fourth] = remote.commit({ message: 'four', files: file('four') });
    inShallow('pull', '-q');
    const second = await area.deployed({ repository: shallow });
    assert.equal(second.commit.id, fourth);
    assert.equal(history(second.directory), 'four\nthree\n');
    assert.deepEqual(await logged(ids[2], fourth), ['four']);

    inShallow('fetch', '-q', '--unshallow');
    await area.deployed({ repository: shallow }, 'main');
    assert.equal(history(second.directory), 'four\nthree\ntwo\none\n');
    assert.deepEqual(await logged(ids[0], fourth), ['four', 'three', 'two']);
    assert.equal(existsSync(join(area.bare(), 'shallow')), false);
  });

  it('does not know how many commits lie behind the boundary', async () => {
    await area.deployed({ repository: shallow }, 'main');
    const [, fifth] = remote.commit(
      { message: 'four', files: file('four') },
      { message: 'five', files: file('five') },
    );
    // A CI checks out anew for every job.
    inShallow('fetch', '-q', '--depth=1');
    inShallow('reset', '-q', '--hard', 'origin/main');
    const again = await area.deployed({ repository: shallow }, 'main');
    assert.equal(again.commit.id, fifth);
    assert.equal(await logged(ids[2], fifth), undefined);
    assert.deepEqual(await logged(fifth, fifth), []);
  });

  it('says that its history ends where it is asked to go back further', async () => {
    await assert.rejects(area.deployed({ repository: shallow }, 'HEAD~1'), {
      code: 'branch-not-found',
      message: /shallow clone.*git fetch --unshallow/,
    });
  });

  it('names a partial clone, from which nothing can be fetched, and what helps', async () => {
    const partial = join(area.root, 'partial');
    remote.git('config', 'uploadpack.allowFilter', 'true');
    execFileSync(
      'git',
      ['clone', '-q', '--filter=blob:none', '--no-checkout', `file://${remote.directory}`, partial],
      { env: testEnvironment() },
    );
    await assert.rejects(area.deployed({ repository: partial }), {
      code: 'repository-unreachable',
      message: /is a partial clone.*git fetch --refetch/,
    });
    execFileSync('git', ['-C', partial, 'fetch', '-q', '--refetch', '--no-filter'], {
      env: testEnvironment(),
    });
    assert.equal((await area.deployed({ repository: partial })).commit.id, ids[2]);
  });

  it('deploys HEAD where it is detached', async () => {
    inShallow('checkout', '-q', '--detach');
    inShallow('branch', '-q', '-D', 'main');
    assert.equal((await area.deployed({ repository: shallow })).commit.id, ids[2]);
    assert.equal((await area.deployed({ repository: `file://${shallow}` })).commit.id, ids[2]);
  });
});
