/** What can be done with one server of a stage. */
import * as vscode from 'vscode';
import { isSafeWord, parseServer } from '../config/values/serverEntries.ts';
import type { Node } from '../views/nodes.ts';
import { mayRun, type App } from './commandContext.ts';
import { deployStage } from './deploy.ts';

type ServerNode = Extract<Node, { kind: 'server' }>;

export async function deployToServer(app: App, { file, stage, server }: ServerNode): Promise<void> {
  await deployStage(app, { stage: { file, stage }, servers: [server] });
}

/** The system's own ssh, with the user, port and key of durant.conf. */
export function openTerminal(app: App, { file, stage, server }: ServerNode): void {
  if (!mayRun()) return;
  const entry = app.store.snapshot({ file, stage })?.entry;
  const address = parseServer(server, {
    sshPort: entry?.port === undefined ? undefined : Number(entry.port),
  });
  if ('error' in address) {
    void vscode.window.showErrorMessage(address.error);
    return;
  }
  const user = address.user ?? entry?.user;
  const port = address.port?.toString() ?? entry?.port;
  const words = [address.host, ...(user === undefined ? [] : [user])];
  if (address.local || !words.every(isSafeWord)) return;
  const sshPath = vscode.workspace.getConfiguration('durant').get('sshPath', '');
  vscode.window
    .createTerminal({
      name: server,
      shellPath: sshPath === '' ? 'ssh' : sshPath,
      shellArgs: [
        ...(port === undefined ? [] : ['-p', port]),
        ...(entry?.identity === undefined ? [] : ['-i', entry.identity]),
        ...(user === undefined ? [] : ['-l', user]),
        address.host,
      ],
      iconPath: new vscode.ThemeIcon('terminal'),
    })
    .show();
}

export async function copyAddress({ server }: ServerNode): Promise<void> {
  await vscode.env.clipboard.writeText(server);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', server), 5000);
}
