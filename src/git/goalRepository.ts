/** The user's git in a folder of theirs, for goals: what tags and remotes have, making a tag, pushing it. Never by force. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runGit, findGit, GitFailure, gitText, gitTextIfAny, type GitContext } from './gitProcess.ts';
import { gitEnvironment, withHiddenConfig } from './gitEnvironment.ts';
import { withCredentials } from './credentials.ts';
import { parseRepository, withoutSecrets } from './repository.ts';
import { askingNothing } from './sshEnvironment.ts';

export interface WorkingCopy {
  readonly directory: string;
  readonly context: GitContext;
}

/** What git answered, or why it could not, as a sentence without secrets. */
export type GitAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      /** Whether it is the network that failed, which another try may find mended. */
      readonly mayPass: boolean;
    };

/**
 * The repository that a folder is in; undefined where it is in none.
 * @throws {DurantError} `git-missing`, `cancelled`.
 */
export async function openWorkingCopy(request: {
  readonly directory: string;
  /** `repository` of the stage and the folder of its durant.conf: the clone's remotes have no password. */
  readonly repository: string;
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gitPath?: string | undefined;
  readonly signal: AbortSignal;
}): Promise<WorkingCopy | undefined> {
  const own: GitContext = {
    binary: await findGit(request.gitPath, request.env),
    env: gitEnvironment(request.env),
    config: [],
    signal: request.signal,
  };
  const plain = await askingNothing({
    ...own,
    env: withHiddenConfig(own.env, await personalConfig(own, request.project)),
  });
  const repository = parseRepository(request.repository, request.project, request.env['HOME']);
  const context = withCredentials(plain, repository);
  const copy: WorkingCopy = { directory: request.directory, context };
  return (await gitTextIfAny(context, call(copy, ['rev-parse', '--git-dir']))) === undefined
    ? undefined
    : copy;
}

/** Of git's configuration: who somebody is, how they sign, and how they log in. */
const PERSONAL = /^(?:user|author|committer|gpg|credential|http|url)\.|^core\.sshcommand$/;

/** What the project's repository is set up with, which the clone is not; empty where the project is in none. */
export async function personalConfig(
  context: GitContext,
  project: string,
): Promise<readonly (readonly [key: string, value: string])[]> {
  const local = ['config', '--includes', '--list', '-z'];
  const inside = await gitTextIfAny(context, call({ directory: project }, ['rev-parse', '--git-dir']));
  const listed = inside === undefined ? '' : await gitTextIfAny(context, call({ directory: project }, local));
  return (listed ?? '').split('\0').flatMap((entry) => {
    const at = entry.indexOf('\n');
    return at > 0 && PERSONAL.test(entry) ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
  });
}

/** A remote as git is told it: its name, or the address that another repository has for it. */
export interface Remote {
  readonly copy: WorkingCopy;
  readonly fetch: string;
  readonly push: string;
}

/** The remote of that name as `folder` knows it, to be talked to from `copy`; undefined where it has none. */
export async function remoteOf(copy: WorkingCopy, folder: string, name: string): Promise<Remote | undefined> {
  if (name.startsWith('-')) return undefined;
  const there = { directory: folder };
  const ask = async (...more: string[]): Promise<string | undefined> =>
    (await gitTextIfAny(copy.context, call(there, ['remote', 'get-url', ...more, name])))?.replace(/\n$/, '');
  const [fetch, push, top] = [
    await ask(),
    await ask('--push'),
    (await gitTextIfAny(copy.context, call(there, ['rev-parse', '--show-toplevel'])))?.replace(/\n$/, ''),
  ];
  if (fetch === undefined || push === undefined) return undefined;
  const [from, to] = [fetch, push].map((url) => parseRepository(url, top ?? folder));
  if (from === undefined || to === undefined) return undefined;
  return {
    copy: { ...copy, context: withCredentials(withCredentials(copy.context, from), to) },
    fetch: from.url,
    push: to.url,
  };
}

/** The commit that a revision stands for here; undefined where there is none. */
export async function commitOf(copy: WorkingCopy, revision: string): Promise<string | undefined> {
  if (revision.startsWith('-')) return undefined;
  const found = await gitTextIfAny(
    copy.context,
    call(copy, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]),
  );
  const id = found?.trim() ?? '';
  return /^[0-9a-f]{40,64}$/.test(id) ? id : undefined;
}

/** Whether git takes this for the name of a tag or branch. */
export async function isReferenceName(copy: WorkingCopy, name: string): Promise<boolean> {
  if (name.startsWith('-')) return false;
  return (
    (await gitTextIfAny(copy.context, call(copy, ['check-ref-format', `refs/tags/${name}`]))) !== undefined
  );
}

export interface NewTag {
  readonly name: string;
  readonly commit: string;
  /** Undefined: a lightweight tag. */
  readonly message: string | undefined;
  readonly signed: boolean;
  /** Who makes it, where git's configuration does not say. */
  readonly tagger: { readonly name: string; readonly email: string };
}

/** Makes a tag that is not there yet. */
export async function createTag(copy: WorkingCopy, tag: NewTag): Promise<GitAnswer<undefined>> {
  const kind = tag.signed ? ['--sign'] : tag.message === undefined ? [] : ['--annotate'];
  const env = await identity(copy, tag.tagger);
  return answer(async () => {
    await runGit(copy.context, {
      ...call(copy, [
        'tag',
        ...kind,
        // The message through standard input: as a whole, whatever it starts with.
        ...(kind.length === 0 ? [] : ['--file=-', '--cleanup=verbatim']),
        tag.name,
        tag.commit,
      ]),
      env: { GIT_CEILING_DIRECTORIES: '', ...env },
      // Tags that tag.gpgSign would sign are signed only where the goal says so.
      config: tag.signed ? [] : ['tag.gpgSign=false'],
      input: Buffer.from(`${tag.message ?? tag.name}\n`),
    });
    return undefined;
  });
}

/** Signs something as a tag would be signed, and keeps nothing of it. */
export async function trySigning(copy: WorkingCopy, tagger: NewTag['tagger']): Promise<GitAnswer<undefined>> {
  const env = await identity(copy, tagger);
  const scratch = await mkdtemp(join(tmpdir(), 'durant-sign-'));
  try {
    return await answer(async () => {
      const objects = await gitText(copy.context, call(copy, ['rev-parse', '--git-path', 'objects']));
      const tree = await gitText(copy.context, call(copy, ['rev-parse', 'HEAD^{tree}']));
      await runGit(copy.context, {
        ...call(copy, ['commit-tree', '-S', '-m', 'May I sign?', tree.trim()]),
        env: {
          GIT_CEILING_DIRECTORIES: '',
          ...env,
          GIT_OBJECT_DIRECTORY: scratch,
          GIT_ALTERNATE_OBJECT_DIRECTORIES: resolve(copy.directory, objects.trim()),
        },
      });
      return undefined;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Variables for who makes something here, where git's configuration does not say. */
async function identity(
  copy: WorkingCopy,
  { name, email }: NewTag['tagger'],
): Promise<Readonly<Record<string, string>>> {
  const known = async (who: 'AUTHOR' | 'COMMITTER'): Promise<boolean> =>
    (await gitTextIfAny(copy.context, call(copy, ['var', `GIT_${who}_IDENT`]))) !== undefined;
  return {
    ...((await known('COMMITTER')) ? {} : { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email }),
    ...((await known('AUTHOR')) ? {} : { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email }),
  };
}

/** A remote's name here; false where there is no such remote. */
export async function hasRemote(copy: WorkingCopy, remote: string): Promise<boolean> {
  if (remote.startsWith('-')) return false;
  return (await gitTextIfAny(copy.context, call(copy, ['remote', 'get-url', remote]))) !== undefined;
}

/** Where a tag or branch of that name would be pushed from and to. */
export interface PushSource {
  /** What git is to push: a reference, or a commit. */
  readonly source: string;
  readonly target: string;
  readonly commit: string;
}

/** The branch or tag of that name here, or the branch as `remotes` have it; undefined where there is none. */
export async function pushSource(
  copy: WorkingCopy,
  name: string,
  remotes: readonly string[],
): Promise<PushSource | undefined> {
  const full = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
  for (const reference of full) {
    const commit = await commitOf(copy, reference);
    if (commit !== undefined) return { source: reference, target: reference, commit };
  }
  if (name.startsWith('refs/')) return undefined;
  // The clone has no branches of its own: those of the remote that it was fetched from stand for them.
  for (const remote of remotes) {
    const commit = await commitOf(copy, `refs/remotes/${remote}/${name}`);
    if (commit !== undefined) return { source: commit, target: `refs/heads/${name}`, commit };
  }
  return undefined;
}

/** The commits that a remote has under a name: as branch, as tag. One connection. */
export async function remoteCommits(
  copy: WorkingCopy,
  remote: string,
  name: string,
): Promise<GitAnswer<ReadonlyMap<string, string>>> {
  const wanted = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
  return answer(async () => {
    const listed = await gitText(copy.context, {
      ...call(copy, ['ls-remote', remote, ...wanted, ...wanted.map((each) => `${each}^{}`)]),
      reach: 'remote',
    });
    const commits = new Map<string, string>();
    for (const line of listed.split('\n')) {
      const [id = '', reference = ''] = line.split('\t');
      // The commit of an annotated tag comes after the tag's own line, with ^{}.
      const plain = reference.replace(/\^\{\}$/, '');
      if (wanted.includes(plain)) commits.set(plain, id);
    }
    return commits;
  });
}

/** Pushes one reference; `try`: goes as far as the remote's permission, and changes nothing. */
export async function push(
  copy: WorkingCopy,
  remote: string,
  { source, target }: Pick<PushSource, 'source' | 'target'>,
  how: 'try' | 'really',
): Promise<GitAnswer<undefined>> {
  return answer(async () => {
    await gitText(copy.context, {
      ...call(copy, [
        'push',
        '--porcelain',
        '--no-verify',
        ...(how === 'try' ? ['--dry-run'] : []),
        remote,
        `${source}:${target}`,
      ]),
      reach: 'remote',
    });
    return undefined;
  });
}

/** Git looks above the folder too: it may be a part of its repository. */
function call({ directory }: Pick<WorkingCopy, 'directory'>, args: readonly string[]) {
  return { directory, args, env: { GIT_CEILING_DIRECTORIES: '' } };
}

async function answer<T>(work: () => Promise<T>): Promise<GitAnswer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return { ok: false, message: saidBy(error.message), mayPass: NETWORK.test(error.message) };
  }
}

const NETWORK =
  /resolve host|Name or service|Temporary failure|timed out|Connection (refused|reset|closed)|unreachable|No route|reset by peer|early EOF|hung up unexpectedly|The requested URL returned error: (429|5\d\d)|RPC failed/i;

function saidBy(message: string): string {
  const lines = message
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(hint:|To |Done$|=\t)/.test(line));
  return withoutSecrets(lines.slice(-4).join('; '));
}
