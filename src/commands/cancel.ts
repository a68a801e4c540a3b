/** Cancel Run: what was begun is undone. */
import * as vscode from 'vscode';
import { isStageArgument } from '../editor/ids.ts';
import type { App } from './commandContext.ts';

export async function cancel(app: App, argument: unknown): Promise<void> {
  if (isStageArgument(argument)) {
    app.runs.cancel(argument);
    return;
  }
  const active = app.runs.active();
  const [only, ...others] = active;
  if (only === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No run is on in this window.'));
    return;
  }
  if (others.length === 0) {
    app.runs.cancel(only);
    return;
  }
  const picked = await vscode.window.showQuickPick(
    active.map((stage) => ({ label: stage.stage, description: stage.file, stage })),
    { placeHolder: vscode.l10n.t('Run to cancel') },
  );
  if (picked !== undefined) app.runs.cancel(picked.stage);
}
