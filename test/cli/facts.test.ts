import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectFacts } from '../../src/cli/machineFacts.ts';
import { chosenStages, openProject } from '../../src/cli/project.ts';
import { validate } from '../../src/config/rules/validate.ts';

describe('what check knows of this machine', () => {
  let project = '';
  const signal = new AbortController().signal;

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'durant-facts-'));
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], { cwd: project });
    git('init', '--quiet', '--initial-branch=main');
    mkdirSync(join(project, 'docs'));
    for (const file of ['docs/a.md', '.gitignore', 'index.html']) writeFileSync(join(project, file), 'x\n');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'One');
    git('tag', 'v1');
  });
  afterEach(() => {
    rmSync(project, { recursive: true, force: true });
  });

  async function problems(...lines: readonly string[]): Promise<readonly string[]> {
    const conf = ['[production]', 'repository = .', 'server = web1', 'project_dir = /srv/x', ...lines, ''];
    writeFileSync(join(project, 'durant.conf'), conf.join('\n'));
    const opened = await openProject({ cwd: project, config: undefined });
    const env = { PATH: process.env['PATH'], HOME: project };
    const facts = await collectFacts(opened, chosenStages(opened, undefined), { env, signal });
    return validate(opened.doc, undefined, facts).map(({ code }) => code);
  }

  it('branches and tags', async () => {
    assert.deepEqual(await problems('branch = main'), []);
    assert.deepEqual(await problems('branch = v1'), []);
    assert.deepEqual(await problems('branch = mian'), ['unknown-branch']);
    assert.deepEqual(await problems('branch = env!BRANCH'), []);
  });

  it('tracked files, as the patterns of exclude see them', async () => {
    assert.deepEqual(await problems('branch = main', 'exclude = docs, *.html'), []);
    assert.deepEqual(await problems('branch = main', 'exclude = docs/*.md'), []);
    assert.deepEqual(await problems('branch = main', 'exclude = nothing'), ['exclude-matches-nothing']);
    // It is always left out, whatever the patterns: that is no match of theirs.
    assert.deepEqual(await problems('branch = main', 'exclude = *.pyc'), ['exclude-matches-nothing']);
  });

  it('shared paths that exclude hides', async () => {
    assert.deepEqual(await problems('exclude = docs', 'shared_dirs = docs/uploads'), ['excluded-path']);
    assert.deepEqual(await problems('exclude = docs', 'shared_dirs = uploads'), []);
  });

  it('the private key and who may read it', async () => {
    const key = join(project, 'id');
    assert.deepEqual(await problems('ssh_identity = ~/id'), ['identity-missing']);
    writeFileSync(key, 'key');
    chmodSync(key, 0o644);
    assert.deepEqual(await problems('ssh_identity = $HOME/id'), ['identity-permissions']);
    chmodSync(key, 0o600);
    assert.deepEqual(await problems('ssh_identity = ~/id'), []);
  });

  it('nothing of a repository that is elsewhere and was never fetched', async () => {
    const conf =
      '[s]\nrepository = https://example.org/x.git\nserver = a\nproject_dir = /srv/x\nbranch = nope\n';
    writeFileSync(join(project, 'durant.conf'), conf);
    const opened = await openProject({ cwd: project, config: undefined });
    const facts = await collectFacts(opened, chosenStages(opened, undefined), { env: process.env, signal });
    assert.deepEqual(validate(opened.doc, undefined, facts), []);
  });
});
