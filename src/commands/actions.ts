/** The message at the end of a run, and what its buttons do. */
import * as vscode from 'vscode';
import { commands, nodeCommands } from '../editor/ids.ts';
import { keyOf, type Ending, type Remedy } from '../editor/ending.ts';
import type { ErrorCode } from '../errors.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { signIn } from './signIn.ts';

export interface Again {
  readonly stage: StageId;
  readonly retry: () => void;
  /** Does it once the lock is free. */
  readonly wait?: (() => void) | undefined;
  /** Does it without its plan. */
  readonly anyway?: (() => void) | undefined;
  readonly code: ErrorCode | undefined;
  /** The release that was live before the run. */
  readonly before?: string | undefined;
  /** The option of durant.conf that it is about, where the code does not say it. */
  readonly key?: string | undefined;
}

/** Shows the message; does not wait for a button. */
export function showEnding(app: App, ending: Ending, again: Again): void {
  const labels = ending.remedies.map(labelOf);
  const show =
    ending.level === 'info'
      ? vscode.window.showInformationMessage(ending.message, ...labels)
      : ending.level === 'warning'
        ? vscode.window.showWarningMessage(ending.message, ...labels)
        : vscode.window.showErrorMessage(ending.message, ...labels);
  void show.then((chosen) => {
    const remedy = ending.remedies[labels.indexOf(chosen ?? '')];
    if (remedy !== undefined)
      apply(app, remedy, { ...again, command: ending.command ?? '', origin: ending.origin });
  });
}

function labelOf(remedy: Remedy): string {
  switch (remedy) {
    case 'show-output':
      return vscode.l10n.t('Show Output');
    case 'roll-back':
      return vscode.l10n.t('Roll Back');
    case 'show-problems':
      return vscode.l10n.t('Show Problems');
    case 'undo':
      return vscode.l10n.t('Undo');
    case 'go-to-problem':
      return vscode.l10n.t('Go to Problem');
    case 'wait':
      return vscode.l10n.t('Wait and Deploy');
    case 'prune':
      return vscode.l10n.t('Prune…');
    case 'git-setting':
      return vscode.l10n.t('Open Setting');
    case 'sign-in':
      return vscode.l10n.t('Sign In…');
    case 'copy-command':
      return vscode.l10n.t('Copy Command');
    case 'unlock':
      return vscode.l10n.t('Unlock…');
    case 'maintenance-off':
      return vscode.l10n.t('Maintenance Off');
    case 'release-hold':
      return vscode.l10n.t('Release Hold…');
    case 'open-configuration':
      return vscode.l10n.t('Open Configuration');
    case 'retry':
      return vscode.l10n.t('Retry');
    case 'review-again':
      return vscode.l10n.t('Review Again');
    case 'anyway':
      return vscode.l10n.t('Deploy Anyway');
    case 'deploy':
      return vscode.l10n.t('Deploy');
  }
}

function apply(
  app: App,
  remedy: Remedy,
  {
    stage,
    retry,
    wait,
    anyway,
    code,
    before,
    key,
    command,
    origin,
  }: Again & { readonly command: string; readonly origin: string | undefined },
): void {
  switch (remedy) {
    case 'show-output':
      app.log.show(true);
      return;
    case 'roll-back':
      void vscode.commands.executeCommand(commands.rollback, { ...stage, release: 'previous' });
      return;
    case 'show-problems':
      void vscode.commands.executeCommand('workbench.actions.view.problems');
      return;
    case 'undo':
      void vscode.commands.executeCommand(commands.rollback, { ...stage, release: before });
      return;
    case 'wait':
      wait?.();
      return;
    case 'prune':
      void vscode.commands.executeCommand(commands.prune, stage);
      return;
    case 'git-setting':
      void vscode.commands.executeCommand('workbench.action.openSettings', 'durant.gitPath');
      return;
    case 'sign-in':
      if (origin !== undefined)
        void signIn(app, origin).then((done) => {
          if (done) retry();
        });
      return;
    case 'copy-command':
      void vscode.env.clipboard.writeText(command);
      return;
    case 'unlock':
      void vscode.commands.executeCommand(commands.unlock, stage);
      return;
    case 'maintenance-off':
      void vscode.commands.executeCommand(commands.maintenanceOff, stage);
      return;
    case 'release-hold':
      void vscode.commands.executeCommand(commands.unhold, stage);
      return;
    case 'go-to-problem':
    case 'open-configuration':
      void vscode.commands.executeCommand(nodeCommands.openConfig, {
        ...stage,
        key: key ?? (code === undefined ? undefined : keyOf(code)),
      });
      return;
    case 'retry':
      retry();
      return;
    case 'review-again':
      void vscode.commands.executeCommand(nodeCommands.reviewAgain);
      return;
    case 'anyway':
      anyway?.();
      return;
    case 'deploy':
      void vscode.commands.executeCommand(commands.deploy, stage);
  }
}
