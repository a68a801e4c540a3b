/** How the goals of a run stand, learnt from its events. Pure. */
import type { RunEvent } from '../engine/index.ts';
import { PASSED } from '../engine/pipeline/goalReasons.ts';

export type GoalState =
  /** Not looked at yet, or, in a dry run, to be achieved. */
  | 'pending'
  | 'running'
  | 'already'
  | 'newly'
  /** It was worked on; whether it is achieved is nothing to look at: tests, linters. */
  | 'passed'
  | 'failed'
  /** It failed, and is optional. */
  | 'warned'
  /** A dry run could not find out. */
  | 'unknown'
  /** The run ended before it. */
  | 'left';

export interface GoalProgress {
  readonly goal: string;
  readonly state: GoalState;
  /** Why; undefined where nothing was said. */
  readonly reason: string | undefined;
}

/** @param pipeline names in order. None where there is but the built-in `deploy`: then the run is the goal. */
export function startGoals(pipeline: readonly string[]): readonly GoalProgress[] {
  if (pipeline.every((name) => name === 'deploy')) return [];
  return pipeline.map((goal) => ({ goal, state: 'pending', reason: undefined }));
}

/** Whether an event is about one of the goals, not about a step of the deploy. */
export function isOfGoal(goals: readonly GoalProgress[], event: RunEvent): boolean {
  return event.event === 'step' && event.server === null && goals.some(({ goal }) => goal === event.step);
}

/** The same array where the event says nothing of a goal. */
export function advanceGoals(
  goals: readonly GoalProgress[],
  event: RunEvent,
  kind: 'run' | 'dry run',
): readonly GoalProgress[] {
  if (event.event === 'step' && isOfGoal(goals, event)) {
    const now = { goal: event.step, ...standing(event) };
    return goals.map((each) => (each.goal === event.step ? now : each));
  }
  // What the run goes on after was optional.
  if (event.event === 'warning' && event.code === 'goal-failed') {
    const at = goals.findLastIndex(({ state }) => state === 'failed');
    const state = kind === 'run' ? 'warned' : 'unknown';
    return at === -1 ? goals : goals.map((each, index) => (index === at ? { ...each, state } : each));
  }
  return goals;
}

/** After the run's end: what nothing was said of was not come to. */
export function settleGoals(
  goals: readonly GoalProgress[],
  kind: 'run' | 'dry run',
): readonly GoalProgress[] {
  return goals.map((each) => {
    if (each.state === 'running') return { ...each, state: 'left' };
    if (each.state !== 'pending' || each.reason !== undefined) return each;
    return { ...each, state: kind === 'run' ? 'left' : 'unknown' };
  });
}

function standing({ state, reason }: Extract<RunEvent, { event: 'step' }>): Omit<GoalProgress, 'goal'> {
  switch (state) {
    case 'done':
      return { state: reason === PASSED ? 'passed' : 'newly', reason: undefined };
    case 'skipped':
      return { state: 'left', reason: reason ?? '' };
    case 'pending':
    case 'already':
    case 'running':
    case 'failed':
      return { state, reason: reason ?? '' };
  }
}
