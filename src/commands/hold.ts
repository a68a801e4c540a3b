/** Hold… and Release Hold: whether anybody may deploy to a stage, and why not. */
import * as vscode from 'vscode';
import { parseUntil } from '../config/values/until.ts';
import { askLine } from '../editor/askLine.ts';
import { formatAge } from '../format.ts';
import { printable } from '../printable.ts';
import { holdOf } from '../views/stageItem.ts';
import type { StageId } from '../views/store.ts';
import { callStage } from './callStage.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function hold(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const stage = await pickStage(app, argument, t('Stage to hold'));
  if (stage === undefined) return;
  const name = app.store.nameOf(stage);
  const why = await askLine({
    title: t('Hold {0}', name),
    prompt: t('Why? Everybody who wants to deploy is shown this.'),
    placeholder: t('the database is being moved'),
    value: holdOf(app.store.snapshot(stage)?.known)?.why ?? '',
    problemOf: (text) => (text === '' ? t('Say why.') : undefined),
  });
  if (why === undefined) return;
  const until = await askUntil(name);
  if (until === undefined) return;
  const result = await callStage(app, {
    stage,
    title: t('Holding {0}', name),
    method: 'hold',
    takes: { ...stage, servers: [], why, until: until.text },
    retry: () => void hold(app, stage),
  });
  if (result === undefined) return;
  await loadStage(app, stage, 'silently', 'afresh');
  const [failed] = result.servers.filter(({ error }) => error !== null);
  if (failed !== undefined) return sayFailed(name, failed);
  const release = t('Release Hold');
  const chosen = await vscode.window.showInformationMessage(
    t('{0} is held: nobody can deploy, roll back or promote to it.', name),
    release,
  );
  if (chosen === release) await liftHold(app, stage);
}

/** Asked about: somebody had a reason. */
export async function unhold(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const stage = await pickStage(app, argument, t('Stage to release the hold of'));
  if (stage === undefined) return;
  const button = t('Release Hold');
  const held = holdOf(app.store.snapshot(stage)?.known);
  const detail =
    held === undefined
      ? ''
      : t(
          '{0}@{1}, {2}: {3}',
          held.user,
          held.host,
          formatAge(held.since, Date.now(), t),
          printable(held.why),
        );
  const chosen = await vscode.window.showWarningMessage(
    t('Let {0} be deployed to again?', app.store.nameOf(stage)),
    { modal: true, detail },
    button,
  );
  if (chosen === button) await liftHold(app, stage);
}

async function liftHold(app: App, stage: StageId): Promise<void> {
  const { t } = vscode.l10n;
  const name = app.store.nameOf(stage);
  const result = await callStage(app, {
    stage,
    title: t('Releasing the hold of {0}', name),
    method: 'unhold',
    takes: { ...stage, servers: [] },
    retry: () => void liftHold(app, stage),
  });
  if (result === undefined) return;
  await loadStage(app, stage, 'silently', 'afresh');
  const [failed] = result.servers.filter(({ error }) => error !== null);
  if (failed !== undefined) return sayFailed(name, failed);
  const wasHeld = result.servers.some(({ was }) => was !== null);
  void vscode.window.showInformationMessage(
    wasHeld ? t('{0} can be deployed to again.', name) : t('{0} was not held.', name),
  );
}

function sayFailed(
  name: string,
  { server, error }: { readonly server: string; readonly error: string | null },
): void {
  void vscode.window.showErrorMessage(`${name}: ${server}: ${printable(error ?? '')}`);
}

/** Undefined where it was cancelled; without `text` it lasts until somebody lifts it. */
async function askUntil(name: string): Promise<{ readonly text: string | undefined } | undefined> {
  const { t } = vscode.l10n;
  const other = t('Another time…');
  const tomorrow = new Date();
  tomorrow.setDate(tomorrow.getDate() + 1);
  tomorrow.setHours(8, 0, 0, 0);
  const items: readonly (vscode.QuickPickItem & { readonly text: string | undefined })[] = [
    { label: t('Until somebody releases it'), text: undefined },
    { label: t('For 1 hour'), text: '1h' },
    { label: t('For 4 hours'), text: '4h' },
    { label: t('Until tomorrow, 8:00'), text: tomorrow.toISOString() },
    { label: other, text: undefined },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: t('Hold {0}', name),
    placeHolder: t('Until when?'),
  });
  if (picked === undefined || picked.label !== other) return picked;
  const text = await askLine({
    title: t('Hold {0}', name),
    prompt: t('A duration such as 90m or 2h, or a time such as 2027-01-04T08:00'),
    problemOf: (value) =>
      parseUntil(value) === undefined ? t('That is neither a duration nor a time.') : undefined,
  });
  return text === undefined ? undefined : { text };
}
