/** The review of a dry run, as a view below the stages; it is there while there is something to review. */
import * as vscode from 'vscode';
import { removeBuilt } from '../editor/builtFiles.ts';
import { contextKeys, nodeCommands, views } from '../editor/ids.ts';
import { filesOf, isPending } from '../report/findings.ts';
import {
  reviewChildren,
  reviewItem,
  stalenessText,
  summaryOf,
  type Review,
  type ReviewNode,
} from './review.ts';
import { stalenessOf, type Now, type Staleness } from './staleness.ts';
import { currentView } from './currentView.ts';
import { toTreeItem } from './treeItem.ts';

export interface ReviewView extends vscode.Disposable {
  readonly current: () => Review | undefined;
  /** Shows the review and brings it to the eye. */
  readonly show: (review: Review) => Promise<void>;
  readonly close: () => void;
  /** Why it no longer says what a deploy would do; undefined while it does. */
  readonly staleness: () => Staleness | undefined;
  /** Looks whether it still holds. */
  readonly check: () => Promise<void>;
}

/** @param now what a review's stage is like at this moment. */
export function createReviewView(extensionPath: string, now: (review: Review) => Promise<Now>): ReviewView {
  let stale: Staleness | undefined;
  let review: Review | undefined;
  const changed = new vscode.EventEmitter<undefined>();
  const view = vscode.window.createTreeView<ReviewNode>(views.review, {
    showCollapseAll: true,
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (node) => (review === undefined ? [] : [...reviewChildren(review, node)]),
      getTreeItem: (node) => {
        if (review === undefined) return new vscode.TreeItem('');
        const item = toTreeItem(reviewItem(review, node, currentView()), extensionPath);
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
    stale = undefined;
  };
  const say = (shown: Review): void => {
    const why =
      stale === undefined ? '' : `${vscode.l10n.t('Out of date.')} ${stalenessText(stale, vscode.l10n.t)} `;
    view.message = `${why}${summaryOf(shown, currentView())}`;
    view.description = stale === undefined ? '' : vscode.l10n.t('out of date');
  };
  return {
    current: () => review,
    show: async (next) => {
      replaceBy(next);
      const deleted = filesOf(next, 'deleted').length;
      view.title = vscode.l10n.t('Dry Run: {0}', next.stage.stage);
      say(next);
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
    staleness: () => stale,
    check: async () => {
      const checked = review;
      if (checked === undefined) return;
      const found = stalenessOf(checked.basis, await now(checked));
      if (review !== checked || found === stale) return;
      stale = found;
      say(checked);
    },
    dispose: () => {
      replaceBy(undefined);
      view.dispose();
      changed.dispose();
    },
  };
}
