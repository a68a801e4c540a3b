/** Verify: whether what is live is byte for byte what was deployed. Changes nothing. */
import * as vscode from 'vscode';
import type { Drift } from '../engine/index.ts';
import { failureOf } from '../editor/ending.ts';
import { countServers } from '../format.ts';
import { printable } from '../printable.ts';
import type { Node } from '../views/nodes.ts';
import type { StageId } from '../views/store.ts';
import { showEnding } from './actions.ts';
import { callStage } from './callStage.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

export async function verify(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to verify'));
  if (stage !== undefined) await verifyStage(app, stage, []);
}

/** On a server alone. */
export async function verifyServer(
  app: App,
  { file, stage, server }: Extract<Node, { kind: 'server' }>,
): Promise<void> {
  if (mayRun()) await verifyStage(app, { file, stage }, [server]);
}

async function verifyStage(app: App, stage: StageId, servers: readonly string[]): Promise<void> {
  const { t } = vscode.l10n;
  const name = app.store.nameOf(stage);
  const retry = (): void => void verifyStage(app, stage, servers);
  const verified = await callStage(app, {
    stage,
    title: t('Comparing {0} with what was deployed', name),
    method: 'verify',
    takes: { ...stage, servers },
    retry,
  });
  if (verified === undefined) return;
  const { finished, drifts } = verified;
  if (finished.error !== null)
    showEnding(app, failureOf(finished.error, { stage: name }, t), {
      stage,
      retry,
      code: finished.error.code,
    });
  if (drifts.length > 0) await offerDrifts(app, name, drifts);
  else if (finished.error === null)
    void vscode.window.showInformationMessage(
      t(
        '{0}: {1} is byte for byte what was deployed, on {2}.',
        name,
        finished.release ?? '',
        countServers(finished.servers.length, t),
      ),
    );
}

async function offerDrifts(app: App, name: string, drifts: readonly Drift[]): Promise<void> {
  const { t } = vscode.l10n;
  const show = t('Show Differences');
  const message =
    drifts.length === 1
      ? t('{0}: 1 difference from what was deployed.', name)
      : t('{0}: {1} differences from what was deployed.', name, drifts.length);
  if ((await vscode.window.showWarningMessage(message, show)) === show)
    await app.texts.show(`${t('Differences of {0}', name)}.txt`, driftText(message, drifts));
}

function driftText(title: string, drifts: readonly Drift[]): string {
  const { t } = vscode.l10n;
  const words: Readonly<Record<Drift['kind'], string>> = {
    added: t('added'),
    changed: t('changed'),
    deleted: t('deleted'),
    mode: t('other permissions'),
  };
  const width = Math.max(...Object.values(words).map(({ length }) => length));
  const servers = [...new Set(drifts.map(({ server }) => server))];
  const parts = servers.map((server) => {
    const own = drifts.filter((drift) => drift.server === server);
    return [server, ...own.map(({ kind, path }) => `  ${words[kind].padEnd(width)}  ${printable(path)}`)];
  });
  return [title, ...parts.map((lines) => `\n${lines.join('\n')}`), ''].join('\n');
}
