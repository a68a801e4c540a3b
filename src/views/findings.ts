/** What a dry run found, collected from its events. Pure. */
import {
  advanceGoals,
  isOfGoal,
  settleGoals,
  startGoals,
  type GoalProgress,
} from '../editor/goalProgress.ts';
import type { BuiltFiles } from '../editor/builtFiles.ts';
import { shortCommit } from '../editor/measures.ts';
import { BUILD_NOT_LISTED, NO_FILE_LISTED } from '../engine/buildOutput.ts';
import type { RunEvent, RunFinished } from '../engine/index.ts';
import type { View } from './item.ts';
import type { StageId } from './store.ts';

export type StepEvent = Extract<RunEvent, { event: 'step' }>;
export type ChangeEvent = Extract<RunEvent, { event: 'change' }>;
type CommandEvent = Extract<RunEvent, { event: 'command' }>;
type WarningEvent = Extract<RunEvent, { event: 'warning' }>;

/** Everything that a dry run said. */
export interface Findings {
  /** The pipeline's goals in order; none where it is but `deploy`. */
  readonly goals: readonly GoalProgress[];
  readonly steps: readonly StepEvent[];
  readonly commands: readonly CommandEvent[];
  readonly changes: readonly ChangeEvent[];
  readonly warnings: readonly WarningEvent[];
  /** What is not in the list as `before_deploy` did not run: nothing, what it makes, or every file, as it makes them all. */
  readonly notListed: 'nothing' | 'build output' | 'any file';
}

export interface Review extends Findings {
  readonly stage: StageId;
  /** What was asked for instead of the stage's branch; a deploy from the review is of the same. */
  readonly ref: string | undefined;
  readonly servers: readonly string[];
  readonly finished: RunFinished;
  /** The commit that is live now, where it is one and known. */
  readonly live: string | undefined;
  /** What `before_deploy` made, where the dry run ran it. */
  readonly built: BuiltFiles | undefined;
}

/** A step and where it stands; servers that say the same of it are one. */
export interface StepFinding {
  readonly step: string;
  readonly state: StepEvent['state'];
  readonly reason: string | null;
  /** Empty: on all servers of the run, or on this machine. */
  readonly servers: readonly string[];
}

/** A file and on which servers it would change. */
export interface FileFinding {
  readonly path: string;
  readonly kind: ChangeEvent['kind'];
  readonly bytes: number;
  /** Empty: on all servers of the run. */
  readonly servers: readonly string[];
}

/** Deletions first: they are what a review is for. */
export const fileKinds = ['deleted', 'changed', 'added'] as const;

/**
 * Collects what a dry run says. Returns what takes its events, and what gives the findings so far.
 * @param pipeline names of the stage's goals in order.
 */
export function collectFindings(pipeline: readonly string[]): {
  readonly take: (event: RunEvent) => void;
  readonly findings: () => Findings;
} {
  const steps = new Map<string, StepEvent>();
  const commands: CommandEvent[] = [];
  const changes: ChangeEvent[] = [];
  const warnings: WarningEvent[] = [];
  let notListed: Findings['notListed'] = 'nothing';
  let goals = startGoals(pipeline);
  return {
    take: (event) => {
      goals = advanceGoals(goals, event, 'dry run');
      if (isOfGoal(goals, event)) return;
      if (event.event === 'step') steps.set(`${event.step}\0${event.server ?? ''}`, event);
      else if (event.event === 'command') commands.push(event);
      else if (event.event === 'change') changes.push(event);
      else if (event.event === 'warning' && event.code === BUILD_NOT_LISTED)
        notListed = event.message.startsWith(NO_FILE_LISTED) ? 'any file' : 'build output';
      else if (event.event === 'warning' && event.code !== 'ssh-client') warnings.push(event);
    },
    findings: () => ({
      goals: settleGoals(goals, 'dry run'),
      // Connecting and fetching is how a dry run finds out, not what a deploy would do.
      steps: [...steps.values()].filter(
        ({ step, state }) =>
          state !== 'running' && step !== 'connect' && step !== 'fetch' && step !== 'resolve',
      ),
      commands,
      changes,
      warnings,
      notListed,
    }),
  };
}

/** Whether a deploy would do anything. */
export function isPending(review: Review): boolean {
  return (
    review.changes.length > 0 ||
    review.steps.some(({ state }) => state === 'pending') ||
    review.goals.some(({ state }) => state === 'pending')
  );
}

/** The files of one kind, each once, by path. */
export function filesOf(review: Review, kind: ChangeEvent['kind']): readonly FileFinding[] {
  const byPath = new Map<string, { bytes: number; servers: string[] }>();
  for (const change of review.changes) {
    if (change.kind !== kind) continue;
    const found = byPath.get(change.path);
    if (found === undefined) byPath.set(change.path, { bytes: change.bytes, servers: [change.server] });
    else found.servers.push(change.server);
  }
  const all = review.finished.servers.length;
  return [...byPath]
    .map(([path, { bytes, servers }]) => ({
      path,
      kind,
      bytes,
      servers: servers.length === all ? [] : servers,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The steps in the order of the run, each once for servers that agree on it. */
export function stepsOf(review: Review): readonly StepFinding[] {
  const names = new Set(review.steps.map(({ step }) => step));
  return [...names].flatMap((name) => {
    const groups = new Map<string, StepEvent[]>();
    for (const event of review.steps) {
      if (event.step !== name) continue;
      const key = `${event.state}\0${event.reason ?? ''}`;
      groups.set(key, [...(groups.get(key) ?? []), event]);
    }
    return [...groups.values()].map((events): StepFinding => {
      const servers = events.flatMap(({ server }) => (server === null ? [] : [server]));
      return {
        step: name,
        state: events[0]?.state ?? 'pending',
        reason: events[0]?.reason ?? null,
        servers: servers.length === review.servers.length ? [] : servers,
      };
    });
  });
}

/** What a review says above its list. */
export function summaryOf(review: Review, view: View): string {
  const outcome = outcomeOf(review, view);
  if (review.notListed !== 'build output') return outcome;
  const { t } = view;
  // What an earlier deploy built is live, and not in the commit: it may well be built again.
  const missing = review.changes.some(({ kind }) => kind === 'deleted')
    ? t('What before_deploy makes is not listed, or is listed as deleted.')
    : t('What before_deploy makes is not listed.');
  return `${outcome} ${missing}`;
}

function outcomeOf(review: Review, { t }: View): string {
  const commit = review.finished.commit === null ? '' : shortCommit(review.finished.commit);
  if (!isPending(review))
    return t('{0}: {1} is live already. A deploy would change nothing.', review.stage.stage, commit);
  if (review.goals.some(({ goal, state }) => goal === 'deploy' && state === 'already')) {
    const pending = review.goals.filter(({ state }) => state === 'pending').map(({ goal }) => goal);
    return t(
      '{0}: {1} is live already; still to do: {2}. Nothing was changed.',
      review.stage.stage,
      commit,
      pending.join(', '),
    );
  }
  if (review.notListed === 'any file')
    return t(
      '{0}: {1} would go live. No file is listed: before_deploy makes all that is sent. Nothing was changed.',
      review.stage.stage,
      commit,
    );
  const counts = fileKinds.flatMap((kind) => {
    const { length } = filesOf(review, kind);
    if (length === 0) return [];
    if (kind === 'deleted') return [t('{0} to delete', length)];
    return [kind === 'changed' ? t('{0} to change', length) : t('{0} to add', length)];
  });
  const files = counts.length === 0 ? t('no file differs') : counts.join(', ');
  return t('{0}: {1} would go live: {2}. Nothing was changed.', review.stage.stage, commit, files);
}
