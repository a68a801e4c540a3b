/** The tree of stages, servers and releases in the editor: nodes.ts rendered, told by the store which of them to draw again. */
import * as vscode from 'vscode';
import { redrawAges } from '../editor/ageClock.ts';
import { views } from '../editor/ids.ts';
import { childrenOf, itemOf, nodeId, parentOf, type Node } from './nodes.ts';
import { folderPath } from './serverFileItem.ts';
import { stageKey, type FolderId, type StageId, type Store } from './store.ts';
import { currentView } from './currentView.ts';
import { toTreeItem } from './treeItem.ts';

export interface StagesView extends vscode.Disposable {
  readonly view: vscode.TreeView<Node>;
}

/** A stage is drawn again at most this often while a run changes it, ms. */
const redrawMs = 100;

export interface StagesViewOptions {
  readonly extensionPath: string;
  readonly store: Store;
  /** Called when a stage is opened about which nothing was asked yet in this window. */
  readonly load: (stage: StageId) => void;
  /** Called when a folder of a server is opened. */
  readonly list: (folder: FolderId) => void;
}

export function createStagesView({ extensionPath, store, load, list }: StagesViewOptions): StagesView {
  const changed = new vscode.EventEmitter<Node | undefined>();
  // The editor knows nodes by identity, the store by name: each name is always the same object.
  const nodes = new Map<string, Node>();
  const same = (node: Node): Node => {
    const id = nodeId(node);
    const known = nodes.get(id);
    if (known !== undefined) return known;
    nodes.set(id, node);
    return node;
  };
  const waiting = new Map<string, NodeJS.Timeout>();
  const redraw = (stage: StageId | undefined): void => {
    if (stage === undefined) {
      changed.fire(undefined);
      return;
    }
    const key = stageKey(stage);
    if (waiting.has(key)) return;
    waiting.set(
      key,
      setTimeout(() => {
        waiting.delete(key);
        const node = nodes.get(nodeId({ kind: 'stage', file: stage.file, stage: stage.stage }));
        if (node !== undefined) changed.fire(node);
      }, redrawMs),
    );
  };
  const provider: vscode.TreeDataProvider<Node> = {
    onDidChangeTreeData: changed.event,
    getChildren: (node) =>
      vscode.workspace.isTrusted ? childrenOf(store, node).map((child) => same(child)) : [],
    getParent: (node) => {
      const parent = parentOf(store, node);
      return parent === undefined ? undefined : same(parent);
    },
    getTreeItem: (node) => {
      const item = itemOf(store, node, currentView());
      const result = toTreeItem(item, extensionPath);
      if (item.opens !== undefined) result.command = { ...item.opens, arguments: [node] };
      return result;
    },
  };
  const view = vscode.window.createTreeView(views.stages, {
    treeDataProvider: provider,
    showCollapseAll: true,
  });
  const unsubscribe = store.subscribe(redraw);
  const ages = redrawAges(
    () => view.visible,
    () => {
      changed.fire(undefined);
    },
  );
  const asked = new Set<string>();
  const subscriptions = [
    view,
    changed,
    view.onDidExpandElement(({ element }) => {
      if (element.kind === 'files' || element.kind === 'entry') {
        const { file, stage, server } = element;
        list({ file, stage, server, path: folderPath(element) });
      }
      if (element.kind !== 'stage' && element.kind !== 'server') return;
      const key = stageKey(element);
      const known = store.snapshot(element)?.known;
      if (asked.has(key) && known !== undefined) return;
      asked.add(key);
      load({ file: element.file, stage: element.stage });
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      changed.fire(undefined);
    }),
  ];
  return {
    view,
    dispose: () => {
      ages.dispose();
      unsubscribe();
      for (const timer of waiting.values()) clearTimeout(timer);
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}
