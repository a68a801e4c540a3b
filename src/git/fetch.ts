/** What a run fetches: everything that is new, in one round trip; and the commit that it asked for. */
import { tmpdir } from 'node:os';
import { DurantError } from '../errors.ts';
import {
  inCache,
  joinPacks,
  listReferences,
  prepareCache,
  remakeCache,
  withCacheLocked,
  type Cache,
} from './cache.ts';
import { gitText, gitTextIfAny, GitFailure } from './gitProcess.ts';
import { isAbbreviatedId, isFullId, LOG_FORMAT, parseCommits } from './commits.ts';
import { withHiddenConfig } from './gitEnvironment.ts';
import { isDiskFull, unreachable } from './failures.ts';
import { removeStaleLocks, shallowBoundary } from './gitFolder.ts';
import type { CloneRequest, Commit } from './port.ts';
import { localPath } from './repository.ts';
import {
  endsBefore,
  findReference,
  isAmbiguous,
  noDefaultBranch,
  noSuchReference,
  shownName,
  type Reference,
} from './references.ts';

/** What was fetched. */
export interface Fetched {
  readonly commit: Commit;
  /** Undefined where no network was needed. */
  readonly references: readonly Reference[] | undefined;
}

/**
 * Fetches and resolves a branch, tag or commit id (undefined: the default branch of the remote).
 *
 * @throws {DurantError} `repository-unreachable`, `branch-not-found`.
 */
export async function fetchCommit(
  cache: Cache,
  ref: string | undefined,
  onWarning: CloneRequest['onWarning'],
): Promise<Fetched> {
  const { base: wanted, steps } = parseRevision(ref);
  const id = wanted?.toLowerCase();
  if (id !== undefined && isFullId(id)) {
    const known = await commitOf(cache, `${id}${steps}`, id);
    if (known !== undefined) return { commit: known, references: undefined };
  }
  return await withCacheLocked(cache, async () => {
    await prepareCache(cache);
    try {
      return await stepsFrom(cache, await fetchAndResolve(cache, wanted, onWarning), ref, steps);
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      if (isDiskFull(error)) throw unreachable(error, cache.repository);
      // The remote answers, so the cache is damaged: half made, cut short, or tampered with.
      await refusePartial(cache);
      await remakeCache(cache);
      const again = await fetchAndResolve(cache, wanted, onWarning).catch((again: unknown) => {
        throw again instanceof GitFailure ? unreachable(again, cache.repository) : again;
      });
      return await stepsFrom(cache, again, ref, steps);
    }
  });
}

/** Makes the cache anew with the commit in it, for a work tree that found an object missing. */
export async function refetch(cache: Cache, commit: Commit): Promise<void> {
  await withCacheLocked(cache, async () => {
    await remakeCache(cache);
    await fetchAndResolve(cache, commit.id, () => undefined);
  });
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
  if (text === undefined) return undefined;
  const commits = parseCommits(text);
  const boundary = await shallowBoundary(cache.directory);
  return commits.some(({ id }) => boundary.has(id)) ? undefined : commits;
}

/** What git calls a revision: a name or id, then `~` and `^`. Undefined: the default branch, which `HEAD` stands for as well. */
function parseRevision(ref: string | undefined): {
  readonly base: string | undefined;
  readonly steps: string;
} {
  const text = ref?.trim() ?? '';
  const [, base = text, steps = ''] = /^(.+?)((?:[~^]\d*)+)$/s.exec(text) ?? [];
  return { base: base === '' || base === 'HEAD' ? undefined : base, steps };
}

/** The commit that `~` and `^` lead to from the one that was fetched. */
async function stepsFrom(
  cache: Cache,
  fetched: Fetched,
  ref: string | undefined,
  steps: string,
): Promise<Fetched> {
  if (steps === '') return fetched;
  const { commit } = fetched;
  const found = await commitOf(cache, `${commit.id}${steps}`, commit.branch);
  if (found !== undefined) return { ...fetched, commit: found };
  const isShallow = (await shallowBoundary(cache.directory)).size > 0;
  throw endsBefore(ref?.trim() ?? '', commit.branch, isShallow ? cache.repository : undefined);
}

/** @throws {DurantError} `repository-unreachable` for a clone of this machine that has only some of its objects, as nothing can be fetched from it. */
async function refusePartial(cache: Cache): Promise<void> {
  const { repository } = cache;
  if (!repository.local) return;
  const args = ['config', '--get-regexp', String.raw`^(extensions\.partialclone|remote\..*\.promisor)$`];
  const found = await gitTextIfAny(cache.context, {
    directory: localPath(repository) ?? '/',
    args,
  });
  if (found === undefined || found.trim() === '') return;
  throw new DurantError(
    'repository-unreachable',
    `${repository.shown} is a partial clone, which does not have all of its objects.`,
    {
      remedy:
        'Fetch them there (git fetch --refetch --no-filter), or name the repository that it was cloned from as `repository`.',
    },
  );
}

async function fetchAndResolve(
  cache: Cache,
  wanted: string | undefined,
  onWarning: CloneRequest['onWarning'],
): Promise<Fetched> {
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
  if (wanted !== undefined && isAmbiguous(references, wanted))
    onWarning(
      'ambiguous-ref',
      `${wanted} is a branch and a tag; the branch is meant. For the tag write refs/tags/${wanted}.`,
    );
  return { commit, references };
}

/** Branches and tags as the remote has them, in one round trip; what it lost goes here, too. */
async function fetchReferences(cache: Cache, more: readonly string[] = []): Promise<void> {
  try {
    await gitText(cache.context, {
      directory: cache.directory,
      // Verbose, since simple-git waits a little longer for processes that say nothing at all.
      args: inCache(cache, [
        ...['fetch', '--verbose', '--prune', '--no-tags', '--force'],
        // A shallow repository may move where the cache's history ends; what it, or a complete one, has more is fetched later.
        ...[
          '--update-shallow',
          ...((await shallowBoundary(cache.directory)).size > 0 ? ['--unshallow'] : []),
        ],
        'origin',
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
  if (head?.id === undefined) throw noDefaultBranch(cache.repository, references);
  // Detached, or a bundle or old server, which do not tell which branch HEAD is.
  const same = references.filter((each) => each.kind === 'branch' && each.id === head.id);
  const likely = same.find((each) => /^(main|master)$/.test(each.name)) ?? same[0];
  if (likely !== undefined) return await commitOfReference(cache, likely);
  const known = await commitOf(cache, head.id, 'HEAD');
  if (known !== undefined) return known;
  await fetchReferences(cache, ['+HEAD:refs/durant/head']);
  return await commitOf(cache, 'refs/durant/head', 'HEAD');
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
    `${wanted} begins the ids of several commits: ${listed.join(', ')}.`,
    { remedy: 'Give more digits.' },
  );
}

/** The commit that an expression stands for, if the cache has it. */
async function commitOf(cache: Cache, expression: string, branch: string): Promise<Commit | undefined> {
  const args = inCache(cache, ['log', '-1', ...LOG_FORMAT, `${expression}^{commit}`, '--']);
  const text = await gitTextIfAny(cache.context, { directory: cache.directory, args });
  const commit = parseCommits(text ?? '')[0];
  return commit === undefined ? undefined : { ...commit, branch: isFullId(branch) ? commit.id : branch };
}
