/** Start, Stop and Restart of a process on a server. */
import * as vscode from 'vscode';
import { alwaysConfirms } from '../editor/configuration.ts';
import { logRun } from '../editor/log.ts';
import { printable } from '../printable.ts';
import { failureOf } from '../editor/ending.ts';
import { createAnswer } from '../editor/prompts.ts';
import { asDurantError, DurantError } from '../errors.ts';
import type { Node } from '../views/nodes.ts';
import type { ProcessControl } from '../views/store.ts';
import { loadProcesses, mayRun, type App } from './commandContext.ts';
import { showEnding } from './actions.ts';

type ProcessNode = Extract<Node, { kind: 'process' }>;

export async function controlProcess(app: App, node: ProcessNode, action: ProcessControl): Promise<void> {
  if (!mayRun()) return;
  const { file, stage, server, process } = node;
  const snapshot = app.store.snapshot(node);
  if (snapshot === undefined || snapshot.activity(server, process).control !== undefined) return;
  if (action === 'stop' && (snapshot.entry.protected || alwaysConfirms(file)) && !(await mayStop(node)))
    return;
  app.store.setActivity(node, { control: action });
  const servers = [server];
  try {
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: titleOf(action, node) },
      async () => {
        const done = await app.engine.call(
          'control',
          { file, stage, servers, action, process },
          { signal: app.signal, emit: logRun(app.log, stage), answer: createAnswer(app.secrets) },
        );
        const error = done.servers.find((each) => each.error !== null)?.error ?? null;
        if (error !== null) throw new DurantError('services-failed', error, { server });
        const units = done.servers.flatMap((each) => each.units).map(printable);
        app.log.info(`${stage} · ${server} │ ${action} ${units.join(', ')}`);
        await loadProcesses(app, { file, stage, servers }, 'silently');
      },
    );
  } catch (thrown) {
    const error = asDurantError(thrown);
    app.log.error(`${stage} · ${server} │ ${error.message} [${error.code}]`);
    await loadProcesses(app, { file, stage, servers }, 'silently');
    if (error.code !== 'cancelled')
      showEnding(app, failureOf(error, { stage }, vscode.l10n.t), {
        stage: { file, stage },
        retry: () => void controlProcess(app, node, action),
        code: error.code,
      });
  } finally {
    app.store.setActivity(node, { control: undefined });
  }
}

function titleOf(action: ProcessControl, { process, server }: ProcessNode): string {
  switch (action) {
    case 'start':
      return vscode.l10n.t('Starting {0} on {1}', process, server);
    case 'stop':
      return vscode.l10n.t('Stopping {0} on {1}', process, server);
    case 'restart':
      return vscode.l10n.t('Restarting {0} on {1}', process, server);
  }
}

async function mayStop({ process, server, stage }: ProcessNode): Promise<boolean> {
  const stop = vscode.l10n.t('Stop {0}', process);
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('Stop {0} of {1} on {2}?', process, stage, server),
    { modal: true, detail: vscode.l10n.t('It stays stopped until it is started or the server boots.') },
    stop,
  );
  return chosen === stop;
}
