/** What can be done from the review of a dry run. */
import * as vscode from 'vscode';
import { shortCommit } from '../format.ts';
import { filesOf, type FileFinding } from '../report/findings.ts';
import { stalenessText, type Review, type ReviewNode } from '../views/review.ts';
import type { Staleness } from '../views/staleness.ts';
import type { App } from './commandContext.ts';
import { builtUri, openChanges, sidesOf, type Sides } from './commitChanges.ts';
import { deployStage } from './deploy.ts';
import { dryRunStage } from './dryRun.ts';

/** Deploys what was reviewed, and nothing where anything of it is otherwise by now; the same commit, even if the branch has moved on. */
export async function deployReviewed(app: App): Promise<void> {
  const review = app.review.current();
  if (review === undefined) return;
  const why = app.review.staleness();
  if (why !== undefined && !(await mayDeployStale(app, why))) return;
  const { plan } = review;
  const commit = plan?.commit ?? review.finished.commit ?? undefined;
  // Somebody who has just said to deploy something else than what was compared has no plan for it.
  const finished = await deployStage(app, {
    stage: review.stage,
    ref: review.ref,
    commit,
    plan: why === undefined || why === 'commits' ? plan : undefined,
  });
  if (finished?.ok === true) app.review.close();
}

/** Whether to deploy what was reviewed although it is no longer what a dry run would find. */
async function mayDeployStale(app: App, why: Staleness): Promise<boolean> {
  const again = vscode.l10n.t('Review Again');
  const deploy = vscode.l10n.t('Deploy Anyway');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('This review is out of date.'),
    { modal: true, detail: stalenessText(why, vscode.l10n.t) },
    again,
    deploy,
  );
  if (chosen === again) await reviewAgain(app);
  return chosen === deploy;
}

/** The dry run again: of the newest commit, against what is live now. */
export async function reviewAgain(app: App): Promise<void> {
  const review = app.review.current();
  if (review !== undefined)
    await dryRunStage(app, { stage: review.stage, ref: review.ref, build: review.built !== undefined });
}

/** The same dry run again, of the same commit, now with what `before_deploy` makes. */
export async function buildReviewed(app: App): Promise<void> {
  const review = app.review.current();
  if (review === undefined || review.notListed === 'nothing') return;
  await dryRunStage(app, {
    stage: review.stage,
    ref: review.ref,
    commit: review.finished.commit ?? undefined,
    build: true,
  });
}

export async function openAllChanges(app: App): Promise<void> {
  const review = app.review.current();
  const to = review?.finished.commit;
  if (review === undefined || to === undefined || to === null) return;
  const { stage, live } = review;
  if (review.notListed === 'any file') return offerBuild(app);
  const files = (['deleted', 'changed', 'added'] as const).flatMap((kind) => filesOf(review, kind));
  const committed =
    live === undefined
      ? undefined
      : await app.engine.call('changes', { ...stage, servers: [], from: live, to }, { signal: app.signal });
  // Where both commits are known, git knows which of the files are text and which differ at all.
  const text = new Set(committed?.filter((change) => change.text).map(({ path }) => path));
  const shown = files.filter(({ path, kind }) =>
    kind !== 'deleted' && review.built?.files.has(path) === true
      ? review.built.files.get(path) !== undefined
      : committed === undefined || text.has(path),
  );
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

async function offerBuild(app: App): Promise<void> {
  const build = vscode.l10n.t('Build and List Files');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('No file is listed: before_deploy makes all that is sent.'),
    build,
  );
  if (chosen === build) await buildReviewed(app);
}

export async function openReviewedFile(app: App, node: ReviewNode): Promise<void> {
  const review = app.review.current();
  const to = review?.finished.commit;
  if (review === undefined || to === undefined || to === null || node.kind !== 'file') return;
  const { path, kind } = node.change;
  if (kind !== 'deleted' && review.built?.files.has(path) === true && !review.built.files.get(path)) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        '{0} was built, and cannot be shown: it is not text, or one of too many or too large.',
        path,
      ),
    );
    return;
  }
  if (kind === 'deleted' && !(await isCommitted(app, review, path))) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was built by an earlier deploy: no commit has it.', path),
    );
    return;
  }
  const [uri, before, after] = sides(review, to, node.change);
  if (before !== undefined && after !== undefined)
    await vscode.commands.executeCommand('vscode.diff', before, after, node.change.path, { preview: true });
  else await vscode.commands.executeCommand('vscode.open', uri, { preview: true }, node.change.path);
}

async function isCommitted(app: App, { stage, live }: Review, path: string): Promise<boolean> {
  if (live === undefined) return true;
  const call = { ...stage, servers: [], commit: live, path };
  return (await app.engine.call('file', call, { signal: app.signal })) !== null;
}

/** Build output has its new side only: no commit has the other. */
function sides({ stage, live, built }: Review, to: string, file: FileFinding): Sides {
  if (file.kind !== 'deleted' && built?.files.has(file.path) === true) {
    const uri = builtUri(stage, built.folder, file.path);
    return [uri, undefined, uri];
  }
  return sidesOf({ stage, from: live, to }, file);
}
