/** The dry run: every step with its state and reason, every file, every command; nothing is changed. */
import { assessTree, buildCommands, hasWhatIsSent, readTree, runBuild } from '../source/build.ts';
import { BUILD_NOT_LISTED, notListedMessage } from '../source/buildOutput.ts';
import { keepBuilt } from '../source/builtCopies.ts';
import type { StepState } from '../events.ts';
import { emitChanges } from '../run/changeEvents.ts';
import { forEachServer } from '../run/parallel.ts';
import { emitPlan, type SavePlan } from '../run/plan.ts';
import { withFound, type BuiltRun, type DeployRun } from '../run/run.ts';
import { explainSteps } from '../run/runSteps.ts';
import type { ListedStep } from '../run/step.ts';
import { reportLocks } from '../server/lockServers.ts';

interface ExplainRequest {
  readonly build: boolean;
  readonly keepBuilt?: string | undefined;
  readonly savePlan?: SavePlan | undefined;
}

/** Compares the commit's tree with what is live on each server, in a scratch work tree, and says what a deploy would do. */
export async function explain(
  run: DeployRun,
  request: ExplainRequest,
  steps: readonly ListedStep[],
): Promise<void> {
  const { clone, commit, settings } = run;
  const commands = buildCommands(run);
  const scratch = await clone.scratch(commit, { submodules: settings.submodules });
  const sayBuild = (state: StepState): void =>
    run.emit({ event: 'step', step: 'before_deploy', server: null, state, reason: null, ms: null });
  try {
    if (request.build && commands.length > 0) {
      sayBuild('running');
      await runBuild(run, commands, scratch.directory);
    }
    // It ran in a scratch folder: a deploy still has to run it.
    sayBuild(commands.length === 0 ? 'skipped' : 'pending');
    if (!request.build)
      for (const command of commands)
        run.emit({ event: 'command', server: null, step: 'before_deploy', command });
    const isBuilt = commands.length === 0 || request.build;
    const isListed = isBuilt || hasWhatIsSent(run, scratch.directory);
    if (!isBuilt)
      run.emit({
        event: 'warning',
        code: BUILD_NOT_LISTED,
        message: notListedMessage(isListed),
        server: null,
        data: { listed: isListed ? 'committed files' : 'nothing' },
      });
    if (!isBuilt) emitPlan(run, undefined, request.savePlan);
    await reportLocks(run);
    if (!isListed) {
      run.strategy.announce(run);
      return await forEachServer(run, (context) => explainSteps(context, steps));
    }
    const built = withFound(run, { tree: await readTree(run, scratch.directory, scratch.files) });
    if (isBuilt) emitPlan(run, built.tree.manifest.digest, request.savePlan);
    run.strategy.announce(run);
    const sent = await explainTree(built, steps);
    if (request.build && request.keepBuilt !== undefined)
      await keepBuilt({
        folder: request.keepBuilt,
        workTree: scratch.directory,
        tree: built.tree,
        tracked: scratch.files,
        paths: sent,
        signal: run.signal,
      });
  } finally {
    await scratch.remove();
  }
}

/** Emits the steps and what becomes of each file, server by server. @returns the paths that would be sent to any. */
export async function explainTree(run: BuiltRun, steps: readonly ListedStep[]): Promise<ReadonlySet<string>> {
  const sent = new Set<string>();
  await forEachServer(run, async (context) => {
    const { server } = context;
    const plan = await run.strategy.plan(context);
    assessTree(run, [server]);
    await explainSteps(context, steps);
    emitChanges(run, server, plan);
    for (const { path, kind } of plan.changes) if (kind !== 'deleted') sent.add(path);
  });
  return sent;
}
