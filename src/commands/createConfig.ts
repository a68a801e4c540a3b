/** Create durant.conf: asks what nobody can guess, and writes about ten lines. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { placeholder, starterConf, type StarterFacts } from '../config/generate/starter.ts';
import { askLine, type Toggle } from '../editor/askLine.ts';
import { commands, configName } from '../editor/ids.ts';
import { sshHosts } from '../editor/sshHosts.ts';
import type { App } from './commandContext.ts';

export async function createConfig(app: App): Promise<void> {
  const folder = await pickFolder();
  if (folder === undefined) return;
  const uri = vscode.Uri.joinPath(folder.uri, configName);
  if (await exists(uri)) {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    return;
  }
  const facts = await askFacts(basename(folder.uri.fsPath));
  if (facts === undefined) return;
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(starterConf(facts)));
  await app.findConfigurations();
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document);
  const at = document.getText().indexOf(placeholder.server);
  if (at !== -1) {
    editor.selection = new vscode.Selection(
      document.positionAt(at),
      document.positionAt(at + placeholder.server.length),
    );
    return;
  }
  await offerNext(folder, { file: uri.fsPath, stage: 'production' });
}

/** Undefined where the user gave up. */
async function askFacts(name: string): Promise<StarterFacts | undefined> {
  const server = await askServer();
  if (server === undefined) return undefined;
  const toggle = createToggle();
  const projectDir = await askLine({
    title: vscode.l10n.t('Create durant.conf (2 of 2): folder on the server'),
    prompt: vscode.l10n.t('Durant keeps its releases in it, and touches nothing else.'),
    value: `~/${name}`,
    problemOf,
    toggle,
  });
  return projectDir === undefined ? undefined : { server, projectDir, protected: toggle.isOn() };
}

async function askServer(): Promise<string | undefined> {
  const hosts = await sshHosts();
  const other = vscode.l10n.t('Another server…');
  const picked =
    hosts.length === 0
      ? other
      : (
          await vscode.window.showQuickPick(
            [
              ...hosts.map((label) => ({ label, iconPath: new vscode.ThemeIcon('server') })),
              { label: other, iconPath: new vscode.ThemeIcon('edit') },
            ],
            {
              title: vscode.l10n.t('Create durant.conf (1 of 2): server'),
              placeHolder: vscode.l10n.t('A host of your ssh configuration'),
            },
          )
        )?.label;
  if (picked !== other) return picked;
  return askLine({
    title: vscode.l10n.t('Create durant.conf (1 of 2): server'),
    prompt: vscode.l10n.t('As you would type it after ssh: host, or user@host:port'),
    problemOf,
  });
}

/** Whether a deploy has to be confirmed: on until it is pressed. */
function createToggle(): Toggle & { isOn(): boolean } {
  let isOn = true;
  const on: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('shield'),
    tooltip: vscode.l10n.t('Protected: every deploy is asked about. Do not ask'),
  };
  const off: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('unlock'),
    tooltip: vscode.l10n.t('Not protected: a deploy starts at once. Ask before every deploy'),
  };
  return {
    button: () => (isOn ? on : off),
    press: () => {
      isOn = !isOn;
    },
    isOn: () => isOn,
  };
}

const problemOf = (text: string): string | undefined => (text === '' || /[\r\n]/.test(text) ? '' : undefined);

/** What comes next: a repository where there is none, a look at the server, a dry run. */
async function offerNext(
  folder: vscode.WorkspaceFolder,
  stage: { readonly file: string; readonly stage: string },
): Promise<void> {
  if (!(await exists(vscode.Uri.joinPath(folder.uri, '.git')))) {
    const init = vscode.l10n.t('Initialize Repository');
    void vscode.window
      .showInformationMessage(
        vscode.l10n.t('Durant deploys commits, and this folder is not a git repository yet.'),
        init,
      )
      .then((chosen) => {
        if (chosen === init) void vscode.commands.executeCommand('git.init', folder.uri);
      });
    return;
  }
  const check = vscode.l10n.t('Check Connection');
  const dryRun = vscode.l10n.t('Dry Run');
  void vscode.window
    .showInformationMessage(
      vscode.l10n.t('durant.conf is written. A dry run shows what a deploy would do, and changes nothing.'),
      dryRun,
      check,
    )
    .then((chosen) => {
      if (chosen === check) void vscode.commands.executeCommand(commands.checkConnection, stage);
      if (chosen === dryRun) void vscode.commands.executeCommand(commands.dryRun, stage);
    });
}

async function pickFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length > 1)
    return vscode.window.showWorkspaceFolderPick({
      placeHolder: vscode.l10n.t('Folder of the project to deploy'),
    });
  const [only] = folders;
  if (only !== undefined) return only;
  const open = vscode.l10n.t('Open Folder');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Open the folder of a git project first: durant.conf lies in its root.'),
    open,
  );
  if (chosen === open) await vscode.commands.executeCommand('vscode.openFolder');
  return undefined;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
