/** A work tree, and what the index of it or of one of its submodules lists. */
import { gitText, GitFailure, type GitContext } from './gitProcess.ts';
import { pointersLeft, pullPointers, type Lfs } from './lfs.ts';
import type { TrackedFile } from './port.ts';
import type { Repository } from './repository.ts';

export interface WorkTree {
  /** Whether Git LFS is to replace its pointers. */
  readonly lfs: boolean;
  readonly directory: string;
  readonly gitFolder: string;
  /** Bare repository whose objects it uses. */
  readonly cache: string;
  readonly repository: Repository;
  readonly remote: string;
  readonly context: GitContext;
}

export interface CheckedOut {
  readonly files: readonly TrackedFile[];
  /** Files that are Git LFS pointers, whose content could not be had. */
  readonly pointers: readonly string[];
}

/** An entry of the index: `160000` is a submodule. */
export interface IndexEntry {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
}

/**
 * Entries of the index of the repository in `directory`, names as bytes.
 *
 * @throws {GitFailure} Also where a command has told the index to leave files out, which `reset --hard` obeys.
 */
export async function indexEntries(
  context: GitContext,
  directory: string,
  globalArgs: readonly string[],
): Promise<readonly IndexEntry[]> {
  const args = [...globalArgs, 'ls-files', '--stage', '-t', '-z'];
  const text = await gitText(context, { directory, args }, 'latin1');
  return text.split('\0').flatMap((line) => {
    const tab = line.indexOf('\t');
    const [tag, mode = '', blob = ''] = line.slice(0, Math.max(tab, 0)).split(' ');
    if (tag === 'S') throw new GitFailure('The index leaves out files (skip-worktree).');
    return tab === -1 ? [] : [{ path: line.slice(tab + 1), mode, blob }];
  });
}

/** The files among the entries of one repository, with the content of Git LFS; and those whose content could not be had. */
export async function checkedOut(
  context: GitContext,
  directory: string,
  entries: readonly IndexEntry[],
  options: { readonly globalArgs: readonly string[]; readonly lfs: Lfs },
): Promise<CheckedOut> {
  const { globalArgs, lfs } = options;
  const files = entries.flatMap(({ path, mode, blob }) =>
    mode === '100644' || mode === '100755' || mode === '120000' ? [{ path, mode, blob } as const] : [],
  );
  const pointers = await pointersLeft(context, directory, files, globalArgs);
  if (pointers.length === 0 || !lfs.installed) return { files, pointers };
  await pullPointers(context, directory, pointers, globalArgs);
  return { files, pointers: await pointersLeft(context, directory, files, globalArgs) };
}

/** Never left to git's search: from a broken work tree it would go up and find the project's own repository. */
export function inTree(tree: WorkTree, args: readonly string[]): readonly string[] {
  return [`--git-dir=${tree.gitFolder}`, `--work-tree=${tree.directory}`, ...args];
}
