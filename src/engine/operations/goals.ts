/** How the goals of a stage stand, without changing anything: `durant goals`, and the goals' part of `check --connect`. */
import { inspect } from '../run/inspect.ts';
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
  await inspect({ request, host, emit, signal }, async (run) => {
    goals.push(...(await lookAtGoals(run, asked, deployFlow(run, asked))));
  });
  return { stage: request.stage, goals };
}
