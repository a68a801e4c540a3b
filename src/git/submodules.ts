/** Submodules of a work tree: exactly at their commits and as clean as the tree itself, or empty. */
import { lstat, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gitText, GitFailure, type GitCall, type GitContext } from './gitProcess.ts';
import { withHiddenConfig } from './gitEnvironment.ts';
import { askingNothing } from './sshEnvironment.ts';
import { removeStaleLocks } from './gitFolder.ts';
import type { Lfs } from './lfs.ts';
import { checkedOut, indexEntries, inTree, type CheckedOut, type WorkTree } from './indexFiles.ts';

/** A submodule could not be had. Trying again with a fresh work tree would not help. */
export class SubmoduleFailure extends GitFailure {}

/**
 * Brings all submodules to their commits and gives their files, with their paths before them.
 *
 * @throws {SubmoduleFailure}
 */
export async function updateSubmodules(
  tree: WorkTree,
  links: readonly string[],
  lfs: Lfs,
): Promise<CheckedOut> {
  if (!(await exists(join(tree.directory, '.gitmodules')))) {
    await emptySubmodules(tree.directory, links);
    return { files: [], pointers: [] };
  }
  const modules = join(tree.gitFolder, 'modules');
  const before = await exists(modules);
  if (before) await removeStaleLocks(modules);
  // They may be reached through ssh where the repository is not.
  const context = await askingNothing(tree.context);
  const run = async (args: readonly string[]) =>
    await gitText(context, await submoduleCall({ ...tree, context }, args, lfs.config));
  try {
    if (before) {
      // The configuration of the tree is written anew each time; a URL may have changed since.
      await run(['submodule', 'init']);
      await run(['submodule', 'sync', '--recursive']);
    }
    await run(UPDATE);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if (!before) throw new SubmoduleFailure(error.message);
    // What is there may be damaged or half made: once more from nothing.
    await rm(modules, { recursive: true, force: true });
    await emptySubmodules(tree.directory, links);
    await run(UPDATE).catch((again: unknown) => {
      throw again instanceof GitFailure ? new SubmoduleFailure(again.message) : again;
    });
  }
  return await cleanAndList(context, tree.directory, links, lfs);
}

const UPDATE = ['submodule', 'update', '--init', '--recursive', '--force'];

/** Empties the folders of submodules, which neither `reset` nor `clean` touch. */
export async function emptySubmodules(directory: string, links: readonly string[]): Promise<void> {
  for (const link of links) {
    const folder = bytePath(directory, link);
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true) continue;
    const names = await readdir(folder, { encoding: 'buffer' });
    await Promise.all(
      names.map(async (name) => {
        await rm(Buffer.concat([folder, Buffer.from('/'), name]), { recursive: true, force: true });
      }),
    );
  }
}

async function cleanAndList(
  context: GitContext,
  directory: string,
  links: readonly string[],
  lfs: Lfs,
): Promise<CheckedOut> {
  const lists = await Promise.all(
    links.map(async (link): Promise<CheckedOut> => {
      const folder = bytePath(directory, link);
      const git = Buffer.concat([folder, Buffer.from('/.git')]);
      if (!(await exists(git))) {
        // One that its .gitmodules says not to update.
        await emptySubmodules(directory, [link]);
        return { files: [], pointers: [] };
      }
      const path = folder.toString('utf8');
      await gitText(context, { directory: path, args: ['clean', '-ffdx'] });
      const entries = await indexEntries(context, path, []);
      const own = await checkedOut(context, path, entries, { globalArgs: [], lfs });
      const inner = entries.filter((each) => each.mode === '160000').map((each) => each.path);
      const below =
        inner.length === 0 ? { files: [], pointers: [] } : await cleanAndList(context, path, inner, lfs);
      return {
        files: [...own.files, ...below.files].map((file) => ({ ...file, path: `${link}/${file.path}` })),
        pointers: [...own.pointers, ...below.pointers].map((pointer) => `${link}/${pointer}`),
      };
    }),
  );
  return {
    files: lists.flatMap((each) => each.files),
    pointers: lists.flatMap((each) => each.pointers),
  };
}

/** `git submodule` is a script that looks at the environment, and asks its own git processes to look at it. */
async function submoduleCall(
  tree: WorkTree,
  args: readonly string[],
  config: readonly string[],
): Promise<GitCall> {
  const declared = await readFile(join(tree.directory, '.gitmodules'), 'latin1').catch(() => '');
  return {
    directory: tree.directory,
    args: inTree(tree, args),
    reach: 'remote',
    config: [...config, `protocol.file.allow=${tree.repository.local ? 'always' : 'user'}`],
    env: withHiddenConfig(tree.context.env, [
      // Relative URLs are relative to the remote, and on a detached HEAD git takes `origin` for that, whatever its name.
      ['remote.origin.url', tree.repository.url],
      ...namesThatMerge(declared).map((name) => [`submodule.${name}.update`, 'checkout'] as const),
    ]),
  };
}

/** Submodules whose `.gitmodules` asks for a merge or rebase: here they are checked out, as exactly as everything else. */
export function namesThatMerge(gitmodules: string): readonly string[] {
  const sections = gitmodules.split(/^(?=[ \t]*\[)/m);
  return sections.flatMap((section) => {
    const name = /^[ \t]*\[submodule "((?:[^"\\]|\\.)*)"\]/.exec(section)?.[1];
    const merges = /^[ \t]*update[ \t]*=[ \t]*"?(merge|rebase)\b/im.test(section);
    return name !== undefined && merges ? [name.replace(/\\(.)/g, '$1')] : [];
  });
}

function bytePath(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}

async function exists(path: string | Buffer): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
