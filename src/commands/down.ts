/** Take Down…: the application of a stage goes from its servers, once its name has been typed. */
import * as vscode from 'vscode';
import { formatDuration } from '../format.ts';
import type { StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';
import { conductRun } from './runInEditor.ts';
import { settleUnsaved } from './unsaved.ts';

export async function down(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const stage = await pickStage(app, argument, t('Stage to take down'));
  if (stage === undefined || !(await settleUnsaved(stage.file))) return;
  const kept = { label: t('Keep shared/'), detail: t('The data of the application stays on the servers.') };
  const gone = { label: t('Remove shared/, too'), detail: t('The data of the application is deleted.') };
  const picked = await vscode.window.showQuickPick([kept, gone], {
    title: t('Take {0} down', app.store.nameOf(stage)),
    placeHolder: t('Its units, site, releases and records are removed. And its data?'),
  });
  if (picked !== undefined) await takeDown(app, stage, picked === gone);
}

async function takeDown(app: App, stage: StageId, shared: boolean): Promise<void> {
  const { t } = vscode.l10n;
  let removed: Readonly<Record<string, readonly string[]>> = {};
  await conductRun(app, {
    stage,
    action: 'down',
    dryRun: false,
    call: async (options) => {
      const outcome = await app.engine.call('down', { ...stage, servers: [], shared }, options);
      ({ removed } = outcome);
      return outcome.finished;
    },
    retry: () => void takeDown(app, stage, shared),
    endingOf: (_, ms) => {
      const list = Object.entries(removed).flatMap(([server, names]) =>
        names.length === 0 ? [] : [`${server}: ${names.join(', ')}`],
      );
      const name = app.store.nameOf(stage);
      return {
        level: 'info',
        message:
          list.length === 0
            ? t('{0}: there was nothing to take down.', name)
            : t('{0} is taken down ({1}). Removed: {2}', name, formatDuration(ms), list.join('; ')),
        remedies: ['show-output'],
      };
    },
  });
}
