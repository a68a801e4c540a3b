/** The bare repository in the cache that holds what was fetched: one per repository, shared by all projects and stages. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurantError } from '../errors.ts';
import { gitText, gitTextIfAny, GitFailure, type GitContext } from './command.ts';
import { isAbbreviatedId, isFullId, LOG_FORMAT, parseCommits } from './commits.ts';
import { withHiddenConfig } from './environment.ts';
import { unreachable } from './failures.ts';
import { configValue, removeStaleLocks } from './gitFolder.ts';
import { acquireLock, type LockRequest } from './lock.ts';
import type { Commit } from './port.ts';
import {
  findReference,
  LIST_REFERENCES,
  noSuchReference,
  parseReferences,
  shownName,
  type Reference,
} from './references.ts';
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

/** What was fetched. */
export interface Fetched {
  readonly commit: Commit;
  /** Undefined where no network was needed. */
  readonly references: readonly Reference[] | undefined;
}

/** Another stage that is only fetching is not worth a word, a first clone of minutes is. */
const FETCH_PATIENCE_MS = 1000;
/** More packs, or loose objects in one of the 256 folders, than this: time to join them. */
const PACKS_LIMIT = 50;
const LOOSE_LIMIT = 27;

/**
 * Fetches and resolves a branch, tag or commit id (undefined: the default branch of the remote).
 *
 * @throws {DurantError} `repository-unreachable`, `branch-not-found`.
 */
export async function fetchCommit(cache: Cache, ref: string | undefined): Promise<Fetched> {
  const wanted = ref?.trim() === '' ? undefined : ref?.trim();
  const id = wanted?.toLowerCase();
  if (id !== undefined && isFullId(id)) {
    const known = await commitOf(cache, id, id);
    if (known !== undefined) return { commit: known, references: undefined };
  }
  return await locked(cache, async () => {
    await prepare(cache);
    try {
      return await fetchAndResolve(cache, wanted);
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      // The remote answers, so the cache is damaged: half made, cut short by a full disk, or tampered with.
      await remake(cache);
      return await fetchAndResolve(cache, wanted).catch((again: unknown) => {
        throw again instanceof GitFailure ? unreachable(again, cache.repository) : again;
      });
    }
  });
}

/** Makes the cache anew with the commit in it, for a work tree that found an object missing. */
export async function refetch(cache: Cache, commit: Commit): Promise<void> {
  await locked(cache, async () => {
    await remake(cache);
    await fetchAndResolve(cache, commit.id);
  });
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

/** As `Clone.log`. */
export async function logBetween(
  cache: Cache,
  from: string,
  to: string,
  limit: number,
): Promise<readonly Commit[] | undefined> {
  if (!isFullId(from) || !isFullId(to)) return undefined;
  const args = inCache(cache, [
    'log',
    ...LOG_FORMAT,
    `--max-count=${Math.max(0, Math.floor(limit))}`,
    `${from}..${to}`,
    '--',
  ]);
  const text = await gitTextIfAny(cache.context, { directory: cache.directory, args });
  return text === undefined ? undefined : parseCommits(text);
}

async function fetchAndResolve(cache: Cache, wanted: string | undefined): Promise<Fetched> {
  const id = wanted !== undefined && isFullId(wanted.toLowerCase()) ? wanted.toLowerCase() : undefined;
  const [head] = await Promise.all([
    wanted === undefined ? remoteHead(cache) : undefined,
    id === undefined ? fetchReferences(cache) : fetchWithId(cache, id),
  ]);
  await joinPacks(cache);
  const references = await listReferences(cache);
  const commit =
    wanted === undefined
      ? await defaultCommit(cache, head, references)
      : ((id === undefined ? undefined : await commitOf(cache, id, id)) ??
        (await commitOfReference(cache, findReference(references, wanted))) ??
        (await commitOfAbbreviation(cache, wanted)));
  if (commit === undefined)
    throw noSuchReference(wanted ?? 'HEAD', references, cache.repository.shown, cache.remote);
  return { commit, references };
}

/** Branches and tags as the remote has them, in one round trip; what it lost goes here, too. */
async function fetchReferences(cache: Cache, more: readonly string[] = []): Promise<void> {
  try {
    await gitText(cache.context, {
      directory: cache.directory,
      // Verbose, since simple-git waits a little longer for processes that say nothing at all.
      args: inCache(cache, [
        ...['fetch', '--verbose', '--prune', '--no-tags', '--force', 'origin'],
        ...['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*', ...more],
      ]),
      reach: 'remote',
    });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    await removeStaleLocks(cache.directory);
    if (more.length > 0) throw error;
    if (!(await answers(cache))) throw unreachable(error, cache.repository);
    throw error;
  }
}

/** Whether the remote answers at all, asked from outside of the cache, which may be what is broken. */
async function answers(cache: Cache): Promise<boolean> {
  const text = await gitTextIfAny(cache.context, {
    directory: tmpdir(),
    args: ['--git-dir=/dev/null', 'ls-remote', 'origin', 'HEAD'],
    env: withHiddenConfig(cache.context.env, [['remote.origin.url', cache.repository.url]]),
    reach: 'remote',
  });
  return text !== undefined;
}

/** A commit may be on no branch any more; servers of this century give it all the same, others refuse the whole request. */
async function fetchWithId(cache: Cache, id: string): Promise<void> {
  try {
    await fetchReferences(cache, [`+${id}:refs/durant/kept/${id}`]);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    await fetchReferences(cache);
  }
}

interface RemoteHead {
  /** The branch that HEAD of the remote names. */
  readonly branch: string | undefined;
  readonly id: string | undefined;
}

/** What HEAD of the remote is now. A remote that cannot be reached is left to the fetch to complain of. */
async function remoteHead(cache: Cache): Promise<RemoteHead> {
  const text = await gitTextIfAny(cache.context, {
    directory: cache.directory,
    args: inCache(cache, ['ls-remote', '--symref', 'origin', 'HEAD']),
    reach: 'remote',
  });
  return {
    branch: /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(text ?? '')?.[1],
    id: /^([0-9a-f]{40})\tHEAD$/m.exec(text ?? '')?.[1],
  };
}

async function defaultCommit(
  cache: Cache,
  head: RemoteHead | undefined,
  references: readonly Reference[],
): Promise<Commit | undefined> {
  const named =
    head?.branch === undefined ? undefined : findReference(references, `refs/heads/${head.branch}`);
  if (named !== undefined) return await commitOfReference(cache, named);
  if (head?.id === undefined) throw noDefaultBranch(cache, references);
  // Detached, or a bundle or old server, which do not tell which branch HEAD is.
  const same = references.filter((each) => each.kind === 'branch' && each.id === head.id);
  const likely = same.find((each) => /^(main|master)$/.test(each.name)) ?? same[0];
  if (likely !== undefined) return await commitOfReference(cache, likely);
  const known = await commitOf(cache, head.id, 'HEAD');
  if (known !== undefined) return known;
  await fetchReferences(cache, ['+HEAD:refs/durant/head']);
  return await commitOf(cache, 'refs/durant/head', 'HEAD');
}

function noDefaultBranch(cache: Cache, references: readonly Reference[]): DurantError {
  const branches = references.filter((each) => each.kind === 'branch').map(shownName);
  return new DurantError(
    'branch-not-found',
    branches.length === 0
      ? `${cache.repository.shown} has no commits yet: push a branch first.`
      : `${cache.repository.shown} has no default branch, since its HEAD names none that exists: set \`branch\` to one of ${branches.slice(0, 5).join(', ')}.`,
  );
}

async function commitOfReference(
  cache: Cache,
  reference: Reference | undefined,
): Promise<Commit | undefined> {
  if (reference === undefined) return undefined;
  const commit = await commitOf(cache, reference.peeled ?? reference.id, shownName(reference));
  if (commit !== undefined) return commit;
  // A tag may stand for a file or a folder: then it is nothing to deploy. A branch is a commit, or the cache is damaged.
  if (reference.kind === 'tag') return undefined;
  throw new GitFailure(`bad object ${reference.id}`);
}

async function commitOfAbbreviation(cache: Cache, wanted: string): Promise<Commit | undefined> {
  const short = wanted.toLowerCase();
  if (!isAbbreviatedId(short)) return undefined;
  const found = await gitText(cache.context, {
    directory: cache.directory,
    args: inCache(cache, ['rev-parse', `--disambiguate=${short}`]),
  });
  const ids = found.split('\n').filter(isFullId);
  const commits = await Promise.all(ids.map((each) => commitOf(cache, each, each)));
  const different = new Map(commits.flatMap((each) => (each === undefined ? [] : [[each.id, each]])));
  if (different.size < 2) return [...different.values()][0];
  const listed = [...different.keys()].slice(0, 5).map((each) => each.slice(0, short.length + 4));
  throw new DurantError(
    'branch-not-found',
    `${wanted} begins the ids of several commits: ${listed.join(', ')}. Give more digits.`,
  );
}

/** The commit that an expression stands for, if the cache has it. */
async function commitOf(cache: Cache, expression: string, branch: string): Promise<Commit | undefined> {
  const args = inCache(cache, ['log', '-1', ...LOG_FORMAT, `${expression}^{commit}`, '--']);
  const text = await gitTextIfAny(cache.context, { directory: cache.directory, args });
  const commit = parseCommits(text ?? '')[0];
  return commit === undefined ? undefined : { ...commit, branch: isFullId(branch) ? commit.id : branch };
}

function inCache(cache: Cache, args: readonly string[]): readonly string[] {
  return [`--git-dir=${cache.directory}`, ...args];
}

async function locked<T>(cache: Cache, work: () => Promise<T>): Promise<T> {
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

/** Makes the cache where there is none, and has it point at the URL as it is written today. */
async function prepare(cache: Cache): Promise<void> {
  const config = [
    '[core]',
    '\trepositoryformatversion = 0',
    '\tbare = true',
    '\tlogallrefupdates = false',
    '[remote "origin"]',
    `\turl = ${configValue(cache.repository.url)}`,
    '',
  ].join('\n');
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
  await writeFile(`${file}.durant`, config, { mode: 0o600 });
  await rename(`${file}.durant`, file);
}

async function remake(cache: Cache): Promise<void> {
  await rm(cache.directory, { recursive: true, force: true });
  await prepare(cache);
}

/** Git's own collection is off: it would run behind the user's back, and drop commits that work trees still use. This only joins packs. */
async function joinPacks(cache: Cache): Promise<void> {
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
