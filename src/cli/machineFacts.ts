/** What validation may know of this machine: the key's file, the refs and files of a clone that is here. Nothing is written or fetched. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { platform } from '../platform.ts';
import { expandLocalPath } from '../config/values/localPath.ts';
import type { Stage } from '../config/values/stage.ts';
import { resolversIn } from '../config/values/resolvers.ts';
import type { Facts } from '../config/rules/validate.ts';
import { durantFolders } from '../engine/thisMachine.ts';
import { findGit, gitTextIfAny, type GitContext } from '../git/gitProcess.ts';
import { gitEnvironment } from '../git/gitEnvironment.ts';
import { LIST_REFERENCES, parseReferences, shownName } from '../git/references.ts';
import { localPath, parseRepository } from '../git/repository.ts';
import { createHides } from '../transfer/tree/hiddenPaths.ts';
import type { Project } from './project.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Collects the facts of some stages. What cannot be found out is left out, and then not judged. */
export async function collectFacts(
  project: Project,
  stages: readonly Stage[],
  { env, signal }: { readonly env: Environment; readonly signal: AbortSignal },
): Promise<Facts> {
  const defined = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  const variables: Readonly<Record<string, string>> = Object.fromEntries(defined);
  const refs = new Map<string, readonly string[] | undefined>();
  const files = new Map<string, readonly string[] | undefined>();
  const repositories = new Map<string, boolean>();
  // Thousands of stages deploy from few clones: git is asked once for each clone, and for each branch.
  const refsOnce = once<readonly string[] | undefined>(Infinity);
  const repositoryOnce = once<boolean>(Infinity);
  const filesOnce = once<readonly string[] | undefined>(MOST_BRANCHES);
  const binary = await findGit(undefined, variables).catch(() => undefined);
  if (binary !== undefined) {
    const context: GitContext = { binary, env: gitEnvironment(variables), config: [], signal };
    for (const stage of stages) {
      const folder = folderOf(project, stage, variables);
      if (folder !== undefined)
        repositories.set(
          stage.name,
          (await repositoryOnce(folder, () => isRepository(context, folder))) === true,
        );
      const clone = cloneOf(project, stage, variables);
      if (clone === undefined) continue;
      refs.set(stage.name, await refsOnce(clone, () => refsOf(context, clone)));
      if ((stage.values.get('exclude')?.value ?? '') === '') continue;
      const branch = plain(stage, 'branch');
      const key = `${clone}\0${branch ?? ''}`;
      files.set(stage.name, await filesOnce(key, () => filesOf(context, clone, branch)));
    }
  }
  return {
    identity: (path) => identityFile(resolve(project.directory, expandLocalPath(path, env))),
    sampleServer: 'server.example.com',
    isRepository: (stage) => repositories.get(stage.name),
    refs: (stage) => refs.get(stage.name),
    trackedFiles: (stage) => files.get(stage.name),
    excludes: createHides(),
  };
}

/** Branches whose files are listed; stages of further ones are not judged by their files. */
const MOST_BRANCHES = 20;

/** Remembers what was looked up, by key; undefined for new keys beyond `most`. */
function once<T>(most: number): (key: string, look: () => Promise<T>) => Promise<T | undefined> {
  const known = new Map<string, Promise<T>>();
  return async (key, look) => {
    let found = known.get(key);
    if (found === undefined) {
      if (known.size >= most) return undefined;
      found = look();
      known.set(key, found);
    }
    return await found;
  };
}

/** The folder of a clone that is on this machine already: the repository itself, or the cache of an earlier run. */
function cloneOf(project: Project, stage: Stage, env: Readonly<Record<string, string>>): string | undefined {
  const written = plain(stage, 'repository');
  if (written === undefined) return undefined;
  try {
    const repository = parseRepository(written, project.directory, env['HOME']);
    const { cacheDir } = durantFolders(env);
    const folder = localPath(repository) ?? join(cacheDir, 'repositories', `${repository.key}.git`);
    return existsSync(folder) ? folder : undefined;
  } catch {
    // A repository that git may not be given is a problem of its own, which validation has.
    return undefined;
  }
}

/** The folder of this machine that `repository` names, there or not. */
function folderOf(project: Project, stage: Stage, env: Readonly<Record<string, string>>): string | undefined {
  const written = plain(stage, 'repository');
  if (written === undefined) return undefined;
  try {
    return localPath(parseRepository(written, project.directory, env['HOME']));
  } catch {
    return undefined;
  }
}

/** Whether git finds a repository in a folder, or above it. */
async function isRepository(context: GitContext, directory: string): Promise<boolean> {
  if (!existsSync(directory)) return false;
  const env = { GIT_CEILING_DIRECTORIES: '' };
  return (await gitTextIfAny(context, { directory, args: ['rev-parse', '--git-dir'], env })) !== undefined;
}

/** A text value of the stage that no resolver stands for. */
function plain(stage: Stage, key: string): string | undefined {
  const value = stage.values.get(key)?.value;
  return value === undefined || value === '' || resolversIn('text', value).length > 0 ? undefined : value;
}

async function refsOf(context: GitContext, directory: string): Promise<readonly string[] | undefined> {
  const listed = await gitTextIfAny(context, { directory, args: LIST_REFERENCES });
  return listed === undefined
    ? undefined
    : parseReferences(Buffer.from(listed, 'utf8').toString('latin1')).map(shownName);
}

async function filesOf(
  context: GitContext,
  directory: string,
  branch: string | undefined,
): Promise<readonly string[] | undefined> {
  // `--` ends the options only after the tree; a branch that looks like one is not asked for.
  if (branch?.startsWith('-') === true) return undefined;
  const args = ['ls-tree', '-r', '-z', '--full-tree', '--name-only', branch ?? 'HEAD'];
  const listed = await gitTextIfAny(context, { directory, args });
  return listed?.split('\0').filter((name) => name !== '');
}

function identityFile(path: string): { exists: boolean; mode?: number } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return { exists: false };
  return platform.hasModes ? { exists: true, mode: found.mode & 0o777 } : { exists: true };
}
