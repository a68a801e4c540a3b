/** The dry run: every step with its state and reason, every file, every command; nothing is changed. */
import { assessTree, buildCommands, readTree, runBuild } from './build.ts';
import type { Step } from './goals/goal.ts';
import { assertPlaceable, planInplaceFor, sayInplace, warnOfPlan } from './goals/inplace.ts';
import { emitChanges, planFor } from './goals/updateCode.ts';
import type { Plan } from '../transfer/plan.ts';
import { reportLocks } from './locks.ts';
import { onEach, ready, type Run, type ServerRun } from './run.ts';
import { explainSteps } from './steps.ts';

/** Compares the commit's tree with what is live on each server, in a scratch work tree, and says what a deploy would do. */
export async function explain(
  run: Run,
  request: { readonly build: boolean },
  steps: readonly Step[],
): Promise<void> {
  const { clone, commit, settings } = ready(run);
  const commands = buildCommands(run);
  const scratch = await clone.scratch(commit, { submodules: settings.submodules });
  try {
    run.emit({
      event: 'step',
      step: 'before_deploy',
      server: null,
      state: commands.length === 0 ? 'skipped' : 'pending',
      reason: null,
      ms: null,
    });
    if (request.build) await runBuild(run, commands, scratch.directory);
    else
      for (const command of commands)
        run.emit({ event: 'command', server: null, step: 'before_deploy', command });
    if (commands.length > 0 && !request.build)
      run.emit({
        event: 'warning',
        code: 'build-output-not-listed',
        message:
          'The files below are those of the commit: what before_deploy makes is not in the list. Add --build to run it in a scratch folder and list exactly.',
        server: null,
      });
    await reportLocks(run);
    await readTree(run, scratch.directory, scratch.files);
    if (settings.strategy === 'inplace') sayInplace(run);
    await onEach(run.servers, settings.parallel, run.signal, async (server, signal) => {
      const plan = await planOn(run, server, signal);
      assessTree(run, server);
      await explainSteps({ run, server, signal }, steps);
      emitChanges(run, server, plan);
    });
  } finally {
    await scratch.remove();
  }
}

/** What the files of a server would become. @throws {DurantError} `path-not-writable` where strategy inplace may not put them. */
async function planOn(run: Run, server: ServerRun, signal: AbortSignal): Promise<Plan> {
  if (run.settings.strategy === 'releases') return (await planFor(run, server, signal)).plan;
  const plan = await planInplaceFor(run, server, signal);
  warnOfPlan(run, server, plan);
  assertPlaceable(run, server, plan);
  return plan;
}
