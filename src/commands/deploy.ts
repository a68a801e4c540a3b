/** Deploy: a stage, a commit or branch of one's choice to it, or one of its servers. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import type { DeployPlan, RunFinished } from '../engine/index.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { conductRun, type RunRequest } from './runInEditor.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved, unsavedFiles } from './unsaved.ts';

export async function deploy(app: App, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to deploy'));
  if (stage !== undefined) await deployStage(app, { stage });
}

/** As `durant deploy --wait` does without a time. */
const lockWaitMs = 15 * 60_000;

export interface Deployment {
  readonly stage: StageId;
  readonly ref?: string | undefined;
  /** Exactly this one, which was reviewed; without: the newest of `ref` or the stage's branch. */
  readonly commit?: string | undefined;
  /** What was reviewed, by digests: anything else is refused. */
  readonly plan?: DeployPlan | undefined;
  /** Only these of the stage's servers. */
  readonly servers?: readonly string[];
  readonly onEvent?: RunRequest['onEvent'];
  /** How long to wait for whoever holds the lock, ms. */
  readonly waitMs?: number;
}

export async function deployStage(app: App, deployment: Deployment): Promise<RunFinished | undefined> {
  const { stage, ref, commit, plan, servers = [], onEvent, waitMs = 0 } = deployment;
  if (!vscode.workspace.isTrusted || (await settleUnsaved(stage.file)))
    return conductRun(app, {
      stage,
      action: 'deploy',
      dryRun: false,
      call: (options) =>
        app.engine.call(
          'deploy',
          {
            ...stage,
            servers,
            ref,
            commit,
            plan,
            dryRun: false,
            build: false,
            keepBuilt: undefined,
            again: false,
            mayLeaveOut: false,
            unsaved: unsavedFiles(stage.file),
            waitMs,
            alwaysConfirm: alwaysConfirms(stage.file),
          },
          options,
        ),
      retry: () => void deployStage(app, deployment),
      ...(plan === undefined
        ? {}
        : { anyway: () => void deployStage(app, { ...deployment, plan: undefined }) }),
      wait: () => void deployStage(app, { ...deployment, waitMs: lockWaitMs }),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
  return undefined;
}
