/** Maintenance On and Off: visitors get a page instead of the site. */
import * as vscode from 'vscode';
import { countServers, formatDuration } from '../format.ts';
import type { StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';
import { conductRun } from './runInEditor.ts';
import { settleUnsaved } from './unsaved.ts';

/** On is asked about: visitors see it at once. */
export async function maintenance(app: App, argument: unknown, to: 'on' | 'off'): Promise<void> {
  if (!mayRun()) return;
  const { t } = vscode.l10n;
  const placeHolder =
    to === 'on' ? t('Stage whose visitors get the maintenance page') : t('Stage whose maintenance is over');
  const stage = await pickStage(app, argument, placeHolder, 'with a site');
  if (stage === undefined) return;
  const button = t('Maintenance On');
  if (to === 'on') {
    const chosen = await vscode.window.showWarningMessage(
      t('Show visitors of {0} the maintenance page?', app.store.nameOf(stage)),
      { modal: true, detail: t('They get it until it is turned off. Deploys go on meanwhile.') },
      button,
    );
    if (chosen !== button) return;
  }
  await changeMaintenance(app, stage, to);
}

async function changeMaintenance(app: App, stage: StageId, to: 'on' | 'off'): Promise<void> {
  if (!(await settleUnsaved(stage.file))) return;
  const { t } = vscode.l10n;
  const name = app.store.nameOf(stage);
  await conductRun(app, {
    stage,
    action: to === 'on' ? 'maintenance-on' : 'maintenance-off',
    dryRun: false,
    call: (options) => app.engine.call('maintenance', { ...stage, servers: [], to }, options),
    retry: () => void changeMaintenance(app, stage, to),
    endingOf: ({ servers }, ms) => ({
      level: 'info',
      message:
        to === 'on'
          ? t(
              '{0}: visitors get the maintenance page, on {1} ({2}).',
              name,
              countServers(servers.length, t),
              formatDuration(ms),
            )
          : t(
              '{0}: visitors get the site again, on {1} ({2}).',
              name,
              countServers(servers.length, t),
              formatDuration(ms),
            ),
      remedies: to === 'on' ? ['maintenance-off', 'show-output'] : ['show-output'],
    }),
  });
}
