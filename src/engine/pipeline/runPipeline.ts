/**
 * A stage's goals in order (Released's pipelines): all are assessed before anything is changed anywhere, then each is achieved as far as it
 * is missing. `deploy` is one of them; alone, as it is by default, it runs as if there were no pipeline.
 */
import { asDurantError, bug, type DurantError, throwIfCancelled } from '../../errors.ts';
import type { PipelineGoal } from '../../config/values/pipelineGoals.ts';
import type { StepState } from '../events.ts';
import { confirmProtected } from '../run/confirm.ts';
import type { FetchedRun, Run } from '../run/run.ts';
import type { Look } from '../run/step.ts';
import { fetchCommit, type WantedCommit } from '../source/fetchCommit.ts';
import type { DeployFlow } from './deployFlow.ts';
import type { Entry } from './entry.ts';
import { NEWLY_ACHIEVED, PASSED } from './goalReasons.ts';
import { openGoalTree, type GoalTree } from './goalTree.ts';
import { sectionEntry } from './sectionGoal.ts';
import { GoalFailure } from './types/goalFailure.ts';

const DEPLOY = 'deploy';

/** How a deploy is asked for, as far as its pipeline needs to know. */
interface PipelineRequest extends WantedCommit {
  readonly confirmed: boolean;
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
export async function runPipeline(run: Run, request: PipelineRequest, deploy: DeployFlow): Promise<void> {
  const goals = goalsOf(run);
  if (goals.every((goal) => goal.kind === 'deploy')) {
    await deploy.next();
    await deploy.next();
    return;
  }
  const fetched = await fetchCommit(run, request);
  const tree = openGoalTree(fetched);
  try {
    const entries = goals.map((goal) => entryOf(fetched, goal, tree, deploy));
    const unreachable = await assessAll(run, entries);
    const reachable = entries.filter((entry) => !unreachable.has(entry));
    if (run.dryRun) await explainAll(run, reachable);
    else await achieveAll(run, reachable, tree, request);
  } finally {
    await tree.close();
  }
}

/** How each goal of the stage stands; nothing is changed. */
export async function lookAtGoals(
  run: Run,
  request: PipelineRequest,
  deploy: DeployFlow,
): Promise<readonly GoalStatus[]> {
  const fetched = await fetchCommit(run, request);
  const tree = openGoalTree(fetched);
  try {
    const found: GoalStatus[] = [];
    for (const goal of goalsOf(run)) found.push(await statusOf(run, entryOf(fetched, goal, tree, deploy)));
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
    const { achieved, reason } = await entry.look();
    return status(achieved ? 'already' : 'pending', reason);
  } catch (thrown) {
    throwIfCancelled(run.signal);
    return status('unknown', asDurantError(thrown).message);
  }
}

function goalsOf(run: Run): readonly PipelineGoal[] {
  const { pipeline } = run.request;
  if (pipeline !== undefined) return pipeline.goals;
  if (run.settings.pipeline.every((name) => name === 'deploy')) return [{ kind: 'deploy' }];
  throw bug('The goals of pipeline were not read.');
}

function entryOf(run: FetchedRun, goal: PipelineGoal, tree: GoalTree, deploy: DeployFlow): Entry {
  return goal.kind === 'section' ? sectionEntry(run, goal, tree) : deployEntry(deploy);
}

/** This commit is live on every server of the stage. */
function deployEntry(flow: DeployFlow): Entry {
  let look: Look = { achieved: false, reason: '' };
  return {
    name: DEPLOY,
    type: DEPLOY,
    optional: false,
    async assess() {
      look = (await flow.next()).value ?? look;
    },
    look: async () => look,
    async achieve() {
      await flow.next();
    },
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
      if (entry.name === DEPLOY) throw thrown;
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
  entries: readonly Entry[],
  tree: GoalTree,
  request: PipelineRequest,
): Promise<void> {
  const confirm = (): Promise<void> => confirmProtected(run, request.confirmed);
  let changed = false;
  for (const entry of entries) {
    if (entry.name === DEPLOY) {
      changed = await achieveDeploy(run, entry, tree);
      continue;
    }
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
async function achieveDeploy(run: Run, entry: Entry, tree: GoalTree): Promise<boolean> {
  const { achieved, reason } = await entry.look();
  if (achieved) {
    report(run, entry, 'already', reason);
    await entry.achieve();
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
    const before = await entry.look();
    if (before.achieved) return end('already', before.reason);
    await confirm();
    await entry.achieve();
    if (!entry.effectful()) return end('done', PASSED);
    const after = await entry.look();
    if (!after.achieved)
      throw new GoalFailure(`it ran without an error but is still not achieved: ${after.reason}.`, {
        remedy: 'Check what it did.',
      });
    end('done', NEWLY_ACHIEVED);
  } catch (error) {
    end('failed', asDurantError(error).message);
    throw error;
  }
}

async function explainAll(run: Run, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const { achieved, reason } = await foresee(run, entry);
    report(run, entry, achieved ? 'already' : 'pending', reason);
    if (entry.name === DEPLOY) await entry.achieve();
    else if (!achieved)
      for (const command of entry.commands())
        run.emit({ event: 'command', server: null, step: entry.name, command });
  }
}

/** What cannot be looked at yet may be when its turn comes. */
async function foresee(run: Run, entry: Entry): Promise<Look> {
  try {
    return await entry.look();
  } catch (thrown) {
    throwIfCancelled(run.signal);
    return { achieved: false, reason: asDurantError(thrown).message };
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
  return error.with({ code: 'goal-failed', summary: `The goal ${entry.name} ${how}: ${error.summary}` });
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
  return error.with({ summary: `The deploy is live and stays so. ${error.summary}`, changed: true });
}

function warn(run: Run, error: DurantError): void {
  run.emit({ event: 'warning', code: 'goal-failed', message: error.message, server: null });
}
