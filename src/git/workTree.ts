/** A work tree that shares the objects of the cache and is a repository of its own: checked out exactly, cleaned of everything else. */
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { platform } from '../platform.ts';
import { gitText } from './gitProcess.ts';
import {
  configValue,
  HASHES_FILE,
  LOCK_FILE,
  SHALLOW_FILE,
  shallowBoundary,
  writeIfDifferent,
} from './gitFolder.ts';
import { KEPT_FOLDER } from './keptFiles.ts';
import { findLfs, NO_LFS } from './lfs.ts';
import { packedReferences, type Reference } from './references.ts';
import { emptySubmodules, updateSubmodules } from './submodules.ts';
import { checkedOut, indexEntries, inTree, type CheckedOut, type WorkTree } from './indexFiles.ts';

export interface CheckoutOptions {
  readonly submodules: boolean;
  /** Branches and tags that the clone is to have; undefined: those it has. */
  readonly references: readonly Reference[] | undefined;
}

/** What stays in the git folder from run to run; everything else is a leftover of a dead git or of a command in the clone. */
const KEPT = new Set([
  'durant',
  KEPT_FOLDER,
  HASHES_FILE,
  LOCK_FILE,
  'config',
  'HEAD',
  'index',
  'objects',
  'refs',
  'packed-refs',
  'modules',
  'lfs',
]);

/** How long a git may go on that outlived the run which started it, in ms. */
const ORPHAN_GRACE_MS = 3000;

/**
 * Checks the commit out: `reset --hard`, `clean -ffdx`, submodules.
 *
 * @throws {GitFailure}
 */
export async function checkOut(tree: WorkTree, id: string, options: CheckoutOptions): Promise<CheckedOut> {
  await prepare(tree, options.references);
  // The commit before may be gone from the cache, so git is not to look at it: HEAD is written first.
  await writeIfDifferent(join(tree.gitFolder, 'HEAD'), `${id}\n`);
  const lfs = tree.lfs ? await findLfs(tree.context.env) : NO_LFS;
  await gitText(tree.context, {
    directory: tree.directory,
    args: inTree(tree, ['reset', '--hard', id, '--']),
    config: lfs.config,
    reach: lfs.installed ? 'remote' : 'local',
  });
  const [entries] = await Promise.all([
    indexEntries(tree.context, tree.directory, inTree(tree, [])),
    gitText(tree.context, { directory: tree.directory, args: inTree(tree, ['clean', '-ffdx']) }),
  ]);
  const links = entries.filter((each) => each.mode === '160000').map((each) => each.path);
  const own = await checkedOut(tree.context, tree.directory, entries, { globalArgs: inTree(tree, []), lfs });
  if (links.length === 0) return own;
  if (!options.submodules) {
    await emptySubmodules(tree.directory, links);
    return own;
  }
  const below = await updateSubmodules(tree, links, lfs);
  return {
    files: [...own.files, ...below.files],
    pointers: [...own.pointers, ...below.pointers],
  };
}

/** Removes what a work tree keeps, so that the next checkout begins from nothing. */
export async function forgetIndex(tree: WorkTree): Promise<void> {
  const entries = await readdir(tree.gitFolder).catch(() => []);
  const doomed = entries.filter((name) => name !== 'durant' && name !== LOCK_FILE && name !== 'modules');
  await Promise.all(
    doomed.map(async (name) => await rm(join(tree.gitFolder, name), { recursive: true, force: true })),
  );
}

/** The run before may have been killed while its git still writes files: waits until it has ended, or long enough. */
export async function outliveOrphans(tree: WorkTree): Promise<void> {
  const end = Date.now() + ORPHAN_GRACE_MS;
  while (
    Date.now() < end &&
    (await lstat(join(tree.gitFolder, 'index.lock')).catch(() => undefined)) !== undefined
  )
    await wait(50, undefined, { signal: tree.context.signal }).catch(() => undefined);
}

async function prepare(tree: WorkTree, references: readonly Reference[] | undefined): Promise<void> {
  const { gitFolder } = tree;
  const present = await readdir(gitFolder);
  await Promise.all(
    present
      .filter((name) => !KEPT.has(name))
      .map(async (name) => await rm(join(gitFolder, name), { recursive: true, force: true })),
  );
  // References that a command in the clone has made.
  await rm(join(gitFolder, 'refs'), { recursive: true, force: true });
  await mkdir(join(gitFolder, 'refs'), { recursive: true });
  await mkdir(join(gitFolder, 'objects', 'info'), { recursive: true });
  const alternates = join(gitFolder, 'objects', 'info', 'alternates');
  const shared = await writeIfDifferent(alternates, `${alternatePath(join(tree.cache, 'objects'))}\n`);
  if (shared === 'written') await rm(join(gitFolder, 'index'), { force: true });
  // Else commands that read the history would fail where that of the cache ends.
  const boundary = await shallowBoundary(tree.cache);
  const shallow = join(gitFolder, SHALLOW_FILE);
  if (boundary.size > 0) await writeIfDifferent(shallow, `${[...boundary].join('\n')}\n`);
  await writeIfDifferent(join(gitFolder, 'config'), configOf(tree));
  if (references !== undefined)
    await writeIfDifferent(
      join(gitFolder, 'packed-refs'),
      packedReferences(references, tree.remote),
      'latin1',
    );
}

/** Git takes a leading quote for a quoted path. */
function alternatePath(path: string): string {
  return path.replace(/\\/g, '/');
}

function configOf(tree: WorkTree): string {
  return [
    '[core]',
    '\trepositoryformatversion = 0',
    '\tbare = false',
    `\tfilemode = ${String(platform.hasModes)}`,
    // On Windows links need a privilege; their targets come from the index.
    ...(platform.makesLinks ? [] : ['\tsymlinks = false']),
    ...(platform.ignoresCase ? ['\tignorecase = true'] : []),
    ...(platform.recomposesNames ? ['\tprecomposeunicode = true'] : []),
    '\tlogallrefupdates = false',
    '\tautocrlf = false',
    '\teol = lf',
    '\thooksPath = /dev/null',
    // A `git gc` by a command in the clone would copy nothing, but take its time.
    '[gc]',
    '\tauto = 0',
    `[remote ${configValue(tree.remote)}]`,
    `\turl = ${configValue(tree.repository.url)}`,
    `\tfetch = +refs/heads/*:refs/remotes/${tree.remote}/*`,
    '',
  ].join('\n');
}
