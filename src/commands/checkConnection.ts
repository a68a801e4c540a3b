/** Check Connection: looks at a stage's servers as a deploy would, and changes nothing. */
import * as vscode from 'vscode';
import { failureOf } from '../editor/ending.ts';
import { logRun } from '../editor/log.ts';
import { createAnswer } from '../editor/prompts.ts';
import { asDurantError } from '../errors.ts';
import { printable } from '../printable.ts';
import { showEnding } from './actions.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function checkConnection(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to check'));
  if (stage === undefined) return;
  const name = app.store.nameOf(stage);
  try {
    const assessments = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Checking {0}', name),
        cancellable: true,
      },
      (_, token) => {
        const stop = new AbortController();
        token.onCancellationRequested(() => {
          stop.abort();
        });
        return app.engine.call(
          'check',
          { ...stage, servers: [] },
          { signal: stop.signal, answer: createAnswer(app.secrets), emit: logRun(app.log, stage.stage) },
        );
      },
    );
    const wrong = assessments.filter(({ ok }) => !ok);
    for (const { server, step, ok, message } of assessments)
      app.log[ok ? 'info' : 'error'](
        `${stage.stage} ${server === null ? '' : `· ${server} `}│ ${step}: ${printable(message)}`,
      );
    const [first] = wrong;
    if (first === undefined) {
      const dryRun = vscode.l10n.t('Dry Run');
      const chosen = await vscode.window.showInformationMessage(
        vscode.l10n.t('{0}: everything that a deploy needs is there. Nothing was changed.', name),
        dryRun,
      );
      if (chosen === dryRun) await vscode.commands.executeCommand('durant.dryRun', stage);
      return;
    }
    const where = first.server === null ? '' : `${first.server}: `;
    const more = wrong.length === 1 ? '' : ` ${vscode.l10n.t('{0} more in the output.', wrong.length - 1)}`;
    showEnding(
      app,
      {
        level: 'error',
        message: `${name}: ${where}${printable(first.message)}${more}`,
        remedies: ['retry', 'open-configuration', 'show-output'],
      },
      { stage, retry: () => void checkConnection(app, stage), code: undefined },
    );
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled') return;
    app.log.error(`${stage.stage} │ ${error.message} [${error.code}]`);
    showEnding(app, failureOf(error, { stage: name }, vscode.l10n.t), {
      stage,
      retry: () => void checkConnection(app, stage),
      code: error.code,
    });
  }
}
