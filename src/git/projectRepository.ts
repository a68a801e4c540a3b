/** What the user's own project says of itself, for validation and the editor: only read, without git's locks, hooks or monitors. */
import { realpath } from 'node:fs/promises';
import { findGit, gitText, gitTextIfAny, type GitContext } from './gitProcess.ts';
import { gitEnvironment } from './gitEnvironment.ts';
import { withoutSecrets } from './repository.ts';

/** The git project that a folder belongs to. */
export interface ProjectFacts {
  /** Its top folder. */
  readonly root: string;
  /** The commit that is checked out; undefined before the first one. */
  readonly commit: string | undefined;
  /** The branch that is checked out; undefined if HEAD is detached. */
  readonly branch: string | undefined;
  readonly branches: readonly string[];
  /** Branches of remotes as they were fetched last, without the remote's name. */
  readonly remoteBranches: readonly { readonly remote: string; readonly branch: string }[];
  readonly tags: readonly string[];
  /** Names and URLs of remotes, passwords masked. */
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
  /** Tracked paths under the folder and relative to it, submodules' files included, bytes as latin1 strings. */
  readonly trackedPaths: readonly string[];
  /** Tracked files that differ from HEAD. */
  readonly changed: number;
  /** Files that are neither tracked nor ignored; folders of them count once. */
  readonly untracked: number;
  /** Commits of HEAD that no remote has; undefined where there is no remote. */
  readonly unpushed: number | undefined;
}

export interface ProjectRequest {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gitPath?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The facts of the project that `directory` is in; undefined where it is in none.
 *
 * @throws {DurantError} `git-missing`, `cancelled`.
 */
export async function projectFacts(request: ProjectRequest): Promise<ProjectFacts | undefined> {
  const binary = await findGit(request.gitPath, request.env);
  const directory = await realpath(request.directory);
  const context: GitContext = {
    binary,
    // Status would write what it learned into the index, and stand in the way of the user's own git.
    env: { ...gitEnvironment(request.env), GIT_OPTIONAL_LOCKS: '0' },
    config: [],
    signal: request.signal,
  };
  const root = await gitTextIfAny(context, call(directory, ['rev-parse', '--show-toplevel']));
  if (root === undefined || root.trim() === '') return undefined;
  const [references, remotes, status, tracked, unpushed] = await Promise.all([
    gitTextIfAny(context, call(directory, LIST_ALL)),
    gitTextIfAny(context, call(directory, ['config', '-z', '--get-regexp', String.raw`^remote\..*\.url$`])),
    gitTextIfAny(
      context,
      call(directory, ['status', '--porcelain=v2', '--branch', '-z', '--ignore-submodules=dirty']),
    ),
    trackedPaths(context, directory),
    gitTextIfAny(context, call(directory, ['rev-list', '--count', 'HEAD', '--not', '--remotes'])),
  ]);
  const known = remotesOf(remotes ?? '');
  return {
    root: root.replace(/\r?\n$/, ''),
    ...referencesOf(
      references ?? '',
      known.map((each) => each.name),
    ),
    remotes: known,
    trackedPaths: tracked,
    ...stateOf(status ?? ''),
    unpushed: known.length === 0 || unpushed === undefined ? undefined : Number(unpushed.trim()),
  };
}

const LIST_ALL = ['for-each-ref', '--format=%(refname)', 'refs/heads/', 'refs/tags/', 'refs/remotes/'];

/** The one place where git may look for a repository above the folder. */
function call(directory: string, args: readonly string[]) {
  return { directory, args, env: { GIT_CEILING_DIRECTORIES: '' } };
}

async function trackedPaths(context: GitContext, directory: string): Promise<readonly string[]> {
  const list = async (args: readonly string[]) => await gitText(context, call(directory, args), 'latin1');
  const text = await list(['ls-files', '-z', '--recurse-submodules']).catch(
    // A submodule that is half made.
    async () => await list(['ls-files', '-z']),
  );
  return text.split('\0').filter((path) => path !== '');
}

function referencesOf(
  text: string,
  remotes: readonly string[],
): Pick<ProjectFacts, 'branches' | 'remoteBranches' | 'tags'> {
  const names = text.split('\n');
  const under = (prefix: string): readonly string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    branches: under('refs/heads/'),
    tags: under('refs/tags/'),
    remoteBranches: under('refs/remotes/').flatMap((name) => {
      // A remote's name may hold a slash.
      const remote = remotes.find((each) => name.startsWith(`${each}/`)) ?? name.split('/', 1)[0] ?? '';
      const branch = name.slice(remote.length + 1);
      return branch === 'HEAD' || branch === '' ? [] : [{ remote, branch }];
    }),
  };
}

function remotesOf(text: string): ProjectFacts['remotes'] {
  const entries = text.split('\0').flatMap((entry) => {
    const [key = '', ...url] = entry.split('\n');
    const name = /^remote\.(.*)\.url$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, withoutSecrets(url.join('\n'))] as const];
  });
  return [...new Map(entries)].map(([name, url]) => ({ name, url }));
}

function stateOf(status: string): Pick<ProjectFacts, 'commit' | 'branch' | 'changed' | 'untracked'> {
  const records = status.split('\0');
  const header = (name: string): string | undefined =>
    records.find((record) => record.startsWith(`# ${name} `))?.slice(name.length + 3);
  const commit = header('branch.oid');
  const branch = header('branch.head');
  // A rename's old path follows as a record of its own, which may look like anything: it is skipped with its record.
  let changed = 0;
  let untracked = 0;
  for (let index = 0; index < records.length; index += 1) {
    const kind = records[index]?.slice(0, 2);
    if (kind === '1 ' || kind === '2 ' || kind === 'u ') changed += 1;
    if (kind === '? ') untracked += 1;
    if (kind === '2 ') index += 1;
  }
  return {
    commit: commit === '(initial)' ? undefined : commit,
    branch: branch === '(detached)' ? undefined : branch,
    changed,
    untracked,
  };
}
