/** Prune Releases…: removes the releases beyond `keep_releases`, on all servers of a stage or on one. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import { formatDuration } from '../format.ts';
import type { Ending } from '../editor/ending.ts';
import type { Node } from '../views/nodes.ts';
import type { StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { conductRun } from './runInEditor.ts';
import { pickStage } from './pickStage.ts';
import { settleUnsaved } from './unsaved.ts';

type Removed = Readonly<Record<string, readonly string[]>>;

export async function prune(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to prune'));
  if (stage !== undefined) await pruneStage(app, stage, []);
}

/** On a server alone. */
export async function pruneServer(app: App, node: Extract<Node, { kind: 'server' }>): Promise<void> {
  await pruneStage(app, { file: node.file, stage: node.stage }, [node.server]);
}

/** @param only servers to remove from; empty: all of the stage. */
async function pruneStage(app: App, stage: StageId, only: readonly string[]): Promise<void> {
  if (!mayRun() || !(await settleUnsaved(stage.file))) return;
  let removed: Removed = {};
  await conductRun(app, {
    stage,
    action: 'prune',
    dryRun: false,
    call: async (options) => {
      const outcome = await app.engine.call(
        'prune',
        { ...stage, servers: [], only, alwaysConfirm: alwaysConfirms(stage.file) },
        options,
      );
      ({ removed } = outcome);
      return outcome.finished;
    },
    retry: () => void pruneStage(app, stage, only),
    endingOf: (_, ms) => ending(stage, removed, ms),
  });
}

function ending({ stage }: StageId, removed: Removed, ms: number): Ending {
  const where = Object.entries(removed).filter(([, names]) => names.length > 0);
  const count = where.reduce((sum, [, names]) => sum + names.length, 0);
  const time = formatDuration(ms);
  const list = where.map(([server, names]) => `${server}: ${names.join(', ')}`).join('; ');
  return {
    level: 'info',
    message:
      count === 0
        ? vscode.l10n.t('{0}: there are no releases to remove.', stage)
        : count === 1
          ? vscode.l10n.t('{0}: 1 release is removed ({1}). {2}', stage, time, list)
          : vscode.l10n.t('{0}: {1} releases are removed ({2}). {3}', stage, count, time, list),
    remedies: ['show-output'],
  };
}
