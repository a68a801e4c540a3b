/**
 * A stage's goals in order (Released's pipelines): all are assessed before anything is changed anywhere, then each is achieved as far as it
 * is missing. `deploy` is one of them; alone, as it is by default, it runs as if there were no pipeline.
 */
import { DurantError, asDurantError, throwIfCancelled } from '../../errors.ts';
import type { PipelineGoal } from '../../config/values/pipelineGoals.ts';
import type { StepState } from '../events.ts';
import type { Entry } from './entry.ts';
import type { Goal } from './types/goal.ts';
import { NEWLY_ACHIEVED, PASSED } from './goalReasons.ts';
import { GoalFailure } from './types/goalFailure.ts';
import { openGoalTree, type GoalTree } from './goalTree.ts';
import { oncePerRun, type Run } from '../run/run.ts';
import { sectionEntry } from './sectionGoal.ts';

/** The built-in goal: this commit is live on every server of the stage. */
export interface DeployGoal extends Goal<Run> {
  readonly name: 'deploy';
  /** Learns the commit, which other goals work at, too. `assess` does so itself where nobody has. */
  fetch(run: Run): Promise<void>;
  /** Asks before a protected stage changes. */
  confirm(run: Run): Promise<void>;
  /** Where it is achieved: says so, and leaves the servers in order. */
  alreadyAchieved(run: Run): Promise<void>;
  /** The dry run: says what `achieve` would do. */
  explain(run: Run): Promise<void>;
}

/** How one goal stands: `durant goals`. */
export interface GoalStatus {
  readonly goal: string;
  readonly type: string;
  readonly state: 'already' | 'pending' | 'unknown';
  readonly reason: string;
  readonly optional: boolean;
}

/** Works a stage's pipeline off, or, in a dry run, says what that would do. @throws {DurantError} of the first goal that failed. */
export async function runPipeline(run: Run, deploy: DeployGoal): Promise<void> {
  const goals = goalsOf(run);
  if (goals.every((goal) => goal.kind === 'deploy')) return deployAlone(run, deploy);
  await deploy.fetch(run);
  const tree = openGoalTree(run);
  try {
    const entries = goals.map((goal) => entryOf(run, goal, tree, deploy));
    const unreachable = await assessAll(run, entries);
    if (run.dryRun) await explainAll(run, entries, unreachable, deploy);
    else await achieveAll(run, { entries, unreachable, tree, deploy });
  } finally {
    await tree.close();
  }
}

async function deployAlone(run: Run, deploy: DeployGoal): Promise<void> {
  await deploy.assess?.(run);
  if (await deploy.achieved(run)) return deploy.alreadyAchieved(run);
  return run.dryRun ? deploy.explain(run) : deploy.achieve(run);
}

/** How each goal of the stage stands; nothing is changed. */
export async function lookAtGoals(run: Run, deploy: DeployGoal): Promise<readonly GoalStatus[]> {
  await deploy.fetch(run);
  const tree = openGoalTree(run);
  try {
    const found: GoalStatus[] = [];
    for (const goal of goalsOf(run)) found.push(await statusOf(run, entryOf(run, goal, tree, deploy)));
    return found;
  } finally {
    await tree.close();
  }
}

async function statusOf(run: Run, entry: Entry): Promise<GoalStatus> {
  const { name, type, optional } = entry;
  const status = (state: GoalStatus['state'], reason: string): GoalStatus => ({
    goal: name,
    type,
    state,
    reason: run.mask(reason),
    optional,
  });
  try {
    await entry.assess();
    return status((await entry.achieved()) ? 'already' : 'pending', await entry.reason());
  } catch (thrown) {
    throwIfCancelled(run.signal);
    return status('unknown', asDurantError(thrown).message);
  }
}

function goalsOf(run: Run): readonly PipelineGoal[] {
  const { pipeline } = run.request;
  if (pipeline !== undefined) return pipeline.goals;
  if (run.settings.pipeline.every((name) => name === 'deploy')) return [{ kind: 'deploy' }];
  throw new DurantError('internal', 'The goals of pipeline were not read. Please report this.');
}

function entryOf(run: Run, goal: PipelineGoal, tree: GoalTree, deploy: DeployGoal): Entry {
  if (goal.kind === 'section') return sectionEntry(run, goal, tree);
  return {
    name: deploy.name,
    type: deploy.name,
    optional: false,
    assess: async () => deploy.assess?.(run),
    achieved: () => deploy.achieved(run),
    reason: () => deploy.reason(run),
    achieve: () => deploy.achieve(run),
    effectful: () => true,
    commands: () => [],
  };
}

/** Assesses each goal, in order. @returns the optional ones that cannot be reached. */
async function assessAll(run: Run, entries: readonly Entry[]): Promise<ReadonlySet<Entry>> {
  const unreachable = new Set<Entry>();
  for (const entry of entries) {
    throwIfCancelled(run.signal);
    try {
      await entry.assess();
    } catch (thrown) {
      if (entry.name === 'deploy') throw thrown;
      const error = goalError(entry, thrown, 'cannot be reached');
      report(run, entry, 'failed', error.message);
      if (!mayFail(entry, error)) throw failed(run, entry, error);
      warn(run, error);
      unreachable.add(entry);
    }
  }
  return unreachable;
}

async function achieveAll(
  run: Run,
  {
    entries,
    unreachable,
    tree,
    deploy,
  }: {
    readonly entries: readonly Entry[];
    readonly unreachable: ReadonlySet<Entry>;
    readonly tree: GoalTree;
    readonly deploy: DeployGoal;
  },
): Promise<void> {
  const confirm = (): Promise<void> => oncePerRun(run, 'confirm', () => deploy.confirm(run));
  let changed = false;
  for (const entry of entries) {
    if (entry.name === 'deploy') {
      changed = await achieveDeploy(run, entry, tree, deploy);
      continue;
    }
    if (unreachable.has(entry)) continue;
    try {
      await achieveOne(run, entry, confirm);
    } catch (thrown) {
      const error = goalError(entry, thrown, 'failed');
      if (mayFail(entry, error)) warn(run, error);
      else throw afterwards(failed(run, entry, error), changed);
    }
  }
}

/** @returns whether it changed anything. */
async function achieveDeploy(run: Run, entry: Entry, tree: GoalTree, deploy: DeployGoal): Promise<boolean> {
  if (await entry.achieved()) {
    report(run, entry, 'already', await entry.reason());
    await deploy.alreadyAchieved(run);
    run.phase = 'finishing';
    return false;
  }
  const end = begin(run, entry);
  try {
    await tree.handOver();
    await entry.achieve();
    await tree.takeBack();
  } catch (error) {
    end('failed', asDurantError(error).message);
    throw error;
  }
  end('done', NEWLY_ACHIEVED);
  // It is live: whatever fails from here on, there is nothing on the servers to put back.
  run.phase = 'finishing';
  return run.servers.some((server) => server.state === 'live');
}

async function achieveOne(run: Run, entry: Entry, confirm: () => Promise<void>): Promise<void> {
  throwIfCancelled(run.signal);
  const end = begin(run, entry);
  try {
    if (await entry.achieved()) return end('already', await entry.reason());
    await confirm();
    await entry.achieve();
    if (!entry.effectful()) return end('done', PASSED);
    if (!(await entry.achieved()))
      throw new GoalFailure(
        `it was worked on without an error, and still is not achieved: ${await entry.reason()}. Look at what it did.`,
      );
    end('done', NEWLY_ACHIEVED);
  } catch (error) {
    end('failed', asDurantError(error).message);
    throw error;
  }
}

async function explainAll(
  run: Run,
  entries: readonly Entry[],
  unreachable: ReadonlySet<Entry>,
  deploy: DeployGoal,
): Promise<void> {
  for (const entry of entries) {
    if (unreachable.has(entry)) continue;
    if (entry.name === 'deploy') {
      const achieved = await entry.achieved();
      report(run, entry, achieved ? 'already' : 'pending', await entry.reason());
      await (achieved ? deploy.alreadyAchieved(run) : deploy.explain(run));
      continue;
    }
    const { state, reason } = await foresee(run, entry);
    report(run, entry, state, reason);
    if (state === 'already') continue;
    for (const command of entry.commands())
      run.emit({ event: 'command', server: null, step: entry.name, command });
  }
}

async function foresee(
  run: Run,
  entry: Entry,
): Promise<{ readonly state: 'already' | 'pending'; readonly reason: string }> {
  try {
    return { state: (await entry.achieved()) ? 'already' : 'pending', reason: await entry.reason() };
  } catch (thrown) {
    throwIfCancelled(run.signal);
    return { state: 'pending', reason: asDurantError(thrown).message };
  }
}

function report(
  run: Run,
  { name }: Entry,
  state: StepState,
  reason: string | null,
  ms: number | null = null,
): void {
  run.emit({ event: 'step', step: name, server: null, state, reason, ms });
}

function begin(run: Run, entry: Entry): (state: StepState, reason: string) => void {
  const began = performance.now();
  report(run, entry, 'running', null);
  return (state, reason) => report(run, entry, state, reason, Math.round(performance.now() - began));
}

/** The failure as one of this goal; a cancel stays one, and so does what nobody confirmed. */
function goalError(entry: Entry, thrown: unknown, how: string): DurantError {
  const error = asDurantError(thrown);
  if (error.code === 'cancelled' || error.code === 'confirmation-needed') return error;
  return new DurantError('goal-failed', `The goal ${entry.name} ${how}: ${error.message}`, { cause: error });
}

function mayFail(entry: Entry, error: DurantError): boolean {
  return entry.optional && error.code === 'goal-failed';
}

function failed(run: Run, entry: Entry, error: DurantError): DurantError {
  run.failedStep ??= entry.name;
  return error;
}

/** A failure after the deploy: the new release stays live, and the error says so. */
function afterwards(error: DurantError, changed: boolean): DurantError {
  if (!changed) return error;
  return new DurantError(error.code, `The deploy is live and stays so. ${error.message}`, {
    changed: true,
    cause: error,
  });
}

function warn(run: Run, error: DurantError): void {
  run.emit({ event: 'warning', code: 'goal-failed', message: error.message, server: null });
}
