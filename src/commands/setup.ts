/** Set Up Server…: the script that makes a bare server ready for a stage, to be read first. Nobody is connected to. */
import * as vscode from 'vscode';
import { callStage } from './callStage.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved } from './unsaved.ts';

export async function setup(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const stage = await pickStage(app, argument, t('Stage whose servers are to be set up'));
  if (stage === undefined || !(await settleUnsaved(stage.file))) return;
  const name = app.store.nameOf(stage);
  const script = await callStage(app, {
    stage,
    title: t('Writing the script for {0}', name),
    method: 'setup',
    takes: { ...stage, servers: [] },
    retry: () => void setup(app, stage),
  });
  if (script === undefined) return;
  await app.texts.show(`setup ${name}.sh`, script);
  const copy = t('Copy Script');
  const chosen = await vscode.window.showInformationMessage(
    t('Read it, then run it as root on each server of {0}. It may be run again.', name),
    copy,
  );
  if (chosen !== copy) return;
  await vscode.env.clipboard.writeText(script);
  vscode.window.setStatusBarMessage(t('The script is copied.'), 5000);
}
