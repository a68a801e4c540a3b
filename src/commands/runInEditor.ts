/** A run in the editor, from its start to the one message at its end: notification, status bar, tree and output show the same events. */
import * as vscode from 'vscode';
import type { CallOptions } from '../engineProcess/client.ts';
import { commands } from '../editor/ids.ts';
import { logRun } from '../editor/log.ts';
import { settleGoals, startGoals, type GoalProgress } from '../report/goals.ts';
import { endingOf, failureOf, type Ending } from '../editor/ending.ts';
import { advance, currentStep, newProgress, percentOf, type RunProgress } from '../report/progress.ts';
import { createAnswer, type Confirmation } from '../editor/prompts.ts';
import type { RunEvent, RunFinished } from '../engine/index.ts';
import { asDurantError, DurantError } from '../errors.ts';
import { readPipeline } from '../views/configurations.ts';
import type { StageId } from '../views/store.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { showEnding } from './actions.ts';

export interface RunRequest {
  readonly stage: StageId;
  readonly action: 'deploy' | 'rollback' | 'prune';
  readonly dryRun: boolean;
  readonly call: (options: CallOptions) => Promise<RunFinished>;
  /** Does the same again. */
  readonly retry: () => void;
  readonly onEvent?: (event: RunEvent) => void;
  /** What is said of a run that ended well; default: what is live. */
  readonly endingOf?: (finished: RunFinished, ms: number) => Ending;
}

/** Undefined where the run did not begin, or where what it was to work on could not be found out. */
export async function conductRun(app: App, request: RunRequest): Promise<RunFinished | undefined> {
  if (!mayRun()) return undefined;
  const { stage } = request;
  const run = app.runs.begin(stage);
  if (run === undefined) {
    sayBusy(stage);
    return undefined;
  }
  const began = Date.now();
  const follow = followEvents(app, request, await startingProgress(request));
  app.store.setGoals(stage, follow.progress().goals);
  let outcome: RunFinished | DurantError;
  try {
    outcome = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: titleOf(request),
        cancellable: true,
      },
      (report, token) => {
        token.onCancellationRequested(run.cancel);
        return request.call({
          signal: run.signal,
          answer: createAnswer(app.secrets, confirmationOf(request)),
          emit: follow.events((progress, before) => {
            run.progress(progress);
            report.report({
              message: messageOf(progress),
              increment: percentOf(progress) - percentOf(before),
            });
          }),
        });
      },
    );
  } catch (thrown) {
    outcome = asDurantError(thrown);
    app.log.error(`${stage.stage} │ ${outcome.message} [${outcome.code}]`);
  }
  const error = outcome instanceof DurantError ? outcome : outcome.error;
  run.end({ ok: error === null, text: statusOf(request, error === null) });
  const goals = settleGoals(follow.progress().goals, request.dryRun ? 'dry run' : 'run');
  app.store.setGoals(stage, goals);
  app.store.setRun(stage, undefined);
  if (!request.dryRun || error === null) void loadStage(app, stage, 'silently');
  present(app, request, outcome, { ms: Date.now() - began, goals });
  return outcome instanceof DurantError ? undefined : outcome;
}

/** With the goals of durant.conf as it lies on disk, which is what the run reads. */
async function startingProgress({ stage, action }: RunRequest): Promise<RunProgress> {
  return { ...newProgress, goals: action === 'deploy' ? startGoals(await readPipeline(stage)) : [] };
}

function followEvents(
  app: App,
  request: RunRequest,
  start: RunProgress,
): {
  readonly progress: () => RunProgress;
  readonly events: (
    onProgress: (progress: RunProgress, before: RunProgress) => void,
  ) => (event: RunEvent) => void;
} {
  const log = logRun(app.log, request.stage.stage);
  let progress = start;
  return {
    progress: () => progress,
    events: (onProgress) => (event) => {
      log(event);
      request.onEvent?.(event);
      const next = advance(progress, event, Date.now());
      if (next === progress) return;
      onProgress(next, progress);
      progress = next;
      app.store.setRun(request.stage, progress);
    },
  };
}

function present(
  app: App,
  request: RunRequest,
  outcome: RunFinished | DurantError,
  { ms, goals }: { readonly ms: number; readonly goals: readonly GoalProgress[] },
): void {
  const { stage, action } = request;
  const again = { stage, retry: request.retry };
  if (outcome instanceof DurantError) {
    // Whoever said no to a question knows that nothing happens.
    if (outcome.code !== 'cancelled')
      showEnding(app, failureOf(outcome, { stage: stage.stage }, vscode.l10n.t), {
        ...again,
        code: outcome.code,
      });
    return;
  }
  if (request.dryRun && outcome.ok) return;
  const ending =
    outcome.ok && request.endingOf !== undefined
      ? request.endingOf(outcome, ms)
      : endingOf({ stage: stage.stage, action, finished: outcome, goals, ms }, vscode.l10n.t);
  showEnding(app, ending, { ...again, code: outcome.error?.code });
}

function sayBusy(stage: StageId): void {
  const output = vscode.l10n.t('Show Output');
  const cancel = vscode.l10n.t('Cancel Run');
  void vscode.window
    .showInformationMessage(
      vscode.l10n.t('{0} already has a run in progress in this window.', stage.stage),
      output,
      cancel,
    )
    .then((chosen) => {
      if (chosen === output) void vscode.commands.executeCommand(commands.showOutput);
      if (chosen === cancel) void vscode.commands.executeCommand(commands.cancel, stage);
    });
}

function titleOf({ stage, action, dryRun }: RunRequest): string {
  if (dryRun) return vscode.l10n.t('Dry run of {0}', stage.stage);
  if (action === 'prune') return vscode.l10n.t('Pruning {0}', stage.stage);
  return action === 'rollback'
    ? vscode.l10n.t('Rolling back {0}', stage.stage)
    : vscode.l10n.t('Deploying {0}', stage.stage);
}

function confirmationOf({ stage, action }: RunRequest): Confirmation {
  if (action === 'prune')
    return {
      button: vscode.l10n.t('Remove Old Releases'),
      commits: vscode.l10n.t('These releases are removed:'),
    };
  return action === 'rollback'
    ? {
        button: vscode.l10n.t('Roll Back {0}', stage.stage),
        commits: vscode.l10n.t('These commits are undone:'),
      }
    : {
        button: vscode.l10n.t('Deploy to {0}', stage.stage),
        commits: vscode.l10n.t('These commits go live:'),
      };
}

function statusOf({ stage, action, dryRun }: RunRequest, ok: boolean): string {
  if (!ok) return vscode.l10n.t('{0}: failed', stage.stage);
  if (dryRun) return vscode.l10n.t('{0}: dry run done', stage.stage);
  if (action === 'prune') return vscode.l10n.t('{0}: pruned', stage.stage);
  return action === 'rollback'
    ? vscode.l10n.t('{0}: rolled back', stage.stage)
    : vscode.l10n.t('{0}: live', stage.stage);
}

/** The step, on how many servers of how many, and the percent. */
function messageOf(progress: RunProgress): string {
  const { step, servers } = currentStep(progress);
  const percent = `${String(percentOf(progress))} %`;
  if (step === '') return percent;
  const all = progress.servers.size;
  const where = servers === 0 || all < 2 ? '' : ` ${vscode.l10n.t('on {0} of {1} servers', servers, all)}`;
  return `${step}${where} · ${percent}`;
}
