/** Which stage a command is about: its argument's, the only one there is, or the one that the user picks. */
import * as vscode from 'vscode';
import { commands, isStageArgument } from '../editor/ids.ts';
import { formatAge, shortCommit } from '../format.ts';
import { liveOf, type StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';

/**
 * Undefined where the user picked none, or where there is none: that is said, with the remedy.
 * @param which those to pick from: all, or those with a `domain_name`.
 */
export async function pickStage(
  app: App,
  argument: unknown,
  placeHolder: string,
  which: 'all' | 'with a site' = 'all',
): Promise<StageId | undefined> {
  if (isStageArgument(argument)) return { file: argument.file, stage: argument.stage };
  if (app.store.configurations().length === 0) await app.findConfigurations();
  const configurations = app.store.configurations();
  const all = configurations.flatMap((configuration) =>
    configuration.stages.map((entry) => ({ label: configuration.label, entry })),
  );
  const stages = which === 'all' ? all : all.filter(({ entry }) => entry.domain !== undefined);
  const [only, ...others] = stages;
  if (only === undefined) {
    if (all.length > 0)
      void vscode.window.showInformationMessage(
        vscode.l10n.t('No stage of durant.conf names its site. Write the host name into one: domain_name'),
      );
    else await sayNone(configurations[0]?.file);
    return undefined;
  }
  if (others.length === 0) return { file: only.entry.file, stage: only.entry.stage };
  const items = stages.map(({ label, entry }) => ({
    label: entry.stage,
    description: configurations.length > 1 ? label : '',
    detail: describeLive(app, entry),
    iconPath: new vscode.ThemeIcon(entry.protected ? 'shield' : 'layers'),
    stage: { file: entry.file, stage: entry.stage },
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.stage;
}

function describeLive(app: App, stage: StageId): string {
  const snapshot = app.store.snapshot(stage);
  const live = liveOf(snapshot?.known);
  const servers = snapshot?.entry.servers?.join(', ') ?? '';
  return [servers, liveText(live)].filter((part) => part !== '').join(' · ');
}

function liveText(live: ReturnType<typeof liveOf>): string {
  switch (live.kind) {
    case 'unknown':
      return '';
    case 'none':
      return vscode.l10n.t('nothing deployed yet');
    case 'mixed':
      return vscode.l10n.t('servers differ');
    case 'one': {
      const { release, record } = live;
      if (record === undefined) return release;
      const age = formatAge(record.finished, Date.now(), vscode.l10n.t);
      return vscode.l10n.t('live: {0} {1}, {2}', shortCommit(record.commit), record.subject, age);
    }
  }
}

async function sayNone(file: string | undefined): Promise<void> {
  if (file === undefined) {
    const create = vscode.l10n.t('Create durant.conf');
    const chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t('There is no durant.conf in this workspace yet. It names your servers.'),
      create,
    );
    if (chosen === create) await vscode.commands.executeCommand(commands.createConfig);
    return;
  }
  const open = vscode.l10n.t('Open Configuration');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('durant.conf has no stage yet. Add a section such as [production].'),
    open,
  );
  if (chosen === open) await vscode.window.showTextDocument(vscode.Uri.file(file));
}
