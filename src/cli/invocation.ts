/** What a command line asks for, as data. */

export interface GlobalOptions {
  /** Path of durant.conf as given with `--config`; undefined: durant.conf of the current folder. */
  readonly config: string | undefined;
  /** One JSON object a line on standard output, no prompts. */
  readonly json: boolean;
  /** False after `--no-color`. */
  readonly color: boolean;
  readonly verbose: boolean;
}

export type Command =
  | {
      readonly name: 'deploy';
      readonly stage: string;
      readonly dryRun: boolean;
      /** With a dry run: run before_deploy in a scratch work tree, so that build output is listed too. */
      readonly build: boolean;
      readonly detailedExitcode: boolean;
      /** Branch, tag or commit instead of the stage's. */
      readonly ref: string | undefined;
      /** Servers to limit the run to, as given; empty: all. */
      readonly servers: readonly string[];
      readonly again: boolean;
      /** How long to wait for someone else's lock, in milliseconds; undefined: not at all. */
      readonly waitMs: number | undefined;
      readonly yes: boolean;
    }
  | {
      readonly name: 'rollback';
      readonly stage: string;
      readonly release: string | undefined;
      readonly dryRun: boolean;
      readonly yes: boolean;
    }
  | { readonly name: 'releases'; readonly stage: string }
  | { readonly name: 'unlock'; readonly stage: string; readonly force: boolean }
  | { readonly name: 'status'; readonly stage: string | undefined }
  | { readonly name: 'adopt'; readonly stage: string; readonly dryRun: boolean }
  | { readonly name: 'check'; readonly stage: string | undefined; readonly connect: boolean }
  | { readonly name: 'config'; readonly stage: string | undefined; readonly raw: boolean }
  | { readonly name: 'stages' }
  | { readonly name: 'init' }
  | { readonly name: 'goals'; readonly stage: string }
  | {
      readonly name: 'prune';
      readonly stage: string;
      /** How many finished releases stay, -1 for all; undefined: the stage's `keep_releases`. */
      readonly keep: number | undefined;
      readonly dryRun: boolean;
      readonly yes: boolean;
    }
  | {
      readonly name: 'ssh';
      readonly stage: string;
      /** Entry or host; undefined: the stage's first. */
      readonly server: string | undefined;
    }
  | {
      readonly name: 'app';
      readonly stage: string;
      readonly action: AppAction;
      /** A process, or the words of a command. */
      readonly words: readonly string[];
      readonly follow: boolean;
      readonly lines: number;
      /** Servers to limit it to, as given; empty: all. */
      readonly servers: readonly string[];
    }
  | { readonly name: 'templates'; readonly export: boolean }
  | { readonly name: 'completion'; readonly shell: Shell }
  /** Not for people: what the scripts of `completion` ask. The words so far, the last one unfinished. */
  | { readonly name: '__complete'; readonly words: readonly string[] };

/** What `app` does. */
export const APP_ACTIONS = ['info', 'start', 'stop', 'restart', 'logs', 'exec', 'shell'] as const;
export type AppAction = (typeof APP_ACTIONS)[number];

/** Shells that `completion` writes scripts for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface Invocation {
  readonly global: GlobalOptions;
  readonly command: Command;
}

/** The commands for people. */
export type CommandName = Exclude<Command['name'], '__complete'>;
/** The part of `Command` that one command carries. */
export type CommandOf<Name extends Command['name']> = Extract<Command, { readonly name: Name }>;
