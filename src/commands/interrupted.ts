/** Runs of this machine that were cut off, for example by a window that was killed: explained once, with what helps. */
import * as vscode from 'vscode';
import { durantFolders } from '../engine/thisMachine.ts';
import { commands } from '../editor/ids.ts';
import { formatAge } from '../format.ts';
import { openJournal, type JournalEntry } from '../engine/server/journal.ts';
import type { App } from './commandContext.ts';

const explainedKey = 'durant.explainedRuns';

export async function explainInterrupted(app: App, memory: vscode.Memento): Promise<void> {
  const { stateDir } = durantFolders(process.env);
  const entries = await openJournal(stateDir).interrupted();
  const explained = memory.get<readonly string[]>(explainedKey, []);
  const own = entries.filter(
    ({ run, config, stage }) =>
      !explained.includes(run) && app.store.snapshot({ file: config, stage }) !== undefined,
  );
  if (own.length === 0) return;
  await memory.update(explainedKey, [...explained, ...own.map(({ run }) => run)].slice(-200));
  for (const entry of own) explain(app, entry);
}

function explain(app: App, { config, stage, action, servers, started }: JournalEntry): void {
  const look = vscode.l10n.t('Show What Is Live');
  const deploy = vscode.l10n.t('Deploy');
  const message = vscode.l10n.t(
    'The {0} of {1} that began {2} was cut off before it could clean up. {3} may still be locked; what was live before is live unless it was switching. The next run from here clears this up.',
    action,
    stage,
    formatAge(started, Date.now(), vscode.l10n.t),
    servers.join(', '),
  );
  app.log.warn(`${stage} │ ${message}`);
  void vscode.window.showWarningMessage(message, look, deploy).then((chosen) => {
    const id = { file: config, stage };
    if (chosen === look) void vscode.commands.executeCommand(commands.refresh, id);
    if (chosen === deploy) void vscode.commands.executeCommand(commands.deploy, id);
  });
}
