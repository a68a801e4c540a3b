/** What can be done from the review of a dry run. */
import * as vscode from 'vscode';
import { shortCommit } from '../editor/measures.ts';
import { filesOf, type FileFinding, type Review } from '../views/findings.ts';
import type { ReviewNode } from '../views/review.ts';
import type { App } from './app.ts';
import { openChanges, sidesOf, type Sides } from './commitChanges.ts';
import { deployStage } from './deploy.ts';

/** Deploys what was reviewed: the same commit, even if the branch has moved on. */
export async function deployReviewed(app: App): Promise<void> {
  const review = app.review.current();
  if (review === undefined) return;
  const commit = review.finished.commit ?? undefined;
  const finished = await deployStage(app, { stage: review.stage, ref: commit ?? review.ref });
  if (finished?.ok === true) app.review.close();
}

export async function openAllChanges(app: App): Promise<void> {
  const review = app.review.current();
  const to = review?.finished.commit;
  if (review === undefined || to === undefined || to === null) return;
  const { stage, live } = review;
  const files = (['deleted', 'changed', 'added'] as const).flatMap((kind) => filesOf(review, kind));
  const committed =
    live === undefined
      ? undefined
      : await app.engine.call('changes', { ...stage, servers: [], from: live, to }, { signal: app.signal });
  // Where both commits are known, git knows which of the files are text and which differ at all.
  const text = new Set(committed?.filter((change) => change.text).map(({ path }) => path));
  const shown = committed === undefined ? files : files.filter(({ path }) => text.has(path));
  if (shown.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No text file differs between the two commits.'));
    return;
  }
  const title =
    live === undefined
      ? vscode.l10n.t('{0}: {1}', stage.stage, shortCommit(to))
      : vscode.l10n.t('{0}: live {1} ↔ {2}', stage.stage, shortCommit(live), shortCommit(to));
  await openChanges(
    title,
    shown.map((file) => sides(review, to, file)),
  );
}

export async function openReviewedFile(app: App, node: ReviewNode): Promise<void> {
  const review = app.review.current();
  const to = review?.finished.commit;
  if (review === undefined || to === undefined || to === null || node.kind !== 'file') return;
  const [uri, before, after] = sides(review, to, node.change);
  if (before !== undefined && after !== undefined)
    await vscode.commands.executeCommand('vscode.diff', before, after, node.change.path, { preview: true });
  else await vscode.commands.executeCommand('vscode.open', uri, { preview: true }, node.change.path);
}

function sides({ stage, live }: Review, to: string, file: FileFinding): Sides {
  return sidesOf({ stage, from: live, to }, file);
}
