/** The one interface of goals, for the engine's own steps and for those that users write (Released's contract). */
import type { Run, ServerRun } from './run.ts';

/** Something that can be known to be achieved, and be achieved. */
export interface Goal<Context> {
  /** Name in events and hooks: the step, or the section `[goal NAME]`. */
  readonly name: string;
  /** Throws what would make it fail, before anything is changed anywhere. Changes nothing. */
  assess?(context: Context): Promise<void>;
  /** Whether nothing is left to do. Changes nothing. */
  achieved(context: Context): Promise<boolean>;
  /** Why it is, or is not, achieved. Changes nothing. */
  reason(context: Context): Promise<string>;
  achieve(context: Context): Promise<void>;
  /** False for a goal that leaves nothing to look at again, like a test suite. */
  readonly effectful?: boolean;
}

/** A step works on one server of a run. */
export interface StepContext {
  readonly run: Run;
  readonly server: ServerRun;
  readonly signal: AbortSignal;
}

export interface Step extends Goal<StepContext> {
  /** Whether the stage asks for it at all; a step that does not apply is not listed. */
  applies?(run: Run): boolean;
  /** It works inside the new release, so a prepared release that is resumed has it already. */
  readonly inRelease?: true;
  /** Its before-hook runs at the end of building (`runHookBefore`), so that no server waits for another's hook when the step comes. */
  readonly hookedEarly?: true;
  /** The user's commands that it would run, for the dry run. */
  commands?(run: Run): readonly string[];
}
