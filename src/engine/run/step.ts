/** What a step of a run is. */
import type { Goal } from '../pipeline/types/goal.ts';
import type { Run, ServerRun } from './run.ts';

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
