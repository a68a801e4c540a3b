/** Facts of the user's own project, read without a trace. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFacts } from '../../src/git/projectRepository.ts';
import { openGitArea, testEnvironment, type GitArea } from './cloneSupport.ts';

describe('git: project facts', () => {
  let area: GitArea;
  beforeEach(() => {
    area = openGitArea();
  });
  afterEach(async () => await area.remove());

  const factsOf = async (directory: string) =>
    await projectFacts({ directory, env: testEnvironment(), signal: new AbortController().signal });

  it('tells branches, tags, remotes, tracked paths, and what is not committed or pushed', async () => {
    const upstream = area.remote('upstream', [
      { message: 'one', files: { a: 'a', 'sub/b': 'b', 'sub/\xff': '' }, tag: 'v1' },
    ]);
    upstream.git('branch', 'topic/x');
    const directory = join(area.root, 'copy');
    execFileSync('git', ['clone', '-q', upstream.directory, directory]);
    const run = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
        cwd: directory,
        encoding: 'utf8',
      }).trim();
    run('remote', 'add', 'team/mirror', 'https://ada:s3cret-pass@example.org/x.git');
    run('update-ref', 'refs/remotes/team/mirror/other', 'HEAD');
    run('commit', '-q', '--allow-empty', '-m', 'not pushed');
    run('mv', 'a', '? renamed');
    writeFileSync(join(directory, 'sub/b'), 'changed');
    writeFileSync(join(directory, 'untracked'), '');
    const facts = await factsOf(directory);
    assert.ok(facts);
    assert.deepEqual(facts, {
      root: directory,
      commit: run('rev-parse', 'HEAD'),
      branch: 'main',
      branches: ['main'],
      remoteBranches: [
        { remote: 'origin', branch: 'main' },
        { remote: 'origin', branch: 'topic/x' },
        { remote: 'team/mirror', branch: 'other' },
      ],
      tags: ['v1'],
      remotes: [
        { name: 'origin', url: upstream.directory },
        { name: 'team/mirror', url: 'https://***@example.org/x.git' },
      ],
      trackedPaths: ['? renamed', 'sub/b', 'sub/\xff'],
      changed: 2,
      untracked: 1,
      unpushed: 1,
    });
    assert.deepEqual((await factsOf(join(directory, 'sub')))?.trackedPaths, ['b', '\xff']);
  });

  it('is nothing outside of git, and little before the first commit', async () => {
    assert.equal(await factsOf(area.project), undefined);
    const fresh = area.remote('fresh', []);
    const facts = await factsOf(fresh.directory);
    assert.deepEqual(
      [facts?.commit, facts?.branch, facts?.branches, facts?.trackedPaths, facts?.unpushed],
      [undefined, 'main', [], [], undefined],
    );
    const [id] = fresh.commit({ message: 'one', files: { a: '' } });
    fresh.git('checkout', '-q', '--detach');
    const detached = await factsOf(fresh.directory);
    assert.deepEqual([detached?.commit, detached?.branch], [id, undefined]);
  });

  it('writes nothing and runs nothing of the repository’s', async () => {
    const project = area.remote('mine', [{ message: 'one', files: { a: 'a' } }]);
    const ran = join(area.root, 'ran');
    const monitor = join(area.root, 'monitor');
    writeFileSync(monitor, `#!/bin/sh\ntouch '${ran}'\n`);
    chmodSync(monitor, 0o755);
    project.git('config', 'core.fsmonitor', monitor);
    project.git('config', 'core.hooksPath', area.root);
    mkdirSync(join(project.directory, 'x'));
    // Git would note the new time of an unchanged file in its index.
    utimesSync(join(project.directory, 'a'), 1, 1);
    const index = join(project.directory, '.git/index');
    const before = [readFileSync(index), statSync(index).mtimeMs] as const;
    assert.equal((await factsOf(project.directory))?.changed, 0);
    assert.deepEqual([readFileSync(index), statSync(index).mtimeMs], before);
    assert.equal(existsSync(ran), false);
  });
});
