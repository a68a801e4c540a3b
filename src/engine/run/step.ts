/** What a step of a run is. */
import type { BuiltRun, NamedRun, Run, ServerRun } from './run.ts';

/** A step works on one server of a run. */
export interface StepContext<R extends Run = Run> {
  readonly run: R;
  readonly server: ServerRun;
  readonly signal: AbortSignal;
}

/** How something stands: whether nothing is left to do, and why. */
export interface Look {
  readonly achieved: boolean;
  readonly reason: string;
}

/** A step as the dry run lists it. */
export interface ListedStep {
  /** Name in events and hooks. */
  readonly name: string;
  /** Whether the stage asks for it at all; a step that does not apply is not listed. */
  readonly applies?: (run: Run) => boolean;
  /** Whether nothing is left to do, and why. Changes nothing. */
  readonly look: (context: StepContext<NamedRun>) => Promise<Look>;
  /** The user's commands that it would run, for the dry run. */
  readonly commands?: (run: Run) => readonly string[];
}

/** A step on the way to a live release: what fails in it fails the run. `R`: the phase in which it is worked on. */
export interface Step<R extends Run = BuiltRun> extends ListedStep {
  /** Throws what would make it fail, before anything is changed anywhere. Changes nothing. */
  readonly assess?: (context: StepContext) => Promise<void>;
  /** Undefined where only its hooks have something to do. */
  readonly achieve?: (context: StepContext<R>) => Promise<void>;
  /** There is always something left to do: a run does not look first, where looking would cost a round trip. */
  readonly unconditional?: true;
  /** It works inside the new release, so a prepared release that is resumed has it already. */
  readonly inRelease?: true;
  /** Its before-hook runs at the end of building (`runHookBefore`), so that no server waits for another's hook when the step comes. */
  readonly hookedEarly?: true;
}

/** A step of a run that is live: what fails in it is a warning. `achieve` returns what the end of the step says. */
export interface FinishingStep extends ListedStep {
  readonly achieve: (context: StepContext<NamedRun>) => Promise<string | null>;
}
