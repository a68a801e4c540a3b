/** Work in the project that a deploy would not take along: it sends commits of the stage's repository, not what lies in the editor. */
import { realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Host, StageRequest } from '../engine/index.ts';
import { findGit, gitTextIfAny, type GitContext } from '../git/gitProcess.ts';
import { gitEnvironment } from '../git/gitEnvironment.ts';
import { localPath, parseRepository, withoutSecrets } from '../git/repository.ts';
import { isWork, uncommittedFiles } from '../git/uncommitted.ts';
import type { LeftOut } from './protocol.ts';

/** A deploy that is about to begin. */
export interface Intended {
  readonly request: StageRequest;
  readonly ref: string | undefined;
  /** Paths of files with changes that are only in the editor. */
  readonly unsaved: readonly string[];
}

/** What would be left out; undefined where nothing is, or where the deploy is of something else than what is being worked on. */
export async function findLeftOut(
  { request, ref, unsaved }: Intended,
  host: Host,
  signal: AbortSignal,
): Promise<LeftOut | undefined> {
  const directory = dirname(request.file);
  const env = definedOnly(host.env);
  const context: GitContext = {
    binary: await findGit(host.gitPath, env),
    env: { ...gitEnvironment(env), GIT_OPTIONAL_LOCKS: '0' },
    config: [],
    signal,
  };
  const git = (...args: readonly string[]): Promise<string | undefined> =>
    gitTextIfAny(context, { directory, args, env: { GIT_CEILING_DIRECTORIES: '' } });

  const root = (await git('rev-parse', '--show-toplevel'))?.trim();
  const branch = (await git('symbolic-ref', '--quiet', '--short', 'HEAD'))?.trim();
  if (root === undefined || branch === undefined) return undefined;
  const remote = await relation(request, { root, directory, git, env });
  if (remote === 'none') return undefined;
  const deployed = ref ?? request.settings.branch;
  if (deployed !== undefined && deployed !== branch) return undefined;

  const inEditor = unsaved.map((path) => relative(root, path).replaceAll(sep, '/')).filter(isWork);
  const files: LeftOut['files'] = [
    ...inEditor.map((path) => ({ path, state: 'unsaved' as const })),
    ...(await uncommittedFiles(context, root)).filter(({ path }) => !inEditor.includes(path)),
  ];
  const log =
    remote === 'itself'
      ? undefined
      : await git('log', '--format=%h %s', '--abbrev=7', 'HEAD', '--not', '--remotes');
  const unpushed = (log ?? '').split('\n').filter((line) => line !== '');
  return files.length + unpushed.length === 0 ? undefined : { files, unpushed, branch };
}

/** How the repository that is deployed stands to the project: it is the project itself, a remote of it, or something else. */
async function relation(
  request: StageRequest,
  project: {
    readonly root: string;
    readonly directory: string;
    readonly git: (...args: readonly string[]) => Promise<string | undefined>;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<'itself' | 'remote' | 'none'> {
  const repository = parseRepository(request.settings.repository, project.directory, project.env['HOME']);
  const path = localPath(repository);
  if (path !== undefined) {
    const real = await realpath(path).catch(() => path);
    const top = await realpath(project.root);
    if (real === top || real === join(top, '.git')) return 'itself';
  }
  const urls = (await project.git('config', '-z', '--get-regexp', String.raw`^remote\..*\.url$`)) ?? '';
  const known = urls.split('\0').map((entry) => withoutSecrets(entry.slice(entry.indexOf('\n') + 1)));
  return known.some((url) => sameRepository(url, repository.shown)) ? 'remote' : 'none';
}

function sameRepository(a: string, b: string): boolean {
  const bare = (url: string): string => url.replace(/\/+$/, '').replace(/\.git$/, '');
  return bare(a) === bare(b);
}

export function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
