/** What VS Code's own git knows of the projects that are open: nothing is asked or started for it. */
import { sep } from 'node:path';
import * as vscode from 'vscode';

interface GitChange {
  readonly uri: vscode.Uri;
  readonly originalUri: vscode.Uri;
  readonly status: number;
}

/** Of `Status` in `vscode.git`'s API. */
const status = { added: 1, deleted: 6, untracked: 7 } as const;

/** The part of `vscode.git`'s API that is used. */
interface GitRepository {
  readonly rootUri: vscode.Uri;
  readonly state: {
    readonly HEAD: { readonly name?: string; readonly commit?: string } | undefined;
    readonly onDidChange: vscode.Event<void>;
    readonly workingTreeChanges: readonly GitChange[];
    /** Only where the user has them listed apart; since VS Code 1.83. */
    readonly untrackedChanges?: readonly GitChange[];
  };
  readonly diffWith: (ref: string) => Promise<readonly GitChange[]>;
  /** As `git blame` prints it. */
  readonly blame: (path: string) => Promise<string>;
  readonly getMergeBase: (a: string, b: string) => Promise<string | undefined>;
  readonly log: (options: { readonly range: string; readonly maxEntries: number }) => Promise<unknown[]>;
}

interface GitApi {
  readonly repositories: readonly GitRepository[];
  readonly onDidOpenRepository: vscode.Event<GitRepository>;
}

export interface Head {
  /** Of the project. */
  readonly root: string;
  /** Undefined where HEAD is detached. */
  readonly branch: string | undefined;
  readonly commit: string;
}

/** A file that is otherwise here than in a commit. */
export interface Difference {
  /** Where it is here; undefined where it is deleted. */
  readonly path: string | undefined;
  /** Where it was then; undefined where it was not. */
  readonly before: string | undefined;
}

export interface Heads extends vscode.Disposable {
  /** Files of a project may differ otherwise now. */
  readonly onDidChangeFiles: vscode.Event<void>;
  /** Paths of files of the project of `file` that differ from a commit; none where it is not known here. */
  readonly changedSince: (file: string, commit: string) => Promise<readonly string[]>;
  /** Files below a folder that differ from a commit, those that are not tracked too; undefined where that cannot be told. */
  readonly differences: (folder: string, commit: string) => Promise<readonly Difference[] | undefined>;
  /** The abbreviated commit that a line (from 0) of a file is from; null where it is not committed, undefined where that is not known. */
  readonly commitOfLine: (file: string, line: number) => Promise<string | null | undefined>;
  /** Whether a commit is part of another; undefined where that cannot be told. */
  readonly isPartOf: (file: string, commit: string, of: string) => Promise<boolean | undefined>;
  /** A project has another commit checked out, or a new one. */
  readonly onDidChange: vscode.Event<Head>;
  /** Of the innermost project that holds a file; undefined where VS Code's git knows none. */
  readonly of: (file: string) => Head | undefined;
  /** How many commits of `to` are not in `from`, at most 1000; undefined where that cannot be told. */
  readonly countBetween: (file: string, from: string, to: string) => Promise<number | undefined>;
}

const most = 1000;

export function watchHeads(): Heads {
  const changed = new vscode.EventEmitter<Head>();
  const filesChanged = new vscode.EventEmitter<void>();
  const subscriptions: vscode.Disposable[] = [changed, filesChanged];
  const heads = new Map<string, string>();
  let api: GitApi | undefined;

  const headOf = ({ rootUri, state: { HEAD } }: GitRepository): Head | undefined =>
    HEAD?.commit === undefined ? undefined : { root: rootUri.fsPath, branch: HEAD.name, commit: HEAD.commit };
  const follow = (repository: GitRepository): void => {
    const look = (): void => {
      const head = headOf(repository);
      if (head === undefined) return;
      const before = heads.get(head.root);
      heads.set(head.root, head.commit);
      if (before !== undefined && before !== head.commit) changed.fire(head);
    };
    look();
    filesChanged.fire();
    subscriptions.push(
      repository.state.onDidChange(() => {
        look();
        filesChanged.fire();
      }),
    );
  };
  const repositoryOf = (file: string): GitRepository | undefined =>
    [...(api?.repositories ?? [])]
      .filter(({ rootUri: { fsPath } }) => file === fsPath || file.startsWith(`${fsPath}${sep}`))
      .sort((a, b) => b.rootUri.fsPath.length - a.rootUri.fsPath.length)[0];

  // It is part of VS Code, but may be turned off; whoever opens a project has it activated.
  const extension = vscode.extensions.getExtension<{ readonly getAPI: (version: 1) => GitApi }>('vscode.git');
  void extension?.activate().then(
    (git) => {
      api = git.getAPI(1);
      for (const repository of api.repositories) follow(repository);
      subscriptions.push(api.onDidOpenRepository(follow));
    },
    () => undefined,
  );
  return {
    onDidChange: changed.event,
    onDidChangeFiles: filesChanged.event,
    changedSince: async (file, commit) => {
      const found = await quietly(repositoryOf(file)?.diffWith(commit));
      return (found ?? []).map(({ uri }) => uri.fsPath);
    },
    differences: async (folder, commit) => {
      const repository = repositoryOf(folder);
      const changes = await quietly(repository?.diffWith(commit));
      if (repository === undefined || changes === undefined) return undefined;
      const { workingTreeChanges, untrackedChanges = [] } = repository.state;
      const own = [...workingTreeChanges, ...untrackedChanges].filter(
        (change) => change.status === status.untracked,
      );
      const isIn = ({ fsPath }: vscode.Uri): boolean => fsPath.startsWith(`${folder}${sep}`);
      const found = [...changes, ...own].filter(({ uri, originalUri }) => isIn(uri) || isIn(originalUri));
      return [...new Map(found.map((change) => [change.uri.fsPath, change])).values()]
        .toSorted((a, b) => (a.uri.fsPath < b.uri.fsPath ? -1 : 1))
        .map(differenceOf);
    },
    commitOfLine: async (file, line) => {
      const blamed = await quietly(repositoryOf(file)?.blame(file));
      const id = /^\^?([0-9a-f]+)/.exec(blamed?.split('\n')[line] ?? '')?.[1];
      return id !== undefined && /^0+$/.test(id) ? null : id;
    },
    isPartOf: async (file, commit, of) => {
      const base = await quietly(repositoryOf(file)?.getMergeBase(commit, of));
      return base?.startsWith(commit.replace(/^\^/, ''));
    },
    of: (file) => {
      const repository = repositoryOf(file);
      return repository === undefined ? undefined : headOf(repository);
    },
    countBetween: async (file, from, to) =>
      (await quietly(repositoryOf(file)?.log({ range: `${from}..${to}`, maxEntries: most })))?.length,
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

function differenceOf(change: GitChange): Difference {
  const isNew = change.status === status.added || change.status === status.untracked;
  return {
    path: change.status === status.deleted ? undefined : change.uri.fsPath,
    before: isNew ? undefined : change.originalUri.fsPath,
  };
}

/** A commit that is not there is no error: nothing is known of it here. */
async function quietly<T>(asked: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}
