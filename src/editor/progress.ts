/** How far a run is, learnt from its events. Pure. */
import type { RunEvent } from '../engine/index.ts';
import { advanceGoals, isOfGoal, type GoalProgress } from './goalProgress.ts';

export interface ServerProgress {
  /** The step it is at; empty before the first. */
  readonly step: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Share of the step that is done, 0 to 1, where that is known. */
  readonly share: number | undefined;
}

export interface RunProgress {
  readonly action: string;
  readonly dryRun: boolean;
  readonly servers: ReadonlyMap<string, ServerProgress>;
  /** The step that runs on this machine. */
  readonly here: string | undefined;
  /** The pipeline's goals in order; none where it is but `deploy`. */
  readonly goals: readonly GoalProgress[];
  /** Share of the whole run that is done, 0 to 1; never falls. */
  readonly fraction: number;
}

export const newProgress: RunProgress = {
  action: 'deploy',
  dryRun: false,
  servers: new Map(),
  here: undefined,
  goals: [],
  fraction: 0,
};

/** Where in a run each step ends, by experience: sending takes longest. Steps in between count like the one before. */
const ENDS: Readonly<Record<string, number>> = {
  resolve: 0.01,
  connect: 0.06,
  fetch: 0.08,
  checkout: 0.12,
  before_deploy: 0.2,
  prepare: 0.22,
  lock: 0.24,
  release: 0.26,
  update_code: 0.7,
  shared: 0.73,
  writable: 0.75,
  vendors: 0.84,
  release_command: 0.88,
  symlink: 0.92,
  health_check: 0.95,
  cleanup: 0.97,
  unlock: 0.99,
  success: 1,
};

export function advance(progress: RunProgress, event: RunEvent): RunProgress {
  switch (event.event) {
    case 'run-started':
      return {
        ...newProgress,
        action: event.action,
        dryRun: event.dry_run,
        goals: progress.goals,
        servers: new Map(
          event.servers.map((server) => [server, { step: '', state: 'waiting', share: undefined }]),
        ),
      };
    case 'transfer': {
      const share = event.total_bytes === 0 ? 1 : Math.min(1, event.bytes / event.total_bytes);
      return withServer(progress, event.server, { step: 'update_code', state: 'running', share });
    }
    case 'warning':
      return withGoals(progress, event);
    case 'step': {
      if (isOfGoal(progress.goals, event)) {
        // What the deploy is at, its own steps say.
        const here = event.state === 'running' && event.step !== 'deploy' ? event.step : undefined;
        return { ...withGoals(progress, event), here };
      }
      if (event.state === 'pending') {
        // A build of a dry run has ended: it is still to do, and nothing is at it.
        const isOver = event.server === null && event.step === progress.here;
        return isOver ? { ...progress, here: undefined } : progress;
      }
      if (event.server === null) {
        const here = event.state === 'running' ? event.step : undefined;
        const done = event.state === 'running' ? 0 : (ENDS[event.step] ?? 0);
        return { ...progress, here, fraction: Math.max(progress.fraction, done) };
      }
      const state = event.state === 'running' || event.state === 'failed' ? event.state : 'done';
      return withServer(progress, event.server, { step: event.step, state, share: undefined });
    }
    case 'run-finished':
      return { ...progress, here: undefined, fraction: 1 };
    default:
      return progress;
  }
}

function withGoals(progress: RunProgress, event: RunEvent): RunProgress {
  const goals = advanceGoals(progress.goals, event, progress.dryRun ? 'dry run' : 'run');
  return goals === progress.goals ? progress : { ...progress, goals };
}

function withServer(progress: RunProgress, server: string, now: ServerProgress): RunProgress {
  const servers = new Map(progress.servers).set(server, now);
  const shares = [...servers.values()].map(shareOf);
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  return { ...progress, servers, fraction: Math.max(progress.fraction, mean) };
}

function shareOf({ step, state, share }: ServerProgress): number {
  const end = ENDS[step];
  if (end === undefined) return 0;
  if (state === 'done') return end;
  const begin = Math.max(0, ...Object.values(ENDS).filter((other) => other < end));
  return begin + (end - begin) * (share ?? 0);
}

/** Whole percent of a run that is not over: 100 is for its end. */
export function percentOf({ fraction }: RunProgress): number {
  return Math.min(99, Math.floor(fraction * 100));
}

/** The step that most servers wait for: the one that is farthest behind; this machine's comes first. */
export function currentStep(progress: RunProgress): { readonly step: string; readonly servers: number } {
  if (progress.here !== undefined) return { step: progress.here, servers: 0 };
  const running = [...progress.servers.values()].filter(({ state }) => state === 'running');
  const [slowest] = running.toSorted((a, b) => shareOf(a) - shareOf(b));
  if (slowest === undefined) return { step: '', servers: 0 };
  return { step: slowest.step, servers: running.filter(({ step }) => step === slowest.step).length };
}
