/** What Durant writes and removes by itself in git's folders, without a process. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A value of git's configuration files, quoted. */
export function configValue(value: string): string {
  const escaped = value
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n')
    .replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

/** Removes what a git that was killed leaves in a git folder: lock files and half packs. Only for who holds our lock on it. */
export async function removeStaleLocks(gitFolder: string): Promise<void> {
  const entries = await readdir(gitFolder, { withFileTypes: true }).catch(() => []);
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(gitFolder, entry.name);
      if (entry.isDirectory())
        await (entry.name === 'objects' ? removeHalfPacks(path) : removeStaleLocks(path));
      else if (entry.name.endsWith('.lock') && entry.name !== LOCK_FILE) await rm(path, { force: true });
    }),
  );
}

/** Hashes of a work tree's files in its git folder, which the engine keeps from run to run. */
export const HASHES_FILE = 'durant-hashes';

/** Durant's own lock in the git folder of a work tree. */
export const LOCK_FILE = 'durant.lock';

async function removeHalfPacks(objects: string): Promise<void> {
  for (const folder of ['pack', 'info']) {
    const names = await readdir(join(objects, folder)).catch(() => []);
    const stale = names.filter((name) => name.startsWith('tmp_') || /\.(keep|lock)$/.test(name));
    await Promise.all(stale.map(async (name) => await rm(join(objects, folder, name), { force: true })));
  }
}

/** Where a shallow repository lists the commits whose parents it does not have. */
export const SHALLOW_FILE = 'shallow';

/** Ids of the commits at which a repository's history is cut off; none: it is complete. */
export async function shallowBoundary(gitFolder: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(gitFolder, SHALLOW_FILE), 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((id) => id !== ''));
}

/** Writes a file as a whole, if it is not so already. */
export async function writeIfDifferent(
  file: string,
  content: string,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<'same' | 'written'> {
  const present = await readFile(file, encoding).catch(() => undefined);
  if (present === content) return 'same';
  await writeFile(`${file}.durant`, content, { encoding, mode: 0o600 });
  await rename(`${file}.durant`, file);
  return 'written';
}
