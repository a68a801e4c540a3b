/** The status bar's item of what is live; a click shows the stages. */
import * as vscode from 'vscode';
import { redrawAges } from '../editor/ageClock.ts';
import { views } from '../editor/ids.ts';
import { currentView } from '../views/currentView.ts';
import { liveStatusOf } from '../views/liveStatus.ts';
import type { StageId, Store } from '../views/store.ts';

export function createLiveStatusItem(store: Store, chosen: () => StageId | undefined): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('durant.live', vscode.StatusBarAlignment.Left);
  item.name = vscode.l10n.t('Durant: What Is Live');
  item.command = `${views.stages}.focus`;
  const show = (): void => {
    const status = vscode.workspace.isTrusted ? liveStatusOf(store, chosen(), currentView()) : undefined;
    if (status === undefined) {
      item.hide();
      return;
    }
    item.text = status.text;
    item.tooltip = status.tooltip;
    item.accessibilityInformation = { label: status.text.replace(/^\S+ /, '') };
    item.show();
  };
  show();
  return vscode.Disposable.from(
    item,
    { dispose: store.subscribe(show) },
    redrawAges(() => vscode.window.state.focused, show),
  );
}
