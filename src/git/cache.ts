/** The bare repository in the cache that holds what was fetched: one per repository, shared by all projects and stages. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitText, gitTextIfAny, type GitContext } from './gitProcess.ts';
import { configValue, removeStaleLocks, writeIfDifferent } from './gitFolder.ts';
import { acquireLock, type LockRequest } from './processLock.ts';
import { LIST_REFERENCES, parseReferences, type Reference } from './references.ts';
import type { Repository } from './repository.ts';

export interface Cache {
  /** The bare repository. It may be removed and made anew while it is locked. */
  readonly directory: string;
  readonly repository: Repository;
  /** Name of the remote for people; in the cache itself it is always `origin`. */
  readonly remote: string;
  readonly context: GitContext;
  readonly onWait: LockRequest['onWait'];
}

/** Another stage that is only fetching is not worth a word, a first clone of minutes is. */
const FETCH_PATIENCE_MS = 1000;
/** More packs, or loose objects in one of the 256 folders, than this: time to join them. */
const PACKS_LIMIT = 50;
const LOOSE_LIMIT = 27;

/** Arguments for git in the cache. */
export function inCache(cache: Cache, args: readonly string[]): readonly string[] {
  return [`--git-dir=${cache.directory}`, ...args];
}

/** All branches and tags as they were fetched last. */
export async function listReferences(cache: Cache): Promise<readonly Reference[]> {
  return parseReferences(
    await gitText(
      cache.context,
      { directory: cache.directory, args: inCache(cache, LIST_REFERENCES) },
      'latin1',
    ),
  );
}

/** Does the work while no other run touches the cache. */
export async function withCacheLocked<T>(cache: Cache, work: () => Promise<T>): Promise<T> {
  const lock = await acquireLock({
    file: `${cache.directory}.lock`,
    signal: cache.context.signal,
    onWait: cache.onWait,
    patience: FETCH_PATIENCE_MS,
  });
  try {
    if (lock.takenOver) await removeStaleLocks(cache.directory);
    return await work();
  } finally {
    await lock.release();
  }
}

/** Older caches had the password of a URL in their configuration, which a commit that is there already would never touch. */
export async function refreshCache(cache: Cache): Promise<void> {
  const present = await readFile(join(cache.directory, 'config'), 'utf8').catch(() => undefined);
  if (present !== undefined && present !== configOf(cache))
    await withCacheLocked(cache, async () => await prepareCache(cache));
}

/** Makes the cache where there is none, and has it point at the URL as it is written today. */
export async function prepareCache(cache: Cache): Promise<void> {
  const config = configOf(cache);
  const file = join(cache.directory, 'config');
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === config) return;
  if (present === undefined) {
    const fresh = `${cache.directory}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(join(fresh, 'objects', 'info'), { recursive: true, mode: 0o700 });
    await mkdir(join(fresh, 'objects', 'pack'));
    await mkdir(join(fresh, 'refs'));
    await writeFile(join(fresh, 'HEAD'), 'ref: refs/durant/none\n');
    await writeFile(join(fresh, 'config'), config, { mode: 0o600 });
    await rm(cache.directory, { recursive: true, force: true });
    await rename(fresh, cache.directory);
    return;
  }
  await writeIfDifferent(file, config);
}

function configOf(cache: Cache): string {
  return [
    '[core]',
    '\trepositoryformatversion = 0',
    '\tbare = true',
    '\tlogallrefupdates = false',
    '[remote "origin"]',
    `\turl = ${configValue(cache.repository.url)}`,
    '',
  ].join('\n');
}

/** Throws the cache away and makes an empty one. */
export async function remakeCache(cache: Cache): Promise<void> {
  await rm(cache.directory, { recursive: true, force: true });
  await prepareCache(cache);
}

/** Git's own collection is off: it would run behind the user's back, and drop commits that work trees still use. This only joins packs. */
export async function joinPacks(cache: Cache): Promise<void> {
  const objects = join(cache.directory, 'objects');
  const [packs, loose] = await Promise.all(
    ['pack', '17'].map(async (name) => await readdir(join(objects, name)).catch(() => [])),
  );
  const many = (packs ?? []).filter((name) => name.endsWith('.pack')).length > PACKS_LIMIT;
  if (!many && (loose ?? []).length <= LOOSE_LIMIT) return;
  for (const args of [
    ['repack', '-d', '--geometric=2', '--quiet'],
    ['pack-refs', '--all'],
  ])
    await gitTextIfAny(cache.context, { directory: cache.directory, args: inCache(cache, args) });
}
