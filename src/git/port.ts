/** What the engine needs from git, so that it can be read and tested without it. Implemented by `clone.ts` through simple-git. */

import type { Verification } from './verifyCommit.ts';

/** A commit that was resolved from a branch, tag or id. */
export interface Commit {
  /** 40 hex digits. */
  readonly id: string;
  readonly subject: string;
  /** `Name <email>` of the author. */
  readonly author: string;
  /** Committer date, ms since the epoch: the mtime of tracked files in a release. */
  readonly date: number;
  /** The branch or tag it was found by; the id itself where it was given by id. */
  readonly branch: string;
}

/** A tracked file of the checked-out commit, submodules' files included. */
export interface TrackedFile {
  /** Path bytes as a latin1 string (one character, one byte), `/` separated, relative to the work tree. */
  readonly path: string;
  /** Git's mode. */
  readonly mode: '100644' | '100755' | '120000';
  /** Blob id. Filters (eol, LFS) may have changed what lies in the work tree. */
  readonly blob: string;
}

/** A user and a password or token. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Codes of the warnings that a clone may give. */
export type GitWarningCode = 'ambiguous-ref';

export interface CloneRequest {
  /** Path or URL; a relative path is relative to `directory`. */
  readonly repository: string;
  readonly remote: string;
  /** Folder of durant.conf. */
  readonly directory: string;
  /** One work tree per project and stage. */
  readonly stage: string;
  /** `temp_dir`, already expanded (relative: to `directory`); undefined: the cache folder. */
  readonly tempDir: string | undefined;
  readonly cacheDir: string;
  readonly gitPath?: string | undefined;
  /** The whole environment of git's processes (nothing is added from this one); what names another repository is dropped. */
  readonly env: Readonly<Record<string, string>>;
  /** False: pointers of Git LFS are checked out as they are. */
  readonly lfs: boolean;
  readonly signal: AbortSignal;
  /** Who logs in to a host by http where the URL does not say; undefined: git's own helpers. Default: nobody. */
  readonly login?: ((origin: string) => Promise<Login | undefined>) | undefined;
  /** Called once when another run holds the local lock, with a sentence. */
  readonly onWait: (message: string) => void;
  /** Called for what does not stop a run but changes what is sent, with a sentence. */
  readonly onWarning: (code: GitWarningCode, message: string) => void;
}

/** The local clone of a stage: a bare cache per repository and one work tree, under a local lock until `release`. */
export interface Clone {
  /** The work tree. */
  readonly directory: string;
  /**
   * Fetches and resolves `ref` (branch, tag, full or abbreviated id, `HEAD`, each with `~` and `^` as git has them; undefined: the remote's
   * default branch). A full id
   * that the cache holds needs no network.
   *
   * @throws {DurantError} `repository-unreachable`, `branch-not-found`.
   */
  fetch(ref: string | undefined): Promise<Commit>;
  /**
   * Checks the commit out detached, `reset --hard` and `clean -ffdx`, submodules included where wanted.
   *
   * @throws {DurantError} `checkout-failed`, `lfs-missing`.
   */
  checkout(commit: Commit, options: { readonly submodules: boolean }): Promise<void>;
  /** Tracked files of the commit as `checkout` left it (with submodules' files, prefixed), whatever was done to the tree since. */
  trackedFiles(): Promise<readonly TrackedFile[]>;
  /** The bytes of a file as it was committed; undefined where the commit has none of that path. */
  file(commit: Commit, path: string): Promise<Buffer | undefined>;
  /** How many files of a repository on this machine differ from its HEAD or are untracked, durant.conf aside: no deploy sends that work. */
  uncommitted(): Promise<number>;
  /** Commits in `to` and not in `from`, newest first, at most `limit`. Undefined for unknown ids, and where a shallow history ends in between. */
  log(from: string, to: string, limit: number): Promise<readonly Commit[] | undefined>;
  /** A scratch work tree of the commit elsewhere, for `-n --build`; the caller removes it (the next run does if it dies). */
  scratch(
    commit: Commit,
    options: { readonly submodules: boolean },
  ): Promise<{
    readonly directory: string;
    readonly files: readonly TrackedFile[];
    remove(): Promise<void>;
  }>;
  /** Whether git verifies the signature of a commit that was fetched, by the configuration of the user and the project. */
  verify(commit: Commit): Promise<Verification>;
  /** Gives the local lock back. Idempotent. */
  release(): Promise<void>;
}

export interface Git {
  /** @throws {DurantError} `git-missing`, `temp-dir-refused`, `config-invalid` (a repository or remote that git may not see). */
  open(request: CloneRequest): Promise<Clone>;
}
