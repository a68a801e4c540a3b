/** Forget Saved Secrets: passphrases, passwords and secrets that were remembered; all are chosen at first. */
import * as vscode from 'vscode';
import { secretLabel } from '../editor/secrets.ts';
import type { App } from './commandContext.ts';

export async function forgetSecrets(app: App): Promise<void> {
  const names = app.secrets.names();
  if (names.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Durant remembers no passphrase, password or secret.'),
    );
    return;
  }
  const picked = await vscode.window.showQuickPick(
    names.map((name) => ({ label: secretLabel(name, vscode.l10n.t), name, picked: true })),
    { canPickMany: true, placeHolder: vscode.l10n.t('What to forget') },
  );
  for (const { name } of picked ?? []) await app.secrets.forget(name);
  if (picked !== undefined && picked.length > 0)
    void vscode.window.showInformationMessage(
      picked.length === 1
        ? vscode.l10n.t('1 secret forgotten.')
        : vscode.l10n.t('{0} secrets forgotten.', picked.length),
    );
}
