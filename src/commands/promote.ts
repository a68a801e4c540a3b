/** Promote…: the very release that is live in one stage becomes live in another. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import { isStageArgument } from '../editor/ids.ts';
import type { CommitInfo } from '../engineProcess/protocol.ts';
import { shortCommit } from '../format.ts';
import { printable } from '../printable.ts';
import { liveOf, type StageEntry, type StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { commitsBetween } from './commitsBetween.ts';
import { pickStage } from './pickStage.ts';
import { conductRun } from './runInEditor.ts';
import { settleUnsaved } from './unsaved.ts';

/** @param argument the stage to promote from; with `to`, the one that it goes to. */
export async function promote(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const from = await pickStage(app, argument, vscode.l10n.t('Stage whose live release is promoted'));
  if (from === undefined) return;
  const to = toOf(argument) ?? (await pickTo(app, from));
  if (to !== undefined) await promoteStage(app, from, { file: from.file, stage: to });
}

async function promoteStage(app: App, from: StageId, stage: StageId): Promise<void> {
  if (!(await settleUnsaved(stage.file))) return;
  await conductRun(app, {
    stage,
    action: 'promote',
    dryRun: false,
    call: (options) =>
      app.engine.call(
        'promote',
        { ...stage, servers: [], from: from.stage, alwaysConfirm: alwaysConfirms(stage.file) },
        options,
      ),
    retry: () => void promoteStage(app, from, stage),
  });
}

/** The other stages of the same durant.conf, each with what would go live there, as far as that is known here. */
async function pickTo(app: App, from: StageId): Promise<string | undefined> {
  const { t } = vscode.l10n;
  const stages = app.store.configurations().find(({ file }) => file === from.file)?.stages ?? [];
  const others = stages.filter(({ stage }) => stage !== from.stage);
  if (others.length === 0) {
    void vscode.window.showInformationMessage(
      t('durant.conf has no other stage that {0} could be promoted to.', app.store.nameOf(from)),
    );
    return undefined;
  }
  const commit = liveCommit(app, from);
  const items = others.map(async (entry) => ({
    label: entry.stage,
    description: commit === undefined ? '' : t('would get {0}', shortCommit(commit)),
    detail: await effectOn(app, entry, commit),
    iconPath: new vscode.ThemeIcon(entry.protected ? 'shield' : 'layers'),
  }));
  const picked = await vscode.window.showQuickPick(Promise.all(items), {
    title: t('Promote {0}', app.store.nameOf(from)),
    placeHolder: t('The stage that gets what is live on {0}', from.stage),
    matchOnDetail: true,
  });
  return picked?.label;
}

function liveCommit(app: App, stage: StageId): string | undefined {
  const live = liveOf(app.store.snapshot(stage)?.known);
  const commit = live.kind === 'one' ? live.record?.commit : undefined;
  return commit === '' ? undefined : commit;
}

/** What a promotion would bring there, by the commits of the clone here. Asks no server. */
async function effectOn(app: App, entry: StageEntry, commit: string | undefined): Promise<string> {
  const { t } = vscode.l10n;
  const stage = { file: entry.file, stage: entry.stage };
  const now = liveCommit(app, stage);
  if (commit === undefined || now === undefined) return t('what is live there is not known yet');
  if (commit === now) return t('the same commit is live there');
  const [gained, lost] = await Promise.all([
    commitsBetween(app, stage, now, commit),
    commitsBetween(app, stage, commit, now),
  ]);
  if (gained === undefined || lost === undefined) return t('live there: {0}', shortCommit(now));
  return [
    ...(gained.length === 0 ? [] : [t('{0} to go live: {1}', countCommits(gained), subjects(gained))]),
    ...(lost.length === 0 ? [] : [t('{0} to be undone: {1}', countCommits(lost), subjects(lost))]),
  ].join(' · ');
}

function countCommits({ length }: readonly CommitInfo[]): string {
  return length === 1 ? vscode.l10n.t('1 commit') : vscode.l10n.t('{0} commits', length);
}

function subjects(commits: readonly CommitInfo[]): string {
  const shown = commits.slice(0, 3).map(({ subject }) => printable(subject));
  return [...shown, ...(commits.length > 3 ? ['…'] : [])].join(', ');
}

function toOf(argument: unknown): string | undefined {
  if (!isStageArgument(argument) || !('to' in argument)) return undefined;
  return typeof argument.to === 'string' ? argument.to : undefined;
}
