/** The stages as lanes over time, in a page of the editor. It has no scripts, loads nothing, and is drawn again with the history. */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { redrawAges } from '../editor/ageClock.ts';
import { currentView } from '../views/currentView.ts';
import type { HistoryView } from '../views/historyView.ts';
import { lanesHtml } from '../views/lanes.ts';

export interface Lanes extends vscode.Disposable {
  /** Opens the page, or brings it to the front. */
  readonly show: () => void;
}

export function createLanes(history: HistoryView): Lanes {
  let panel: vscode.WebviewPanel | undefined;
  const draw = (): void => {
    if (panel !== undefined) panel.webview.html = lanesHtml(history.all(), currentView(), randomUUID());
  };
  const subscription = history.onDidChange(draw);
  const ages = redrawAges(() => panel?.visible === true, draw);
  return {
    show: () => {
      if (panel === undefined) {
        panel = vscode.window.createWebviewPanel(
          'durant.lanes',
          vscode.l10n.t('Durant: History'),
          vscode.ViewColumn.Active,
          { enableScripts: false, localResourceRoots: [] },
        );
        panel.onDidDispose(() => (panel = undefined));
      }
      draw();
      panel.reveal();
    },
    dispose: () => {
      ages.dispose();
      subscription.dispose();
      panel?.dispose();
    },
  };
}
