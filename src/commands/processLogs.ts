/** Follow Logs of a process on a server, and Stop Following Logs. */
import * as vscode from 'vscode';
import { createAnswer } from '../editor/prompts.ts';
import type { Node } from '../views/nodes.ts';
import { mayRun, type App } from './commandContext.ts';

type ProcessNode = Extract<Node, { kind: 'process' }>;

/** Lines of before that are shown first. */
const linesBefore = 200;

export async function followLogs(app: App, node: ProcessNode): Promise<void> {
  if (!mayRun()) return;
  const { file, stage, server, process } = node;
  if (app.store.snapshot(node)?.activity(server, process).followsLogs !== true)
    app.store.setActivity(node, { followsLogs: true });
  await app.logs.follow(channelName(app, node), ({ emit, signal }) =>
    app.engine
      .call(
        'logs',
        { file, stage, servers: [server], process, lines: linesBefore },
        { emit, signal, answer: createAnswer(app.secrets) },
      )
      .finally(() => {
        app.store.setActivity(node, { followsLogs: false });
      }),
  );
}

export function stopFollowing(app: App, node: ProcessNode): void {
  app.logs.stop(channelName(app, node));
}

/** The application's name alone may be that of several stages on one server, but then so are the units. */
function channelName(app: App, node: ProcessNode): string {
  const name = app.store.snapshot(node)?.processes?.app ?? node.stage;
  return vscode.l10n.t('Durant: {0} {1} on {2}', name, node.process, node.server);
}
