/** What the language features may know of the world outside of the text. All of it is optional: what is not known is not offered. */

/** Puts a message into the user's language; `vscode.l10n.t` in the editor. */
export type Translate = (message: string, ...args: readonly (string | number)[]) => string;

/** The messages as they stand in the code, for tests and benchmarks. */
export const untranslated: Translate = (message, ...args) =>
  message.replaceAll(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));

/** The git project that durant.conf lies in. Structurally a part of git's `ProjectFacts`, with paths as text. */
export interface ProjectNames {
  /** The branch that is checked out. */
  readonly branch: string | undefined;
  readonly branches: readonly string[];
  readonly remoteBranches: readonly { readonly remote: string; readonly branch: string }[];
  readonly tags: readonly string[];
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
  /** Tracked files under the folder of durant.conf and relative to it, `/` separated. */
  readonly trackedPaths: readonly string[];
}

/** What completion may offer. */
export interface Surroundings {
  readonly project?: ProjectNames | undefined;
  /** Hosts that `~/.ssh/config` names. */
  readonly sshHosts?: readonly string[] | undefined;
  /** Private keys, as they would be written: `~/.ssh/id_ed25519`. */
  readonly keyFiles?: readonly string[] | undefined;
  /** Names of environment variables; never their values. */
  readonly variables?: readonly string[] | undefined;
}

/** What is live on a stage, once a run or the view has found it out. */
export interface StageLive {
  readonly release: string;
  /** 7 hex digits. */
  readonly commit: string;
  /** `3 hours ago`. */
  readonly ageText: string;
  /** Commits that the branch is ahead. */
  readonly behind: number | undefined;
  /** Who holds the lock. */
  readonly locked: string | undefined;
  /** Why nobody is to deploy. */
  readonly held?: string | undefined;
}
