import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import {
  createManifest,
  displayPath,
  escapePath,
  parseManifest,
  serializeManifest,
  unescapePath,
  type ManifestEntry,
} from '../../src/transfer/tree/manifest.ts';
import { planTransfer } from '../../src/transfer/tree/plan.ts';
import { totalsOf, type Tree, type TreeEntry } from '../../src/transfer/tree/scan.ts';

const entry = (path: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  size: 3,
  hash: 'a'.repeat(64),
  mtimeMs: 0,
  target: '',
  ...more,
});
const folder = (path: string): TreeEntry => entry(path, { type: 'dir', mode: 0o755, size: 0, hash: '-' });
const treeOf = (entries: readonly TreeEntry[]): Tree => ({
  root: '/x',
  entries,
  manifest: createManifest(entries),
  warnings: [],
  totals: totalsOf(entries),
});
const plan = (
  live: readonly ManifestEntry[] | undefined,
  now: readonly TreeEntry[],
  touched: readonly string[] = [],
) => planTransfer({ live: live && createManifest(live), touched, tree: treeOf(now) });

const bytePath = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\0', 'n'));

describe('manifest', () => {
  it('reads back what it writes, whatever the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(bytePath), (paths) => {
        const manifest = createManifest(paths.map((path) => entry(path)));
        assert.deepEqual(parseManifest(serializeManifest(manifest))?.entries.length, paths.length);
        assert.deepEqual(parseManifest(serializeManifest(manifest)), {
          entries: manifest.entries.map(({ path, type, mode, size, hash }) => ({
            path,
            type,
            mode,
            size,
            hash,
          })),
          digest: manifest.digest,
        });
        for (const path of paths) assert.equal(unescapePath(escapePath(path)), path);
      }),
    );
  });

  it("sorts as the server's sort does", () => {
    fc.assert(
      fc.property(fc.uniqueArray(bytePath, { minLength: 2 }), (paths) => {
        const text = serializeManifest(createManifest(paths.map((path) => entry(path))));
        const sorted = execFileSync('sort', ['-t', ' ', '-k', '5'], {
          input: text,
          env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        });
        assert.deepEqual(sorted, text);
      }),
      { numRuns: 20 },
    );
  });

  it('is undefined for what is no manifest', () => {
    const text = serializeManifest(createManifest([entry('a')]));
    for (const bad of [
      text.subarray(0, -1),
      Buffer.from('f 644 x\n'),
      Buffer.concat([text, Buffer.from('\n')]),
    ])
      assert.equal(parseManifest(bad), undefined);
    assert.deepEqual(parseManifest(Buffer.alloc(0))?.entries, []);
  });

  it('shows names that are not UTF-8 with their bytes', () => {
    assert.deepEqual(displayPath('caf\xc3\xa9'), { path: 'café' });
    assert.deepEqual(displayPath('caf\xe9'), { path: 'caf\ufffd', path_base64: 'Y2Fm6Q==' });
  });
});

describe('plan', () => {
  const kinds = (made: ReturnType<typeof plan>): string[] =>
    made.changes.map(({ kind, path }) => `${kind} ${path}`);

  it('sends everything where nothing is live', () => {
    const made = plan(undefined, [folder('d'), entry('d/a', { size: 5 })]);
    assert.deepEqual(kinds(made), ['added d/a']);
    assert.deepEqual([made.sendFiles, made.sendBytes, made.send.length], [1, 5, 2]);
  });

  it('counts a change of mode, type or content, not of time', () => {
    const made = plan(
      [entry('a'), entry('b'), entry('c'), entry('d'), entry('e')],
      [
        entry('a', { mtimeMs: 5 }),
        entry('b', { mode: 0o755 }),
        entry('c', { hash: 'b'.repeat(64) }),
        entry('d', { type: 'link', mode: 0o777 }),
        entry('f'),
      ],
    );
    assert.deepEqual(kinds(made), ['changed b', 'changed c', 'changed d', 'deleted e', 'added f']);
    assert.deepEqual([made.added, made.changed, made.deleted, made.unchanged], [1, 3, 1, 1]);
    assert.deepEqual(made.remove, ['b', 'c', 'd', 'e']);
  });

  it('removes folders that were emptied, and turns folders and files into each other', () => {
    const made = plan(
      [folder('d'), entry('d/x'), folder('e'), entry('e/y'), entry('f')],
      [entry('e'), folder('f'), entry('f/z')],
    );
    assert.deepEqual(kinds(made), ['deleted d/x', 'added e', 'deleted e/y', 'deleted f', 'added f/z']);
    assert.deepEqual(made.remove.toSorted(), ['d', 'd/x', 'e', 'e/y', 'f']);
  });

  it('sends what was touched, without calling it a change, and never removes a touched folder', () => {
    const made = plan(
      [folder('d'), entry('d/x'), entry('gone')],
      [folder('d'), entry('d/x')],
      ['d', 'd/x', 'gone', 'unknown'],
    );
    assert.deepEqual(kinds(made), ['deleted gone']);
    assert.deepEqual(
      made.send.map((one) => one.path),
      ['d', 'd/x'],
    );
    assert.deepEqual(made.remove, ['d/x', 'gone']);
    assert.equal(made.unchanged, 1);
  });
});
