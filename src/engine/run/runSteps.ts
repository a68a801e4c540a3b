/** Works a list of steps off on one server, with their hooks, or says what they would do. */
import { parseCommand } from '../../config/values/resolvers.ts';
import { asDurantError } from '../../errors.ts';
import type { ListedStep, Step, StepContext } from './step.ts';
import { resumable } from '../steps/release.ts';
import { hookCommands, releaseFolder, runHook, runsOn, stepHook } from './hooks.ts';
import { oncePerRun } from './parallel.ts';
import { type NamedRun, makesRelease } from './run.ts';
import { timed } from './timed.ts';

/** Steps whose before-hook still runs in project_dir, as the release's folder is not there yet. */
const BEFORE_RELEASE = ['prepare', 'lock', 'release'];

/** Achieves each step that applies and is not achieved yet. The first failure is thrown, its step noted in the run. */
export async function achieveSteps<R extends NamedRun>(
  context: StepContext<R>,
  steps: readonly Step<R>[],
): Promise<void> {
  for (const step of steps) {
    if (step.applies?.(context.run) === false) continue;
    await timed(context, step.name, async () => {
      if (step.inRelease === true && resumable(context.run, context.server) !== undefined)
        return {
          state: 'already',
          reason: 'an interrupted run has done it; the release is complete and checked',
        };
      if (step.unconditional !== true) {
        const { achieved, reason } = await step.look(context);
        if (achieved) return { state: 'already', reason };
      }
      if (step.hookedEarly !== true) await hook(context, 'before', step.name);
      await step.achieve?.(context);
      await hook(context, 'after', step.name);
      return { state: 'done', reason: null };
    });
  }
}

/** Runs the before-hook of a step that is `hookedEarly` and not achieved yet. */
export async function runHookBefore(context: StepContext<NamedRun>, step: ListedStep): Promise<void> {
  if ((await step.look(context)).achieved) return;
  const name = stepHook('before', step.name);
  if (hookCommands(context.run, name).length === 0) return;
  try {
    await hook(context, 'before', step.name);
  } catch (thrown) {
    const error = asDurantError(thrown);
    const server = context.server.address.entry;
    context.run.failedStep ??= step.name;
    context.run.emit({
      event: 'step',
      step: step.name,
      server,
      state: 'failed',
      reason: error.message,
      ms: null,
    });
    throw error;
  }
}

/** Assesses each step that applies: what throws here stops the run before anything is changed. */
export async function assessSteps(context: StepContext, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.applies?.(context.run) === false) continue;
    try {
      await step.assess?.(context);
    } catch (error) {
      context.run.failedStep ??= step.name;
      throw asDurantError(error);
    }
  }
}

/** Emits for each step `already` or `pending` with its reason, and the commands that it would run. Changes nothing. */
export async function explainSteps(
  context: StepContext<NamedRun>,
  steps: readonly ListedStep[],
): Promise<void> {
  const { run, server } = context;
  for (const step of steps) {
    if (step.applies?.(run) === false) continue;
    const { achieved, reason } = await step.look(context);
    run.emit({
      event: 'step',
      step: step.name,
      server: server.address.entry,
      state: achieved ? 'already' : 'pending',
      reason,
      ms: null,
    });
    if (achieved) continue;
    const before = makesRelease(run) ? stepHook('before', step.name) : undefined;
    const after = makesRelease(run) ? stepHook('after', step.name) : undefined;
    for (const [name, commands] of [
      [before ?? step.name, hookCommands(run, before)],
      [step.name, step.commands?.(run) ?? []],
      [after ?? step.name, hookCommands(run, after)],
    ] as const)
      for (const [index, item] of commands.entries()) await explainCommand(context, name, index, item);
  }
}

/** Tells of a command as a run would: what runs here once, and what runs on this server. */
async function explainCommand(
  { run, server }: StepContext,
  step: string,
  index: number,
  item: string,
): Promise<void> {
  const placed = parseCommand(item);
  const { command } = placed;
  if (placed.place === 'local')
    await oncePerRun(run, `explain:${step}:${index}`, async () => {
      run.emit({ event: 'command', server: null, step, command });
    });
  else if (runsOn(placed, server, run.servers))
    run.emit({ event: 'command', server: server.address.entry, step, command });
}

async function hook(context: StepContext<NamedRun>, side: 'before' | 'after', step: string): Promise<void> {
  const { run, server, signal } = context;
  // A rollback makes an old release live: what was run to build and publish it is not run again, but for `after_rollback`.
  if (!makesRelease(run)) return;
  const name = stepHook(side, step);
  if (hookCommands(run, name).length === 0 || name === undefined) return;
  const early = BEFORE_RELEASE.includes(step) && !(step === 'release' && side === 'after');
  const directory = early ? server.facts.project : releaseFolder(run, server);
  await runHook(run, server, name, { directory, signal });
}
