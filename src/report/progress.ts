/** How far a run is, learnt from its events. Pure: both front ends show what this says. */
import type { RunEvent } from '../engine/events.ts';
import { advanceGoals, isOfGoal, type GoalProgress } from './goals.ts';

export interface ServerProgress {
  /** The step it is at; empty before the first. */
  readonly step: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** When the step began, ms. */
  readonly since: number;
  /** What the step sends, where it sends files. */
  readonly transfer: TransferProgress | undefined;
}

export interface TransferProgress {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles: number;
  readonly totalBytes: number;
  /** How many bytes had been sent when, over the last seconds: the rate follows from it. */
  readonly samples: readonly { readonly at: number; readonly bytes: number }[];
}

export interface RunProgress {
  readonly action: string;
  readonly dryRun: boolean;
  readonly servers: ReadonlyMap<string, ServerProgress>;
  /** The step that runs on this machine, and when it began, ms. */
  readonly here: { readonly step: string; readonly since: number } | undefined;
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
  upload: 0.65,
  update_code: 0.7,
  shared: 0.73,
  writable: 0.75,
  vendors: 0.84,
  release_command: 0.88,
  beside: 0.91,
  symlink: 0.92,
  health_check: 0.95,
  cleanup: 0.97,
  unlock: 0.99,
  success: 1,
};

const RATE_WINDOW_MS = 3000;

/** The progress after one more event; `now` in ms. */
export function advance(progress: RunProgress, event: RunEvent, now: number): RunProgress {
  switch (event.event) {
    case 'run-started':
      return {
        ...newProgress,
        action: event.action,
        dryRun: event.dry_run,
        goals: progress.goals,
        servers: new Map(event.servers.map((server) => [server, waiting(now)])),
      };
    case 'transfer':
      return withServer(
        progress,
        event.server,
        sending(progress.servers.get(event.server) ?? waiting(now), event, now),
      );
    case 'warning':
      return withGoals(progress, event);
    case 'step':
      return afterStep(progress, event, now);
    case 'run-finished':
      return { ...progress, here: undefined, fraction: 1 };
    default:
      return progress;
  }
}

function afterStep(
  progress: RunProgress,
  event: Extract<RunEvent, { event: 'step' }>,
  now: number,
): RunProgress {
  const { step, state, server } = event;
  if (isOfGoal(progress.goals, event)) {
    // What the deploy is at, its own steps say.
    const here = state === 'running' && step !== 'deploy' ? { step, since: now } : undefined;
    return { ...withGoals(progress, event), here };
  }
  if (state === 'pending') {
    // A build of a dry run has ended: it is still to do, and nothing is at it.
    const isOver = server === null && step === progress.here?.step;
    return isOver ? { ...progress, here: undefined } : progress;
  }
  if (server === null) {
    if (state === 'running') return { ...progress, here: { step, since: now } };
    return { ...progress, here: undefined, fraction: Math.max(progress.fraction, ENDS[step] ?? 0) };
  }
  return withServer(progress, server, {
    step,
    state: state === 'running' || state === 'failed' ? state : 'done',
    since: now,
    transfer: undefined,
  });
}

function waiting(now: number): ServerProgress {
  return { step: '', state: 'waiting', since: now, transfer: undefined };
}

function sending(
  before: ServerProgress,
  event: Extract<RunEvent, { event: 'transfer' }>,
  now: number,
): ServerProgress {
  const samples = [...(before.transfer?.samples ?? []), { at: now, bytes: event.bytes }];
  return {
    step: before.step === '' ? 'update_code' : before.step,
    state: 'running',
    since: before.since,
    transfer: {
      files: event.files,
      bytes: event.bytes,
      totalFiles: event.total_files,
      totalBytes: event.total_bytes,
      samples: samples.filter(({ at }, index) => at >= now - RATE_WINDOW_MS || index === samples.length - 1),
    },
  };
}

function withGoals(progress: RunProgress, event: RunEvent): RunProgress {
  const goals = advanceGoals(progress.goals, event, progress.dryRun ? 'dry run' : 'run');
  return goals === progress.goals ? progress : { ...progress, goals };
}

function withServer(progress: RunProgress, server: string, now: ServerProgress): RunProgress {
  const servers = new Map(progress.servers).set(server, now);
  const shares = [...servers.values()].map(shareOfRun);
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  return { ...progress, servers, fraction: Math.max(progress.fraction, mean) };
}

/** Share of the run that a server has behind it. */
function shareOfRun({ step, state, transfer }: ServerProgress): number {
  const end = ENDS[step];
  if (end === undefined) return 0;
  if (state === 'done') return end;
  const begin = Math.max(0, ...Object.values(ENDS).filter((other) => other < end));
  return begin + (end - begin) * (transfer === undefined ? 0 : shareOf(transfer));
}

/** Share of the bytes that were sent, 0 to 1. */
export function shareOf({ bytes, totalBytes }: TransferProgress): number {
  return totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
}

/** Over the last seconds; undefined where too little was seen. */
export function bytesPerSecond({ samples }: TransferProgress, now: number): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 2) return undefined;
  const ms = Math.max(now, last.at) - first.at;
  return ms < 200 ? undefined : ((last.bytes - first.bytes) * 1000) / ms;
}

/** Whole percent of a run that is not over: 100 is for its end. */
export function percentOf({ fraction }: RunProgress): number {
  return Math.min(99, Math.floor(fraction * 100));
}

/** The step that most servers wait for: the one that is farthest behind; this machine's comes first. */
export function currentStep(progress: RunProgress): { readonly step: string; readonly servers: number } {
  if (progress.here !== undefined) return { step: progress.here.step, servers: 0 };
  const running = [...progress.servers.values()].filter(({ state }) => state === 'running');
  const [slowest] = running.toSorted((a, b) => shareOfRun(a) - shareOfRun(b));
  if (slowest === undefined) return { step: '', servers: 0 };
  return { step: slowest.step, servers: running.filter(({ step }) => step === slowest.step).length };
}
