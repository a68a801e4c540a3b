/** Copies of what a dry run built: kept for their owner alone, read by their index, removed. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBuiltFolder, readBuilt, readBuiltFile, removeBuilt } from '../../src/editor/builtFiles.ts';

describe('what a dry run built', () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'durant-built-'));
  });

  afterEach(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it('has a folder of its own for each dry run, for nobody else to read, until it is removed', async () => {
    const parent = join(scratch, 'storage', 'built');
    const folders = [await makeBuiltFolder(parent), await makeBuiltFolder(parent)] as const;
    assert.notEqual(folders[0], folders[1]);
    for (const folder of [parent, ...folders]) assert.equal(statSync(folder).mode & 0o777, 0o700);
    removeBuilt(folders[0]);
    assert.deepEqual(folders.map(existsSync), [false, true]);
    removeBuilt(parent);
    removeBuilt(parent);
    assert.equal(existsSync(parent), false);
  });

  it('is read by its index', async () => {
    writeFileSync(join(scratch, '0'), 'built\n');
    writeFileSync(
      join(scratch, 'index.json'),
      JSON.stringify({
        files: [
          { path: 'js/app.js', copy: '0' },
          { path: 'logo.png', copy: null },
        ],
      }),
    );
    const built = await readBuilt(scratch);
    assert.deepEqual([...built.files.keys()], ['js/app.js', 'logo.png']);
    assert.equal(await readBuiltFile(built, 'js/app.js'), 'built\n');
    assert.equal(await readBuiltFile(built, 'logo.png'), undefined);
    assert.equal(await readBuiltFile(built, 'other'), undefined);
    rmSync(join(scratch, '0'));
    assert.equal(await readBuiltFile(built, 'js/app.js'), undefined);
  });

  for (const [what, text] of [
    ['no index', undefined],
    ['half an index', '{"files": [{"path"'],
    ['an index of another kind', '[]'],
    ['an index that leads out of the folder', '{"files": [{"path": "a", "copy": "../../secret"}]}'],
  ] as const)
    it(`is nothing where there is ${what}`, async () => {
      if (text !== undefined) writeFileSync(join(scratch, 'index.json'), text);
      assert.equal((await readBuilt(scratch)).files.size, 0);
    });
});
