/** Which files of a built tree are copied for a review, and which are only listed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { keepBuilt } from '../../src/engine/source/builtCopies.ts';
import type { BuiltIndex } from '../../src/engine/source/buildOutput.ts';
import { createExcluder } from '../../src/transfer/tree/exclude.ts';
import { scanTree } from '../../src/transfer/tree/scan.ts';

describe('copies of build output', () => {
  let scratch: string;
  let workTree: string;
  let folder: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'durant-copies-'));
    [workTree, folder] = [join(scratch, 'tree'), join(scratch, 'copies')];
    for (const each of [workTree, folder]) mkdirSync(each, { mode: 0o700 });
  });

  afterEach(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(workTree, path)), { recursive: true });
    writeFileSync(join(workTree, path), content);
  }

  const blobOf = (content: string): string =>
    createHash('sha1')
      .update(`blob ${String(content.length)}\0${content}`)
      .digest('hex');

  /** @param committed content by path. @returns text of the copies by path; null where there is none. */
  async function keep(
    committed: Readonly<Record<string, string>>,
    { subDirectory, unsent = [] }: { subDirectory?: string; unsent?: readonly string[] } = {},
  ): Promise<Readonly<Record<string, string | null>>> {
    const { signal } = new AbortController();
    const tracked = Object.entries(committed).map(([path, content]) => ({
      path,
      mode: '100644' as const,
      blob: blobOf(content),
    }));
    const exclude = createExcluder([]);
    const tree = await scanTree({
      workTree,
      subDirectory,
      tracked,
      commitTimeMs: 0,
      exclude,
      cacheFile: undefined,
      signal,
    });
    const paths = new Set(tree.entries.map(({ path }) => path).filter((path) => !unsent.includes(path)));
    await keepBuilt({ folder, workTree, tree, tracked, paths, signal });
    const { files } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as BuiltIndex;
    return Object.fromEntries(
      files.map(({ path, copy }) => [path, copy === null ? null : readFileSync(join(folder, copy), 'utf8')]),
    );
  }

  it('are of what the commit has not, or has otherwise, as far as it is sent', async () => {
    write('same.txt', 'same\n');
    write('crlf.txt', 'one\r\ntwo\r\n');
    write('version.txt', 'built\n');
    write('dist/ä.js', 'new\n');
    write('dist/live.js', 'as it is live\n');
    symlinkSync('app.js', join(workTree, 'dist/link'));
    const committed = { 'same.txt': 'same\n', 'crlf.txt': 'one\ntwo\n', 'version.txt': 'committed\n' };
    assert.deepEqual(await keep(committed, { unsent: ['dist/live.js'] }), {
      'version.txt': 'built\n',
      'dist/ä.js': 'new\n',
      'dist/link': 'app.js',
    });
    assert.equal(statSync(join(folder, '0')).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'index.json')).mode & 0o777, 0o600);
  });

  it('know the commit below sub_directory, too', async () => {
    write('dist/page.html', 'page\n');
    write('dist/app.js', 'new\n');
    assert.deepEqual(await keep({ 'dist/page.html': 'page\n' }, { subDirectory: 'dist' }), {
      'app.js': 'new\n',
    });
  });

  it('are of text that is not too large, and not of too many', async () => {
    const large = 'x'.repeat(1_000_001);
    write('committed.sql', large);
    write('large.sql', large);
    write('logo.png', 'PNG\0');
    for (let index = 0; index < 205; index += 1) write(`many/${String(index)}`, 'x');
    const kept = await keep({ 'committed.sql': large });
    assert.equal(Object.keys(kept).length, 207);
    assert.deepEqual([kept['large.sql'], kept['logo.png']], [null, null]);
    assert.equal(Object.values(kept).filter((text) => text === 'x').length, 200);
  });

  it('are none where the folder has gone: the dry run goes on', async () => {
    write('new.txt', 'new\n');
    rmSync(folder, { recursive: true });
    await assert.rejects(
      keep({}),
      { code: 'ENOENT', syscall: 'open' },
      'only the reading of the index fails',
    );
  });
});
