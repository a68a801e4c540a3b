/**
 * Hashes of a work tree's files, kept between runs and keyed by path, size, mtime, ctime and inode, so that a tree that did not change
 * costs one lstat a file. As in git's index, an entry is not trusted where the file could have changed again within its time stamp.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Stats } from 'node:fs';
import { escapePath, unescapePath } from './manifest.ts';

const header = 'durant hashes 2\n';

export interface HashCache {
  get(path: string, stat: Stats): string | undefined;
  set(path: string, stat: Stats, hash: string): void;
  /** Writes what was got or set since it was opened. A cache that cannot be written is only slower: never throws. */
  save(): Promise<void>;
}

/** Opens the cache; an unreadable or foreign file is an empty cache. `undefined` keeps nothing. */
export async function openHashCache(file: string | undefined): Promise<HashCache> {
  const openedMs = Date.now();
  const known = file === undefined ? new Map<string, string>() : await load(file);
  const kept = new Map<string, string>();
  let isChanged = false;
  return {
    get: (path, stat) => {
      const line = known.get(path);
      if (line === undefined || line.slice(65) !== stamp(stat)) return undefined;
      kept.set(path, line);
      return line.slice(0, 64);
    },
    set: (path, stat, hash) => {
      if (!isSettled(stat, openedMs)) return;
      kept.set(path, `${hash} ${stamp(stat)}`);
      isChanged = true;
    },
    save: async () => {
      if (file === undefined || (!isChanged && kept.size === known.size)) return;
      await store(file, kept);
    },
  };
}

function stamp(stat: Stats): string {
  return `${stat.size.toString()} ${stat.mtimeMs.toString()} ${stat.ctimeMs.toString()} ${stat.ino.toString()}`;
}

/** Whether a later change would show in the time stamps: they are older than the clock's step (20 ms; 2 s where they are whole seconds). */
function isSettled(stat: Stats, openedMs: number): boolean {
  const step = stat.ctimeMs % 1000 === 0 ? 2000 : 20;
  return stat.ctimeMs + step < openedMs && stat.mtimeMs + step < openedMs;
}

async function load(file: string): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  const text = await readFile(file, 'latin1').catch(() => '');
  if (!text.startsWith(header)) return known;
  for (const line of text.slice(header.length).split('\n')) {
    const tab = line.indexOf('\t');
    if (tab > 65) known.set(unescapePath(line.slice(tab + 1)), line.slice(0, tab));
  }
  return known;
}

async function store(file: string, kept: ReadonlyMap<string, string>): Promise<void> {
  const temporary = `${file}.${process.pid.toString()}`;
  const lines = [header];
  for (const [path, line] of kept) lines.push(`${line}\t${escapePath(path)}\n`);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, lines.join(''), 'latin1');
    await rename(temporary, file);
  } catch {
    // Only a cache: the next run hashes again.
    await rm(temporary, { force: true });
  }
}
