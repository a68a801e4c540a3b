/** Unlock: shows who holds the lock and removes it where the user says so. */
import * as vscode from 'vscode';
import { failureOf } from '../editor/ending.ts';
import { createAnswer } from '../editor/prompts.ts';
import { logRun } from '../editor/log.ts';
import { asDurantError } from '../errors.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';
import { showEnding } from './actions.ts';

export async function unlock(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to unlock'));
  if (stage === undefined) return;
  const title = vscode.l10n.t('Looking at the locks of {0}', stage.stage);
  try {
    const { servers } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title },
      () =>
        app.engine.call(
          'unlock',
          { ...stage, servers: [] },
          {
            signal: app.signal,
            answer: createAnswer(app.secrets),
            emit: logRun(app.log, stage.stage),
          },
        ),
    );
    const unlocked = servers.filter((server) => server.unlocked).map(({ server }) => server);
    const free = servers.every(({ was }) => was === null);
    if (free) void vscode.window.showInformationMessage(vscode.l10n.t('{0} is not locked.', stage.stage));
    if (unlocked.length > 0)
      void vscode.window.showInformationMessage(
        vscode.l10n.t('The lock of {0} is removed on {1}.', stage.stage, unlocked.join(', ')),
      );
  } catch (thrown) {
    const error = asDurantError(thrown);
    app.log.error(`${stage.stage} │ ${error.message} [${error.code}]`);
    if (error.code !== 'cancelled')
      showEnding(app, failureOf(error, { stage: stage.stage }, vscode.l10n.t), {
        stage,
        retry: () => void unlock(app, stage),
        code: error.code,
      });
  }
  await loadStage(app, stage, 'silently');
}
