/** Compare Stages…: what is live on two stages, and how they are configured, side by side; from there to Promote. */
import * as vscode from 'vscode';
import { commands } from '../editor/ids.ts';
import { asDurantError } from '../errors.ts';
import { shortCommit } from '../format.ts';
import { readConfigurationText } from '../views/configurations.ts';
import { currentView } from '../views/currentView.ts';
import { optionDifferences, sideBySideText } from '../views/stagesSideBySide.ts';
import { liveOf, type ReleaseKnown, type StageId } from '../views/store.ts';
import { openCommitChanges } from './commitChanges.ts';
import { commitsBetween } from './commitsBetween.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function compareStages(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const left = await pickStage(app, argument, t('Stage to compare'));
  if (left === undefined) return;
  const right = await pickOther(app, left);
  if (right === undefined) return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('Comparing {0} with {1}', left.stage, right.stage) },
    () =>
      Promise.all(
        [left, right].map((stage) =>
          app.store.snapshot(stage)?.known === undefined ? loadStage(app, stage, 'may ask') : undefined,
        ),
      ),
  );
  const [ours, theirs] = [liveRecordOf(app, left), liveRecordOf(app, right)];
  const [from, to] = [ours?.commit ?? '', theirs?.commit ?? ''];
  const both = from !== '' && to !== '';
  const [onLeft, onRight, files] = await Promise.all([
    both ? commitsBetween(app, right, to, from) : undefined,
    both ? commitsBetween(app, right, from, to) : undefined,
    both && from !== to ? filesBetween(app, right, from, to) : [],
  ]);
  const text = sideBySideText(
    {
      left: { name: left.stage, live: ours, commits: onLeft },
      right: { name: right.stage, live: theirs, commits: onRight },
      files,
      options: optionDifferences(await readConfigurationText(left.file), left.stage, right.stage),
    },
    currentView(),
  );
  await app.texts.show(`${t('{0} and {1}', left.stage, right.stage)}.md`, text);
  await offer(app, { left, right, from, to });
}

async function offer(
  app: App,
  pair: { readonly left: StageId; readonly right: StageId; readonly from: string; readonly to: string },
): Promise<void> {
  const { left, right, from, to } = pair;
  const { t } = vscode.l10n;
  if (from === to) return;
  const changes = t('Open All Changes');
  const promotions = [
    { from: left, to: right },
    { from: right, to: left },
  ].map((each) => ({ ...each, label: t('Promote to {0}', each.to.stage) }));
  const chosen = await vscode.window.showInformationMessage(
    t('{0} has {1} live, {2} has {3}.', left.stage, short(from), right.stage, short(to)),
    ...(from === '' || to === '' ? [] : [changes]),
    ...promotions.map(({ label }) => label),
  );
  if (chosen === changes) {
    const title = `${left.stage} ${shortCommit(from)} ↔ ${right.stage} ${shortCommit(to)}`;
    await openCommitChanges(app, { stage: right, from, to, title });
  }
  const promotion = promotions.find(({ label }) => label === chosen);
  if (promotion !== undefined)
    await vscode.commands.executeCommand(commands.promote, { ...promotion.from, to: promotion.to.stage });
}

function short(commit: string): string {
  return commit === '' ? '—' : shortCommit(commit);
}

async function pickOther(app: App, { file, stage }: StageId): Promise<StageId | undefined> {
  const { t } = vscode.l10n;
  const stages = app.store.configurations().find((each) => each.file === file)?.stages ?? [];
  const others = stages.filter((entry) => entry.stage !== stage);
  const [only] = others;
  if (others.length === 1 && only !== undefined) return { file, stage: only.stage };
  if (only === undefined) {
    void vscode.window.showInformationMessage(
      t('durant.conf has no other stage to compare {0} with.', stage),
    );
    return undefined;
  }
  const items = others.map((entry) => ({
    label: entry.stage,
    iconPath: new vscode.ThemeIcon(entry.protected ? 'shield' : 'layers'),
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: t('The stage to compare {0} with', stage),
  });
  return picked === undefined ? undefined : { file, stage: picked.label };
}

function liveRecordOf(app: App, stage: StageId): ReleaseKnown | undefined {
  const live = liveOf(app.store.snapshot(stage)?.known);
  return live.kind === 'one' ? live.record : undefined;
}

async function filesBetween(
  app: App,
  { file, stage }: StageId,
  from: string,
  to: string,
): Promise<readonly { readonly path: string; readonly kind: 'added' | 'changed' | 'deleted' }[]> {
  try {
    return await app.engine.call('changes', { file, stage, servers: [], from, to }, { signal: app.signal });
  } catch (thrown) {
    app.log.error(`${stage} │ ${asDurantError(thrown).message}`);
    return [];
  }
}
