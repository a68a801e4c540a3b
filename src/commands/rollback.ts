/** Roll back: to a release of one's choice, to the previous one, or to the one that was clicked. */
import * as vscode from 'vscode';
import { reasonOf } from '../errors.ts';
import { formatAge, shortCommit } from '../format.ts';
import type { Node } from '../views/nodes.ts';
import { candidatesOf, isNewer } from '../views/candidates.ts';
import type { StageId } from '../views/store.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { conductRun } from './runInEditor.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved } from './unsaved.ts';

/** @param argument a stage, which may name a `release`: `previous` is the one before the live one. */
export async function rollback(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to roll back'));
  if (stage === undefined) return;
  const named = releaseOf(argument);
  if (named !== undefined) {
    await rollbackStage(app, stage, named === 'previous' ? undefined : named);
    return;
  }
  const release = await pickRelease(app, stage);
  if (release !== undefined) await rollbackStage(app, stage, release);
}

/** Roll Back to This Release, Make Live Again. */
export async function rollbackRelease(app: App, node: Extract<Node, { kind: 'release' }>): Promise<void> {
  await rollbackStage(app, { file: node.file, stage: node.stage }, node.release);
}

/** Always asked about, with the commits it is about: it is one click away, and changes the site at once. */
async function rollbackStage(app: App, stage: StageId, release: string | undefined): Promise<void> {
  if (vscode.workspace.isTrusted && !(await settleUnsaved(stage.file))) return;
  await conductRun(app, {
    stage,
    action: isNewer(app.store.snapshot(stage)?.known, release) ? 'restore' : 'rollback',
    dryRun: false,
    call: (options) =>
      app.engine.call('rollback', { ...stage, servers: [], release, alwaysConfirm: true }, options),
    retry: () => void rollbackStage(app, stage, release),
  });
}

async function pickRelease(app: App, stage: StageId): Promise<string | undefined> {
  const title = vscode.l10n.t('Roll back {0}', stage.stage);
  const items = loadStage(app, stage, 'may ask').then(() => {
    const snapshot = app.store.snapshot(stage);
    if (snapshot?.failure !== undefined) throw new Error(snapshot.failure.message);
    return candidatesOf(snapshot?.known).map((record) => ({
      isNewer: isNewer(snapshot?.known, record.name),
      label: record.subject === '' ? record.name : record.subject,
      description: `${shortCommit(record.commit)} · ${record.deployed_by} · ${formatAge(record.finished, Date.now(), vscode.l10n.t)}`,
      detail: record.name,
      iconPath: new vscode.ThemeIcon(record.state === 'bad' ? 'circle-slash' : 'package'),
      release: record.name,
    }));
  });
  try {
    const found = await items;
    if (found.length === 0) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('There is no other release that every server of {0} has.', stage.stage),
      );
      return undefined;
    }
    const picked = await vscode.window.showQuickPick(grouped(found), {
      title,
      placeHolder: vscode.l10n.t('The release to go back to, newest first'),
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return picked === undefined || !('release' in picked) ? undefined : picked.release;
  } catch (error) {
    void vscode.window.showErrorMessage(reasonOf(error));
    return undefined;
  }
}

/** Those newer than the live one apart, where there are any. */
function grouped<T extends { readonly isNewer: boolean }>(
  found: readonly (T & vscode.QuickPickItem)[],
): readonly ((T & vscode.QuickPickItem) | vscode.QuickPickItem)[] {
  const newer = found.filter(({ isNewer }) => isNewer);
  if (newer.length === 0) return found;
  const separator = (label: string): vscode.QuickPickItem => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
  });
  return [
    separator(vscode.l10n.t('Newer than what is live: make live again')),
    ...newer,
    separator(vscode.l10n.t('Older: roll back to')),
    ...found.filter(({ isNewer }) => !isNewer),
  ];
}

function releaseOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null || !('release' in argument)) return undefined;
  return typeof argument.release === 'string' ? argument.release : undefined;
}
