/** A scratch area for tests of src/git: remotes, a project folder, a cache, and clones that are released at the end. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git } from '../../src/git/clone.ts';
import type { Clone, CloneRequest, Commit } from '../../src/git/port.ts';
import { makeRepository, type CommitDescription, type Repository } from '../support/repo.ts';

export interface GitArea {
  readonly root: string;
  /** Folder of durant.conf. */
  readonly project: string;
  readonly cache: string;
  readonly waits: string[];
  readonly warnings: string[];
  remote(name: string, commits: readonly CommitDescription[]): Repository;
  open(request: Partial<CloneRequest> & Pick<CloneRequest, 'repository'>): Promise<Clone>;
  /** Opens, fetches, checks out, releases; gives the work tree's folder and the commit. */
  deployed(
    request: Partial<CloneRequest> & Pick<CloneRequest, 'repository'>,
    ref?: string,
  ): Promise<{ readonly directory: string; readonly commit: Commit }>;
  /** The one bare repository in the cache. */
  bare(): string;
  remove(): Promise<void>;
}

export function openGitArea(): GitArea {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'durant-git-')));
  const project = join(root, 'project');
  const cache = join(root, 'cache');
  mkdirSync(project);
  const waits: string[] = [];
  const warnings: string[] = [];
  const clones: Clone[] = [];
  const open: GitArea['open'] = async (request) => {
    const clone = await git.open({
      remote: 'origin',
      directory: project,
      stage: 'production',
      tempDir: undefined,
      cacheDir: cache,
      env: testEnvironment(),
      signal: new AbortController().signal,
      onWait: (message) => waits.push(message),
      lfs: true,
      onWarning: (code, message) => warnings.push(`${code}: ${message}`),
      ...request,
    });
    clones.push(clone);
    return clone;
  };
  return {
    root,
    project,
    cache,
    waits,
    warnings,
    open,
    remote(name, commits) {
      const directory = join(root, name);
      mkdirSync(directory, { recursive: true });
      return makeRepository(commits, directory);
    },
    async deployed(request, ref) {
      const clone = await open(request);
      try {
        const commit = await clone.fetch(ref);
        await clone.checkout(commit, { submodules: true });
        return { directory: clone.directory, commit };
      } finally {
        await clone.release();
      }
    },
    bare() {
      const names = readdirSync(join(cache, 'repositories')).filter((name) => name.endsWith('.git'));
      return join(cache, 'repositories', names[0] ?? '');
    },
    async remove() {
      await Promise.all(clones.map(async (clone) => await clone.release()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The environment of this process, as strings, with nothing of the user's git configuration. */
export function testEnvironment(): Record<string, string> {
  const set = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(set), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
}
