/** Open Site: what visitors of a stage see, in the browser. */
import * as vscode from 'vscode';
import { createAnswer } from '../editor/prompts.ts';
import { asDurantError } from '../errors.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function openSite(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage whose site to open'), 'with a site');
  if (stage === undefined) return;
  try {
    const address = await app.engine.call(
      'site',
      { ...stage, servers: [] },
      { signal: app.signal, answer: createAnswer(app.secrets) },
    );
    if (address !== null) await vscode.env.openExternal(vscode.Uri.parse(address, true));
    else
      void vscode.window.showInformationMessage(
        vscode.l10n.t('{0} has no site. Write its host name into durant.conf: domain_name', stage.stage),
      );
  } catch (thrown) {
    void vscode.window.showErrorMessage(`${stage.stage}: ${asDurantError(thrown).message}`);
  }
}
