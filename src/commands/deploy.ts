/** Deploy: a stage, a commit or branch of one's choice to it, or one of its servers. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import type { RunFinished } from '../engine/index.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { conductRun, type RunRequest } from './runInEditor.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved, unsavedFiles } from './unsaved.ts';

export async function deploy(app: App, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to deploy'));
  if (stage !== undefined) await deployStage(app, { stage });
}

export interface Deployment {
  readonly stage: StageId;
  readonly ref?: string | undefined;
  /** Exactly this one, which was reviewed; without: the newest of `ref` or the stage's branch. */
  readonly commit?: string | undefined;
  /** Only these of the stage's servers. */
  readonly servers?: readonly string[];
  readonly onEvent?: RunRequest['onEvent'];
}

export async function deployStage(app: App, deployment: Deployment): Promise<RunFinished | undefined> {
  const { stage, ref, commit, servers = [], onEvent } = deployment;
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
            dryRun: false,
            build: false,
            keepBuilt: undefined,
            again: false,
            mayLeaveOut: false,
            unsaved: unsavedFiles(stage.file),
            alwaysConfirm: alwaysConfirms(stage.file),
          },
          options,
        ),
      retry: () => void deployStage(app, deployment),
      ...(onEvent === undefined ? {} : { onEvent }),
    });
  return undefined;
}
