/** Roll back: to a release of one's choice, to the previous one, or to the one that was clicked. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import { formatAge, shortCommit } from '../format.ts';
import type { Node } from '../views/nodes.ts';
import type { StageId, StageKnown } from '../views/store.ts';
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

/** Roll Back to This Release. */
export async function rollbackRelease(app: App, node: Extract<Node, { kind: 'release' }>): Promise<void> {
  await rollbackStage(app, { file: node.file, stage: node.stage }, node.release);
}

async function rollbackStage(app: App, stage: StageId, release: string | undefined): Promise<void> {
  if (vscode.workspace.isTrusted && !(await settleUnsaved(stage.file, 'configuration'))) return;
  await conductRun(app, {
    stage,
    action: 'rollback',
    dryRun: false,
    call: (options) =>
      app.engine.call(
        'rollback',
        { ...stage, servers: [], release, alwaysConfirm: alwaysConfirms(stage.file) },
        options,
      ),
    retry: () => void rollbackStage(app, stage, release),
  });
}

async function pickRelease(app: App, stage: StageId): Promise<string | undefined> {
  const title = vscode.l10n.t('Roll back {0}', stage.stage);
  const items = loadStage(app, stage, 'may ask').then(() => {
    const snapshot = app.store.snapshot(stage);
    if (snapshot?.failure !== undefined) throw new Error(snapshot.failure.message);
    return candidatesOf(snapshot?.known).map((record) => ({
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
    const picked = await vscode.window.showQuickPick(found, {
      title,
      placeHolder: vscode.l10n.t('The release to go back to, newest first'),
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return picked?.release;
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** The releases that every server has and that were finished once, without the live one, newest first. */
export function candidatesOf(known: StageKnown | undefined): StageKnown['servers'][number]['releases'] {
  const [first, ...others] = known?.servers ?? [];
  return (first?.releases ?? []).filter(
    ({ name, current, state }) =>
      !current &&
      (state === 'finished' || state === 'bad') &&
      others.every((server) => server.releases.some((record) => record.name === name)),
  );
}

function releaseOf(argument: unknown): string | undefined {
  if (typeof argument !== 'object' || argument === null || !('release' in argument)) return undefined;
  return typeof argument.release === 'string' ? argument.release : undefined;
}
