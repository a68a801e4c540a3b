/** Which folders Durant takes for its clone, and which it leaves alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGitArea, type GitArea } from './cloneSupport.ts';

describe('git: temp_dir', () => {
  let area: GitArea;
  beforeEach(() => {
    area = openGitArea();
    area.remote('shop', [{ message: 'one', files: { a: 'a' } }]);
  });
  afterEach(async () => await area.remove());

  const use = async (tempDir: string) => await area.deployed({ repository: '../shop', tempDir });

  it('takes an empty folder, a new one, its own, one inside the project, and one that was half made', async () => {
    mkdirSync(join(area.root, 'empty'));
    mkdirSync(join(area.root, 'half', '.git'), { recursive: true });
    const cases = ['empty', 'new/deep', 'empty', 'half'].map((name) => join(area.root, name));
    for (const tempDir of [...cases, join(area.project, 'clone')])
      assert.equal((await use(tempDir)).directory, tempDir);
    assert.equal((await use('relative')).directory, join(area.project, 'relative'));
  });

  it('refuses the project, its parents, other people’s folders and clones, files, and what was not expanded', async () => {
    const at = (name: string) => join(area.root, name);
    mkdirSync(at('full'));
    writeFileSync(at('full/precious'), '');
    writeFileSync(at('file'), '');
    symlinkSync(area.project, at('link'));
    symlinkSync(at('full'), at('link-full'));
    execFileSync('git', ['init', '-q', at('foreign')]);
    mkdirSync(at('cloned/.git'), { recursive: true });
    writeFileSync(at('cloned/.git/HEAD'), 'ref: refs/heads/main\n');
    const cases: readonly (readonly [path: string, says: RegExp])[] = [
      [area.project, /is the project itself/],
      [area.root, /holds the project/],
      ['/', /holds the project/],
      ['.', /is the project itself/],
      ['..', /holds the project/],
      [`${area.project}/`, /is the project itself/],
      [at('link'), /is the project itself/],
      [at('full'), /not empty and was not made by Durant/],
      [at('link-full'), /not empty and was not made by Durant/],
      [at('shop'), /not empty and was not made by Durant/],
      [at('foreign'), /not empty and was not made by Durant/],
      [at('cloned'), /not empty and was not made by Durant/],
      [at('file'), /is not a folder/],
      ['~/x', /could not be expanded/],
      ['$NOWHERE/x', /could not be expanded/],
      ['', /is empty/],
    ];
    for (const [tempDir, message] of cases)
      await assert.rejects(use(tempDir), { code: 'temp-dir-refused', message }, tempDir);
    assert.ok(existsSync(at('full/precious')));
    assert.deepEqual(readdirSync(area.project), []);
    assert.deepEqual(readdirSync(at('shop')).sort(), ['.git', 'a']);
  });
});
