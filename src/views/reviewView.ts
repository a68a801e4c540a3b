/** The review of a dry run, as a view below the stages; it is there while there is something to review. */
import * as vscode from 'vscode';
import { removeBuilt } from '../editor/builtFiles.ts';
import { contextKeys, nodeCommands, views } from '../editor/ids.ts';
import { filesOf, isPending } from '../report/findings.ts';
import { reviewChildren, reviewItem, summaryOf, type Review, type ReviewNode } from './review.ts';
import { toTreeItem } from './treeItem.ts';

export interface ReviewView extends vscode.Disposable {
  readonly current: () => Review | undefined;
  /** Shows the review and brings it to the eye. */
  readonly show: (review: Review) => Promise<void>;
  readonly close: () => void;
}

export function createReviewView(extensionPath: string): ReviewView {
  let review: Review | undefined;
  const changed = new vscode.EventEmitter<undefined>();
  const now = () => ({ now: Date.now(), t: vscode.l10n.t });
  const view = vscode.window.createTreeView<ReviewNode>(views.review, {
    showCollapseAll: true,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (node) => (review === undefined ? [] : [...reviewChildren(review, node)]),
      getTreeItem: (node) => {
        if (review === undefined) return new vscode.TreeItem('');
        const item = toTreeItem(reviewItem(review, node, now()), extensionPath);
        if (node.kind === 'file')
          item.command = {
            command: nodeCommands.reviewOpenFile,
            title: vscode.l10n.t('Open Change'),
            arguments: [node],
          };
        if (node.kind === 'build')
          item.command = {
            command: nodeCommands.reviewBuild,
            title: vscode.l10n.t('Build and List Files'),
          };
        return item;
      },
    },
  });
  const setKeys = async (): Promise<void> => {
    await Promise.all([
      vscode.commands.executeCommand('setContext', contextKeys.reviewing, review !== undefined),
      vscode.commands.executeCommand(
        'setContext',
        contextKeys.pending,
        review !== undefined && isPending(review),
      ),
      vscode.commands.executeCommand(
        'setContext',
        contextKeys.buildable,
        review !== undefined && review.notListed !== 'nothing',
      ),
    ]);
  };
  const replaceBy = (next: Review | undefined): void => {
    if (review?.built !== undefined) removeBuilt(review.built.folder);
    review = next;
  };
  return {
    current: () => review,
    show: async (next) => {
      replaceBy(next);
      const deleted = filesOf(next, 'deleted').length;
      view.title = vscode.l10n.t('Dry Run: {0}', next.stage.stage);
      view.message = summaryOf(next, now());
      view.badge =
        deleted === 0
          ? undefined
          : { value: deleted, tooltip: vscode.l10n.t('{0} files would be deleted', deleted) };
      await setKeys();
      changed.fire(undefined);
      await vscode.commands.executeCommand(`${views.review}.focus`);
    },
    close: () => {
      replaceBy(undefined);
      view.badge = undefined;
      changed.fire(undefined);
      void setKeys();
    },
    dispose: () => {
      replaceBy(undefined);
      view.dispose();
      changed.dispose();
    },
  };
}
