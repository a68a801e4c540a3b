/** The port `Git` through simple-git: a bare cache per repository, one work tree per project and stage, one run at a time in each. */
import { verifyCommit } from './verifyCommit.ts';
import { mkdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { bug, DurantError, throwIfCancelled } from '../errors.ts';
import { listReferences, refreshCache, type Cache } from './cache.ts';
import { CLONE_CONFIG, findGit, GitFailure, type GitContext, runGit } from './gitProcess.ts';
import { withCredentials } from './credentials.ts';
import { gitEnvironment } from './gitEnvironment.ts';
import { checkoutFailed, isDamage } from './failures.ts';
import { fetchCommit, logBetween, refetch } from './fetch.ts';
import { LOCK_FILE } from './gitFolder.ts';
import { acquireLock } from './processLock.ts';
import { workTreePlace } from './workTreePlace.ts';
import type { Clone, CloneRequest, Commit, Git, TrackedFile } from './port.ts';
import type { Reference } from './references.ts';
import { checkRemoteName, localPath, parseRepository, type Repository } from './repository.ts';
import { askingNothing } from './sshEnvironment.ts';
import { SubmoduleFailure } from './submodules.ts';
import type { CheckedOut, WorkTree } from './indexFiles.ts';
import { uncommittedFiles } from './uncommitted.ts';
import { checkOut, forgetIndex, outliveOrphans } from './workTree.ts';

/** Git on this machine. */
export const git: Git = { open };

async function open(request: CloneRequest): Promise<Clone> {
  const { signal } = request;
  throwIfCancelled(signal);
  checkRemoteName(request.remote);
  const repository = await loggedIn(
    parseRepository(request.repository, request.directory, request.env['HOME']),
    request,
  );
  const binary = await findGit(request.gitPath, request.env);
  const place = await workTreePlace(request);
  const lock = await acquireLock({
    file: join(place.gitFolder, LOCK_FILE),
    signal,
    onWait: (holder) => {
      request.onWait(
        `The local clone ${place.directory} is in use by another run (process ${holder.pid} on ${holder.host}, since ${holder.since}); waiting for it to end.`,
      );
    },
  });
  try {
    const bare: GitContext = { binary, env: gitEnvironment(request.env), config: CLONE_CONFIG, signal };
    const context = withCredentials(repository.local ? bare : await askingNothing(bare), repository);
    const cache: Cache = {
      directory: join(request.cacheDir, 'repositories', `${repository.key}.git`),
      repository,
      remote: request.remote,
      context,
      onWait: (holder) => {
        request.onWait(
          `Another run (process ${holder.pid} on ${holder.host}) is fetching ${repository.shown}; waiting for it.`,
        );
      },
    };
    const tree: WorkTree = {
      directory: place.directory,
      gitFolder: place.gitFolder,
      lfs: request.lfs,
      cache: cache.directory,
      repository,
      remote: request.remote,
      context,
    };
    await mkdir(join(request.cacheDir, 'repositories'), { recursive: true, mode: 0o700 });
    // Those of a run that died; a living one would hold the lock.
    await rm(place.scratch, { recursive: true, force: true });
    if (lock.takenOver) await outliveOrphans(tree);
    await refreshCache(cache);
    return cloneOf({ request, cache, tree, scratch: place.scratch, release: () => lock.release() });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** With the login that was given for its host, where its URL has none. */
async function loggedIn(repository: Repository, { login }: CloneRequest): Promise<Repository> {
  const { origin } = repository;
  const given = origin === undefined ? undefined : await login?.(origin);
  return origin === undefined || given === undefined
    ? repository
    : { ...repository, credentials: { origin, ...given } };
}

interface Parts {
  readonly request: CloneRequest;
  readonly cache: Cache;
  readonly tree: WorkTree;
  readonly scratch: string;
  readonly release: () => Promise<void>;
}

function cloneOf({ request, cache, tree, scratch, release }: Parts): Clone {
  let references: readonly Reference[] | undefined;
  let files: readonly TrackedFile[] | undefined;
  const checkedOutIn = async (where: WorkTree, commit: Commit, submodules: boolean): Promise<CheckedOut> => {
    const result = await checkOutOrRepair(cache, where, commit, {
      submodules,
      references: references ?? (await listReferencesIfAny(cache)),
    });
    if (request.lfs) refusePointers(result.pointers);
    return result;
  };
  return {
    directory: tree.directory,
    async fetch(ref) {
      const fetched = await fetchCommit(cache, ref, request.onWarning);
      references = fetched.references ?? references;
      return fetched.commit;
    },
    async checkout(commit, options) {
      files = undefined;
      files = (await checkedOutIn(tree, commit, options.submodules)).files;
    },
    async trackedFiles() {
      if (files === undefined) throw bug('Nothing is checked out in the local clone.');
      return files;
    },
    async file(commit, path) {
      return await fileOf(cache, commit, path);
    },
    async uncommitted() {
      const path = localPath(cache.repository);
      return path === undefined ? 0 : (await uncommittedFiles(cache.context, path)).length;
    },
    async log(from, to, limit) {
      return await logBetween(cache, from, to, limit);
    },
    async verify({ id }) {
      const { context, directory } = cache;
      return await verifyCommit(context, { repository: directory, project: request.directory, id });
    },
    async scratch(commit, options) {
      const directory = join(scratch, randomBytes(6).toString('hex'));
      const gitFolder = join(directory, '.git');
      const remove = async () => {
        await rm(directory, { recursive: true, force: true });
      };
      try {
        await mkdir(gitFolder, { recursive: true, mode: 0o700 });
        const made = await checkedOutIn({ ...tree, directory, gitFolder }, commit, options.submodules);
        return { directory, files: made.files, remove };
      } catch (error) {
        await remove();
        throw error;
      }
    },
    release,
  };
}

/** Checks out; then without what the work tree kept; then, where objects are missing, with a cache that is fetched anew. */
async function checkOutOrRepair(
  cache: Cache,
  tree: WorkTree,
  commit: Commit,
  options: { readonly submodules: boolean; readonly references: readonly Reference[] },
): Promise<CheckedOut> {
  const attempt = async (): Promise<CheckedOut | GitFailure> => {
    try {
      return await checkOut(tree, commit.id, options);
    } catch (error) {
      if (error instanceof GitFailure) return error;
      throw error;
    }
  };
  let result = await attempt();
  if (!(result instanceof GitFailure)) return result;
  if (!(result instanceof SubmoduleFailure)) {
    await forgetIndex(tree);
    result = await attempt();
  }
  if (result instanceof GitFailure && !(result instanceof SubmoduleFailure) && isDamage(result)) {
    await refetch(cache, commit);
    result = await attempt();
  }
  if (result instanceof GitFailure) throw checkoutFailed(result, cache.repository, tree.directory);
  return result;
}

async function fileOf(cache: Cache, commit: Commit, path: string): Promise<Buffer | undefined> {
  try {
    return await runGit(cache.context, {
      directory: cache.directory,
      args: ['cat-file', 'blob', `${commit.id}:${path}`],
    });
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

/** Where no fetch was needed the clone still gets its tags, for `git describe` in a hook. */
async function listReferencesIfAny(cache: Cache): Promise<readonly Reference[]> {
  try {
    return await listReferences(cache);
  } catch (error) {
    if (error instanceof GitFailure) return [];
    throw error;
  }
}

/** @throws {DurantError} `lfs-missing` where pointers would be sent instead of what they stand for. */
function refusePointers(pointers: readonly string[]): void {
  if (pointers.length === 0) return;
  const named = pointers.slice(0, 3).map((path) => Buffer.from(path, 'latin1').toString('utf8'));
  const listed = named.join(', ') + (pointers.length > named.length ? ', …' : '');
  throw new DurantError(
    'lfs-missing',
    `${pointers.length} file${pointers.length === 1 ? ' is a Git LFS pointer' : 's are Git LFS pointers'} instead of content (${listed}).`,
    { remedy: 'Install git-lfs on this machine, or write lfs: no to send the pointers as they are.' },
  );
}
