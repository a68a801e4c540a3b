/** Forget Saved Secrets: passphrases, passwords and secrets that were remembered; all are chosen at first. */
import * as vscode from 'vscode';
import type { App } from './app.ts';

export async function forgetSecrets(app: App): Promise<void> {
  const names = app.secrets.names();
  if (names.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Durant remembers no passphrase, password or secret.'),
    );
    return;
  }
  const picked = await vscode.window.showQuickPick(
    names.map((label) => ({ label, picked: true })),
    { canPickMany: true, placeHolder: vscode.l10n.t('What to forget') },
  );
  for (const { label } of picked ?? []) await app.secrets.forget(label);
  if (picked !== undefined && picked.length > 0)
    void vscode.window.showInformationMessage(
      picked.length === 1
        ? vscode.l10n.t('1 secret forgotten.')
        : vscode.l10n.t('{0} secrets forgotten.', picked.length),
    );
}
