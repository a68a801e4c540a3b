/**
 * Types for goals that are modules of a project: `type: ./path/to/goal.mjs` in a section `[goal NAME]` of durant.conf.
 *
 * The module exports a `Goal`: by name (`export async function achieved …`), as its default export, or as a default function or class that
 * is given the options of the section.
 */

/** Something that can be known to be achieved, and be achieved. */
export interface Goal {
  /** Throws what would make it fail, before anything is changed anywhere. Changes nothing. */
  assess?(context: GoalContext): Promise<void> | void;
  /** Whether nothing is left to do. Changes nothing; a dry run calls it, too. */
  achieved(context: GoalContext): Promise<boolean> | boolean;
  /** Throws where it fails; `mayPass: true` on the error asks for another try, as often as `retries` says. */
  achieve(context: GoalContext): Promise<void> | void;
  /** Why it is, or is not, achieved. Changes nothing. */
  reason(context: GoalContext): Promise<string> | string;
  /** False for a goal that leaves nothing to look at again, like a test suite. Default true. */
  readonly effectful?: boolean;
}

/** A default export that is given the options of its section. */
export type GoalFactory = (options: GoalContext['options']) => Goal;

/** What each method of a goal is called with. */
export interface GoalContext {
  /** NAME of `[goal NAME]`. */
  readonly name: string;
  readonly stage: string;
  /** The options of its section, by the keys of the file, value resolvers run. Those that every goal has are parsed, others are texts. */
  readonly options: Readonly<Record<string, GoalOption>>;
  /** `working_dir`, absolute; by default the clone at the deployed commit. */
  readonly directory: string;
  /** Folder of durant.conf. */
  readonly project: string;
  /** Id of the deployed commit, 40 hex digits, and the branch or tag it was found by. */
  readonly commit: string;
  readonly branch: string;
  /** Variables that commands of the goal see beside those of this process: `env` of the stage and `DURANT_…`. */
  readonly env: Readonly<Record<string, string>>;
  /** True in a dry run, where `achieve` is never called. */
  readonly dryRun: boolean;
  /** Aborted when the run is cancelled or the goal's `timeout` is over. */
  readonly signal: AbortSignal;
  /** Shows a line to the user; secrets of the configuration are masked in it. */
  output(line: string): void;
}

export type GoalOption =
  string | number | boolean | undefined | readonly unknown[] | Readonly<Record<string, string>>;
