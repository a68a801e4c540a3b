/** The dry run: every step with its state and reason, every file, every command; nothing is changed. */
import { assessTree, buildCommands, hasWhatIsSent, readTree, runBuild } from '../source/build.ts';
import { BUILD_NOT_LISTED, notListedMessage } from '../source/buildOutput.ts';
import { keepBuilt } from '../source/builtCopies.ts';
import type { StepState } from '../events.ts';
import { emitChanges } from '../run/changeEvents.ts';
import type { Step } from '../run/step.ts';
import { assertPlaceable, planInplaceFor, sayInplace, warnOfPlan } from '../steps/strategies/inplaceSteps.ts';
import { planFor } from '../steps/updateCode.ts';
import type { Plan } from '../../transfer/tree/plan.ts';
import { reportLocks } from '../server/lockServers.ts';
import { forEachServer, ready, type Run, type ServerRun } from '../run/run.ts';
import { explainSteps } from '../run/runSteps.ts';

/** Compares the commit's tree with what is live on each server, in a scratch work tree, and says what a deploy would do. */
export async function explain(
  run: Run,
  request: { readonly build: boolean; readonly keepBuilt?: string | undefined },
  steps: readonly Step[],
): Promise<void> {
  const { clone, commit, settings } = ready(run);
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
      });
    await reportLocks(run);
    if (isListed) await readTree(run, scratch.directory, scratch.files);
    if (settings.strategy === 'inplace') sayInplace(run);
    const sent = new Set<string>();
    await forEachServer(run.servers, settings.parallel, run.signal, async (server, signal) => {
      if (!isListed) return explainSteps({ run, server, signal }, steps);
      const plan = await planOn(run, server, signal);
      assessTree(run, server);
      await explainSteps({ run, server, signal }, steps);
      emitChanges(run, server, plan);
      for (const { path, kind } of plan.changes) if (kind !== 'deleted') sent.add(path);
    });
    if (request.build && request.keepBuilt !== undefined && run.tree !== undefined)
      await keepBuilt({
        folder: request.keepBuilt,
        workTree: scratch.directory,
        tree: run.tree,
        tracked: scratch.files,
        paths: sent,
        signal: run.signal,
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
