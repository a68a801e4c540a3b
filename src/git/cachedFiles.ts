/** Files, differences and lists of commits that the cache of a stage's repository holds already: nothing is fetched, no lock is needed. */
import { join } from 'node:path';
import { findGit, GitFailure, gitText, runGit, type GitContext } from './gitProcess.ts';
import { isFullId, LOG_FORMAT, parseCommits } from './commits.ts';
import type { Commit } from './port.ts';
import { gitEnvironment } from './gitEnvironment.ts';
import { parseRepository } from './repository.ts';

export interface CacheRequest {
  readonly repository: string;
  /** Folder of durant.conf. */
  readonly directory: string;
  readonly cacheDir: string;
  readonly gitPath?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A file that differs between two commits. */
export interface CommittedChange {
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'deleted';
  /** Whether git takes it for text. */
  readonly text: boolean;
}

/** The bytes of a file as it was committed; undefined where the cache has no such commit or the commit no such file. */
export async function committedFile(
  request: CacheRequest,
  commit: string,
  path: string,
): Promise<Buffer | undefined> {
  if (!isFullId(commit)) return undefined;
  try {
    return await runGit(...(await inCache(request, ['cat-file', 'blob', `${commit}:${path}`])));
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

/** What differs between two commits, by path; empty where the cache does not have both. */
export async function committedChanges(
  request: CacheRequest,
  from: string,
  to: string,
): Promise<readonly CommittedChange[]> {
  if (!isFullId(from) || !isFullId(to)) return [];
  const compare = ['diff-tree', '-r', '-z', '--no-renames'];
  try {
    const names = await gitText(...(await inCache(request, [...compare, '--name-status', from, to])));
    const counts = await gitText(...(await inCache(request, [...compare, '--numstat', from, to])));
    const binary = new Set(
      counts.split('\0').flatMap((line) => (line.startsWith('-\t-\t') ? [line.slice(4)] : [])),
    );
    const fields = names.split('\0');
    const changes: CommittedChange[] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const status = fields[index];
      const path = fields[index + 1] ?? '';
      const kind = status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'changed';
      changes.push({ path, kind, text: !binary.has(path) });
    }
    return changes;
  } catch (error) {
    if (error instanceof GitFailure) return [];
    throw error;
  }
}

/** Commits that `to` has and `from` has not, newest first; undefined where the cache does not have both. */
export async function committedLog(
  request: CacheRequest,
  from: string,
  to: string,
  limit: number,
): Promise<readonly Commit[] | undefined> {
  if (!isFullId(from) || !isFullId(to)) return undefined;
  try {
    const args = ['log', '-n', String(limit), ...LOG_FORMAT, `${from}..${to}`, '--'];
    return parseCommits(await gitText(...(await inCache(request, args))));
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

async function inCache(
  request: CacheRequest,
  args: readonly string[],
): Promise<[GitContext, { readonly directory: string; readonly args: readonly string[] }]> {
  const { key } = parseRepository(request.repository, request.directory, request.env['HOME']);
  const context: GitContext = {
    binary: await findGit(request.gitPath, request.env),
    env: gitEnvironment(request.env),
    config: [],
    signal: request.signal,
  };
  return [context, { directory: join(request.cacheDir, 'repositories', `${key}.git`), args }];
}
