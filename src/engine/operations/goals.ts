/** How the goals of a stage stand, without changing anything: `durant goals`, and the goals' part of `check --connect`. */
import { DurantError } from '../../errors.ts';
import { runLifecycle } from '../run/lifecycle.ts';
import { deployFlow, type DeployRequest } from './deploy.ts';
import type { Emit } from '../events.ts';
import { lookAtGoals, type GoalStatus } from '../pipeline/runPipeline.ts';
import type { Host } from '../ports.ts';
import type { StageRequest } from '../run/run.ts';

export interface StageGoals {
  readonly stage: string;
  /** In the order of the pipeline. */
  readonly goals: readonly GoalStatus[];
}

/**
 * Looks at every goal of the stage's pipeline; one that cannot be assessed does not hide the others.
 * @throws {DurantError} where the commit cannot be fetched; `cancelled`.
 */
export async function stageGoals(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<StageGoals> {
  const goals: GoalStatus[] = [];
  const asked: DeployRequest = {
    ...request,
    ref: undefined,
    dryRun: true,
    build: false,
    again: false,
    waitMs: 0,
    confirmed: false,
  };
  const { error } = await runLifecycle(
    {
      request,
      action: 'deploy',
      dryRun: true,
      host,
      // It is a look and no run: only what somebody has to know or answer is passed on.
      emit: (event) => {
        if (event.event === 'warning' || event.event === 'prompt') emit(event);
      },
      signal,
    },
    async (run) => {
      goals.push(...(await lookAtGoals(run, asked, deployFlow(run, asked))));
    },
  );
  if (error !== null) throw new DurantError(error.code, error.summary ?? error.message, error);
  return { stage: request.stage, goals };
}
