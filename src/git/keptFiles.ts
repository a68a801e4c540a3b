/**
 * What goals left in the clone: files that git does not track, and tags that no remote has yet. A checkout of the same commit would
 * remove them; here they are put aside before it and back after it, so that what is achieved stays achieved.
 */
import { lstat, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gitText, type GitContext } from './gitProcess.ts';

/** In the git folder of the clone; workTree.ts lets it live. */
export const KEPT_FOLDER = 'durant-kept';

/** The commit that the clone was checked out at last; undefined where it never was. */
export async function checkedOutCommit(directory: string): Promise<string | undefined> {
  const head = await readFile(join(directory, '.git', 'HEAD'), 'utf8').catch(() => '');
  return /^[0-9a-f]{40,64}$/.test(head.trim()) ? head.trim() : undefined;
}

/** Moves what goals left at this commit out of a checkout's way. What was left at another commit is forgotten. */
export async function putAside(directory: string, commit: string, context: GitContext): Promise<void> {
  const kept = join(directory, '.git', KEPT_FOLDER);
  if ((await checkedOutCommit(directory)) !== commit) {
    await rm(kept, { recursive: true, force: true });
    return;
  }
  const before = await readFile(join(kept, 'commit'), 'utf8').catch(() => undefined);
  if (before !== undefined && before !== commit) await rm(kept, { recursive: true, force: true });
  await mkdir(join(kept, 'files'), { recursive: true });
  await writeFile(join(kept, 'commit'), commit);
  const listed = await gitText(
    context,
    { directory, args: ['ls-files', '--others', '--directory', '--no-empty-directory', '-z'] },
    'latin1',
  );
  for (const path of listed.split('\0').filter((each) => each !== '')) {
    const name = bytes(path.replace(/\/$/, ''));
    await moveInto(joined(directory, name), joined(join(kept, 'files'), name));
  }
  // Loose references are those that were made here: a checkout writes what the remote has as packed ones.
  await moveInto(Buffer.from(join(directory, '.git', 'refs', 'tags')), Buffer.from(join(kept, 'tags')));
}

/** Puts back what was put aside at this commit, as far as nothing stands in its place. */
export async function putBack(directory: string, commit: string): Promise<void> {
  const kept = join(directory, '.git', KEPT_FOLDER);
  const left = await readFile(join(kept, 'commit'), 'utf8').catch(() => undefined);
  if (left === undefined) return;
  if (left === commit) {
    await moveInto(Buffer.from(join(kept, 'files')), Buffer.from(directory));
    await moveInto(Buffer.from(join(kept, 'tags')), Buffer.from(join(directory, '.git', 'refs', 'tags')));
  }
  await rm(kept, { recursive: true, force: true });
}

/** Moves a file or folder; where both are folders, what is in it. What stands there already stays. */
async function moveInto(from: Buffer, to: Buffer): Promise<void> {
  const source = await lstat(from).catch(() => undefined);
  if (source === undefined) return;
  const target = await lstat(to).catch(() => undefined);
  if (target === undefined) {
    await mkdir(parentOf(to), { recursive: true });
    await rename(from, to);
    return;
  }
  if (!source.isDirectory() || !target.isDirectory()) return;
  for (const name of await readdir(from, { encoding: 'buffer' }))
    await moveInto(joined(from, name), joined(to, name));
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function joined(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]);
}

function parentOf(path: Buffer): Buffer {
  return bytes(dirname(path.toString('latin1')));
}
