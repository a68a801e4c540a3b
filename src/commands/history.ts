/** The history of all stages: asked for, compared, and what is kept of a run. */
import * as vscode from 'vscode';
import { logRun } from '../editor/log.ts';
import { createAnswer } from '../editor/prompts.ts';
import { views } from '../editor/ids.ts';
import type { CommitInfo } from '../engineProcess/protocol.ts';
import { shortCommit } from '../format.ts';
import { asDurantError } from '../errors.ts';
import { betweenText } from '../views/betweenRuns.ts';
import { currentView } from '../views/currentView.ts';
import { actionText, commitsText, hasCommits, isDeploying, type RunNode } from '../views/history.ts';
import { stageKey, type StageId } from '../views/store.ts';
import { commitsBetween } from './commitsBetween.ts';
import { openCommitChanges } from './commitChanges.ts';
import { mayRun, type App } from './commandContext.ts';

/** How many runs of each stage are shown. */
const SHOWN = 100;

/** Stages that are asked about at once. */
const AT_ONCE = 4;

export async function showHistory(app: App): Promise<void> {
  if (!mayRun()) return;
  await vscode.commands.executeCommand(`${views.history}.focus`);
  await refreshHistory(app);
}

export async function refreshHistory(app: App): Promise<void> {
  if (!mayRun()) return;
  const stages = app.store.configurations().flatMap((configuration) => configuration.stages);
  app.history.keep(stages);
  const waiting = stages.map(({ file, stage }) => ({ file, stage }));
  const work = async (): Promise<void> => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift())
      await loadHistory(app, stage, 'may ask');
  };
  await vscode.window.withProgress({ location: { viewId: views.history } }, () =>
    Promise.all(Array.from({ length: AT_ONCE }, work)),
  );
}

/** What a run made live, or undid; undefined where that is not known here. */
export async function commitsOfRun(app: App, node: RunNode): Promise<readonly CommitInfo[] | undefined> {
  const { commit, from_commit: from } = node.run;
  if (commit === null || from === null || !hasCommits(node.run)) return [];
  const gained = await commitsBetween(app, node, from, commit);
  return gained?.length === 0 ? commitsBetween(app, node, commit, from) : gained;
}

/** After a run of this window, where the history is known at all. */
export async function historyAfterRun(app: App, stage: StageId): Promise<void> {
  const known = app.history.all().some((each) => stageKey(each) === stageKey(stage));
  if (known) await loadHistory(app, stage, 'silently');
}

/** Never rejects: one stage's failure hides no other. */
async function loadHistory(app: App, { file, stage }: StageId, ask: 'may ask' | 'silently'): Promise<void> {
  const name = app.store.nameOf({ file, stage });
  try {
    const { runs, errors } = await app.engine.call(
      'log',
      { file, stage, servers: [], limit: SHOWN },
      {
        signal: app.signal,
        emit: logRun(app.log, stage),
        ...(ask === 'may ask' ? { answer: createAnswer(app.secrets) } : {}),
      },
    );
    app.history.set({ file, stage, name, runs, errors });
  } catch (thrown) {
    const { code, message } = asDurantError(thrown);
    if (code === 'cancelled') return;
    app.log.error(`${stage} │ ${message} [${code}]`);
    const runs = app.history.all().find((each) => stageKey(each) === stageKey({ file, stage }))?.runs ?? [];
    app.history.set({ file, stage, name, runs, errors: [{ server: name, error: message }] });
  }
}

/** What Went Live Between These Two: of the selected runs the oldest and the newest; of one, another is asked for. */
export async function showBetween(app: App, node: RunNode, selected: readonly RunNode[]): Promise<void> {
  if (!mayRun()) return;
  const chosen = selected.length > 1 ? selected : [node];
  const sorted = chosen.toSorted((a, b) => (a.run.started < b.run.started ? -1 : 1));
  const [first, last] = [sorted[0], sorted.at(-1)];
  const other = first === last ? await pickOther(app, node) : last;
  if (first === undefined || other === undefined) return;
  const [older, newer] = first.run.started <= other.run.started ? [first, other] : [other, first];
  const { commit: from } = older.run;
  const { commit: to } = newer.run;
  if (from === null || to === null) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('One of the two names no commit. Choose two deploys or rollbacks.'),
    );
    return;
  }
  const [gained, lost] = await Promise.all([
    commitsBetween(app, newer, from, to),
    commitsBetween(app, newer, to, from),
  ]);
  const all = app.history.all().find((each) => stageKey(each) === stageKey(newer))?.runs ?? [];
  const runs = all.filter(({ started }) => started >= older.run.started && started <= newer.run.started);
  const title = vscode.l10n.t('{0} to {1}', shortCommit(from), shortCommit(to));
  await app.texts.show(
    `${newer.stage} ${title}.md`,
    betweenText({ older, newer, gained, lost, runs }, currentView()),
  );
}

async function pickOther(app: App, node: RunNode): Promise<RunNode | undefined> {
  const { t, localTime } = currentView();
  const history = app.history.all().find((each) => stageKey(each) === stageKey(node));
  const others = (history?.runs ?? []).filter(
    (run) => isDeploying(run) && run.commit !== null && run.run !== node.run.run,
  );
  const items = others.map((run) => ({
    label: `${commitsText(run)} ${actionText(run, t)}`,
    description: `${localTime(run.started)} · ${run.user}@${run.host}`,
    run,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: t('The other run of {0}', node.name),
    matchOnDescription: true,
  });
  return picked === undefined ? undefined : { ...node, run: picked.run };
}

/** What a run changed, file by file. */
export async function openRunChanges(app: App, node: RunNode): Promise<void> {
  const { commit, from_commit: from } = node.run;
  if (!mayRun() || commit === null || from === null || !hasCommits(node.run)) return;
  const title = vscode.l10n.t('{0}: {1} ↔ {2}', node.name, shortCommit(from), shortCommit(commit));
  await openCommitChanges(app, { stage: node, from, to: commit, title });
}

export async function showRunLog(app: App, node: RunNode): Promise<void> {
  const { run } = node.run;
  const text = run === null ? undefined : await app.runLogs.read(run);
  if (text === undefined)
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The output of this run is not kept here: it was run elsewhere, or long ago.'),
    );
  else await app.texts.show(`${node.name} ${run ?? ''}.log`, text);
}
