/** What a dry run found, collected from its events. Pure. */
import { advanceGoals, isOfGoal, settleGoals, startGoals, type GoalProgress } from './goals.ts';
import { BUILD_NOT_LISTED } from '../engine/source/buildOutput.ts';
import type { RunEvent } from '../engine/events.ts';

export type StepEvent = Extract<RunEvent, { event: 'step' }>;
export type ChangeEvent = Extract<RunEvent, { event: 'change' }>;
export type CommandEvent = Extract<RunEvent, { event: 'command' }>;
type WarningEvent = Extract<RunEvent, { event: 'warning' }>;

/** Everything that a dry run said. */
export interface Findings {
  readonly servers: readonly string[];
  /** The pipeline's goals in order; none where it is but `deploy`. */
  readonly goals: readonly GoalProgress[];
  /** Of each step on each server, and of those here, how it ended. */
  readonly steps: readonly StepEvent[];
  readonly commands: readonly CommandEvent[];
  readonly changes: readonly ChangeEvent[];
  readonly warnings: readonly WarningEvent[];
  /** What is not in the list as `before_deploy` did not run: nothing, what it makes, or every file, as it makes them all. */
  readonly notListed: 'nothing' | 'build output' | 'any file';
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
 * @param pipeline names of the stage's goals in order; without them a goal is a step of this machine.
 */
export function collectFindings(pipeline: readonly string[]): {
  readonly take: (event: RunEvent) => void;
  readonly findings: () => Findings;
} {
  const steps = new Map<string, StepEvent>();
  const commands: CommandEvent[] = [];
  const changes: ChangeEvent[] = [];
  const warnings: WarningEvent[] = [];
  let servers: readonly string[] = [];
  let notListed: Findings['notListed'] = 'nothing';
  let goals = startGoals(pipeline);
  return {
    take: (event) => {
      goals = advanceGoals(goals, event, 'dry run');
      if (isOfGoal(goals, event)) return;
      if (event.event === 'run-started') servers = event.servers;
      else if (event.event === 'step') steps.set(`${event.step}\0${event.server ?? ''}`, event);
      else if (event.event === 'command') commands.push(event);
      else if (event.event === 'change') changes.push(event);
      else if (event.event === 'warning' && event.code === BUILD_NOT_LISTED)
        notListed = event.data?.listed === 'nothing' ? 'any file' : 'build output';
      else if (event.event === 'warning' && event.code !== 'ssh-client') warnings.push(event);
    },
    findings: () => ({
      servers,
      goals: settleGoals(goals, 'dry run'),
      steps: [...steps.values()].filter(({ state }) => state !== 'running'),
      commands,
      changes,
      warnings,
      notListed,
    }),
  };
}

/** Whether a deploy would do anything. */
export function isPending(findings: Findings): boolean {
  return (
    findings.changes.length > 0 ||
    findings.steps.some(({ state }) => state === 'pending') ||
    findings.goals.some(({ state }) => state === 'pending')
  );
}

/** The files of one kind, each once, by path. */
export function filesOf(findings: Findings, kind: ChangeEvent['kind']): readonly FileFinding[] {
  const byPath = new Map<string, { bytes: number; servers: string[] }>();
  for (const change of findings.changes) {
    if (change.kind !== kind) continue;
    const found = byPath.get(change.path);
    if (found === undefined) byPath.set(change.path, { bytes: change.bytes, servers: [change.server] });
    else found.servers.push(change.server);
  }
  return [...byPath]
    .map(([path, { bytes, servers }]) => ({ path, kind, bytes, servers: unlessAll(servers, findings) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The steps in the order of the run, each once for servers that agree on it. */
export function stepsOf(findings: Findings): readonly StepFinding[] {
  const names = new Set(findings.steps.map(({ step }) => step));
  return [...names].flatMap((name) => {
    const groups = new Map<string, StepEvent[]>();
    for (const event of findings.steps) {
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
        servers: unlessAll(servers, findings),
      };
    });
  });
}

/** The servers in the order of durant.conf, not that of their answers; none where it is all of the run. */
function unlessAll(servers: readonly string[], findings: Findings): readonly string[] {
  return servers.length === findings.servers.length
    ? []
    : findings.servers.filter((server) => servers.includes(server));
}
