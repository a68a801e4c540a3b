/** The history of all stages as a view below them. It shows what was asked for last, and asks nobody on its own. */
import * as vscode from 'vscode';
import { redrawAges } from '../editor/ageClock.ts';
import { contextKeys, views } from '../editor/ids.ts';
import type { HistoryEntry } from '../engine/index.ts';
import { currentView } from './currentView.ts';
import {
  belowRun,
  historyItem,
  historyRoots,
  idOf,
  type RunCommit,
  type HistoryNode,
  type RunNode,
  type StageHistory,
} from './history.ts';
import { stageKey, type Memory, type StageId } from './store.ts';
import { toTreeItem } from './treeItem.ts';

export interface HistoryView extends vscode.Disposable {
  readonly all: () => readonly StageHistory[];
  /** In place of what was known of that stage. */
  readonly set: (history: StageHistory) => void;
  /** Leaves out stages that are gone. */
  readonly keep: (stages: readonly StageId[]) => void;
  readonly onDidChange: vscode.Event<undefined>;
  /** Draws it again. */
  readonly redraw: () => void;
}

export interface HistoryViewOptions {
  readonly extensionPath: string;
  readonly memory: Memory;
  /** What a run made live or undid. */
  readonly commitsOf: (node: RunNode) => Promise<readonly RunCommit[] | undefined>;
  /** Whether the output of a run is kept here. */
  readonly isKept: (run: HistoryEntry) => boolean;
}

const memoryKey = 'durant.history';

export function createHistoryView({
  extensionPath,
  memory,
  commitsOf,
  isKept,
}: HistoryViewOptions): HistoryView {
  let all = memory.get<readonly StageHistory[]>(memoryKey, []);
  const changed = new vscode.EventEmitter<undefined>();
  const told = new vscode.EventEmitter<undefined>();
  const nodes = new Map<string, RunNode>();
  // The editor knows nodes by identity.
  const same = (node: HistoryNode): HistoryNode => {
    if (node.kind !== 'run') return node;
    const known = nodes.get(idOf(node));
    if (known !== undefined && known.run === node.run) return known;
    nodes.set(idOf(node), node);
    return node;
  };
  const view = vscode.window.createTreeView<HistoryNode>(views.history, {
    canSelectMany: true,
    showCollapseAll: true,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: async (node) => {
        if (!vscode.workspace.isTrusted) return [];
        if (node === undefined) return historyRoots(all).map(same);
        return node.kind === 'run' ? [...belowRun(node, await commitsOf(node), vscode.l10n.t)] : [];
      },
      getParent: (node) => ('of' in node ? same(node.of) : undefined),
      getTreeItem: (node) => toTreeItem(historyItem(node, currentView(), isKept), extensionPath),
    },
  });
  const redraw = (): void => {
    changed.fire(undefined);
  };
  const change = (now: readonly StageHistory[]): void => {
    all = now;
    void memory.update(memoryKey, all);
    void vscode.commands.executeCommand('setContext', contextKeys.hasHistory, all.length > 0);
    redraw();
    told.fire(undefined);
  };
  void vscode.commands.executeCommand('setContext', contextKeys.hasHistory, all.length > 0);
  const ages = redrawAges(() => view.visible, redraw);
  return {
    all: () => all,
    onDidChange: told.event,
    set: (history) => {
      change([...all.filter((each) => stageKey(each) !== stageKey(history)), history]);
    },
    keep: (stages) => {
      const keys = new Set(stages.map(stageKey));
      if (all.some((each) => !keys.has(stageKey(each))))
        change(all.filter((each) => keys.has(stageKey(each))));
    },
    redraw,
    dispose: () => {
      ages.dispose();
      view.dispose();
      changed.dispose();
      told.dispose();
    },
  };
}
