/** Dry Run: what a deploy would do, as a review. */
import * as vscode from 'vscode';
import { makeBuiltFolder, readBuilt, removeBuilt } from '../editor/builtFiles.ts';
import type { DeployPlan, RunFinished } from '../engine/index.ts';
import { readConfigurationText, readPipeline } from '../views/configurations.ts';
import { collectFindings } from '../report/findings.ts';
import { liveOf, type StageId } from '../views/store.ts';
import { loadStage, type App } from './commandContext.ts';
import { conductRun, type RunRequest } from './runInEditor.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved } from './unsaved.ts';

export async function dryRun(app: App, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to try'));
  if (stage !== undefined) await dryRunStage(app, { stage });
}

export interface Trial {
  readonly stage: StageId;
  readonly ref?: string | undefined;
  /** Exactly this one; without: the newest of `ref` or the stage's branch. */
  readonly commit?: string | undefined;
  /** Runs `before_deploy` in a scratch folder, so that what it makes is listed, too. It may take minutes. */
  readonly build?: boolean;
  readonly onEvent?: RunRequest['onEvent'];
}

export async function dryRunStage(app: App, trial: Trial): Promise<RunFinished | undefined> {
  const { stage, ref, build = false, onEvent } = trial;
  if (vscode.workspace.isTrusted && !(await settleUnsaved(stage.file))) return undefined;
  const configuration = await readConfigurationText(stage.file);
  const { take, findings } = collectFindings(await readPipeline(stage));
  const keepBuilt =
    build && vscode.workspace.isTrusted && app.builtFolder !== undefined
      ? await makeBuiltFolder(app.builtFolder)
      : undefined;
  let plan: DeployPlan | undefined;
  const finished = await conductRun(app, {
    stage,
    action: 'deploy',
    dryRun: true,
    call: (options) =>
      app.engine.call(
        'deploy',
        {
          ...stage,
          servers: [],
          ref,
          commit: trial.commit,
          dryRun: true,
          build,
          keepBuilt,
          savePlan: true,
          again: false,
          mayLeaveOut: true,
          unsaved: [],
          waitMs: 0,
          alwaysConfirm: false,
        },
        options,
      ),
    retry: () => void dryRunStage(app, trial),
    onEvent: (event) => {
      take(event);
      if (event.event === 'plan') plan = event;
      onEvent?.(event);
    },
  });
  if (finished?.ok !== true) {
    if (keepBuilt !== undefined) removeBuilt(keepBuilt);
    return finished;
  }
  const built = keepBuilt === undefined ? undefined : await readBuilt(keepBuilt);
  await loadStage(app, stage, 'silently');
  const live = liveOf(app.store.snapshot(stage)?.known);
  const commit = live.kind === 'one' ? live.record?.commit : undefined;
  const head = app.heads.of(stage.file);
  const branch = app.store.snapshot(stage)?.entry.branch;
  // Only what VS Code's git has checked out is followed.
  const isHead =
    head?.commit === finished.commit && ref === undefined && (branch ?? head?.branch) === head?.branch;
  await app.review.show({
    ...findings(),
    stage,
    ref,
    finished,
    live: commit,
    built,
    plan,
    basis: {
      ...stage,
      live: commit,
      commit: finished.commit,
      configuration,
      branch: isHead ? head?.branch : undefined,
    },
  });
  return finished;
}
