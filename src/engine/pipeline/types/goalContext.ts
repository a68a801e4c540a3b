/** What a goal is given to work with. `GoalContext` is public: modules of a project get it (goal.d.ts). */
import type { AnyValue } from '../../../config/values/parseValue.ts';
import type { Goal } from './goal.ts';
import type { Run } from '../../run/run.ts';

export interface GoalContext {
  /** NAME of `[goal NAME]`. */
  readonly name: string;
  readonly stage: string;
  /** The options of its section, by the keys of the file, resolvers run. */
  readonly options: Readonly<Record<string, AnyValue>>;
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

/** What the built-in types get besides. */
export interface GoalWork extends GoalContext {
  readonly run: Run;
}

/** A goal of a `[goal NAME]` section. */
export interface SectionGoal extends Goal<GoalWork> {
  /** Whether it looks at `directory` at all; where no goal does, nothing is checked out for them. */
  readonly usesDirectory: boolean;
  /** Whether it works over a network, so that what took too long may take less the next time. */
  readonly network: boolean;
  /** The user's commands that `achieve` would run, for the dry run. */
  commands?(): readonly string[];
}
