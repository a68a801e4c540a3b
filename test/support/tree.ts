/** Byte-exact comparison of two trees: names, types, modes, sizes, contents, link targets. Names are bytes, kept as latin1 strings. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface TreeOptions {
  /** Also compare modification times (seconds) of files. */
  readonly mtime?: boolean;
  /** Leave out these paths (latin1, `/` separated, relative) and all below them. */
  readonly without?: readonly string[];
  /** Leave out folders' modes. */
  readonly folderModes?: 'compare' | 'ignore';
}

/** One line for each path, e.g. `file 644 12 <sha256>`. */
export type Tree = ReadonlyMap<string, string>;

/** Reads a tree; the root itself is not in it. */
export function readTree(root: string, options: TreeOptions = {}): Tree {
  const tree = new Map<string, string>();
  const visit = (folder: Buffer, prefix: string) => {
    const names = readdirSync(folder, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b));
    for (const name of names) {
      const path = prefix + name.toString('latin1');
      if (options.without?.includes(path)) continue;
      const full = Buffer.concat([folder, Buffer.from('/'), name]);
      tree.set(path, describe(full, options));
      if (lstatSync(full).isDirectory()) visit(full, `${path}/`);
    }
  };
  visit(Buffer.from(root), '');
  return tree;
}

/** Fails with the paths that differ, at most 20 of them. */
export function assertSameTree(actual: string, expected: string, options: TreeOptions = {}): void {
  const differences = compareTrees(readTree(actual, options), readTree(expected, options));
  assert.deepEqual(differences.slice(0, 20), []);
}

/** What differs, one line each: `path: actual | expected`. */
export function compareTrees(actual: Tree, expected: Tree): readonly string[] {
  const paths = new Set([...actual.keys(), ...expected.keys()]);
  return [...paths]
    .filter((path) => actual.get(path) !== expected.get(path))
    .map((path) => `${path}: ${actual.get(path) ?? 'missing'} | ${expected.get(path) ?? 'missing'}`);
}

function describe(path: Buffer, options: TreeOptions): string {
  const stat = lstatSync(path);
  const mode = (stat.mode & 0o7777).toString(8);
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`;
  if (stat.isDirectory()) return options.folderModes === 'ignore' ? 'folder' : `folder ${mode}`;
  if (!stat.isFile()) return `other ${mode}`;
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
  const mtime = options.mtime ? ` ${Math.floor(stat.mtimeMs / 1000)}` : '';
  return `file ${mode} ${stat.size} ${hash}${mtime}`;
}
