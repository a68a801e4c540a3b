/** A run in the editor, from its start to the one message at its end: notification, status bar, tree and output show the same events. */
import * as vscode from 'vscode';
import type { CallOptions } from '../engineProcess/client.ts';
import { commands } from '../editor/ids.ts';
import { logRun } from '../editor/log.ts';
import { collectProblems, type Collected, type FailedCommand } from '../editor/problems/collect.ts';
import { settleGoals, startGoals } from '../report/goals.ts';
import { endingOf, failureOf, type Action, type Ended, type Ending } from '../editor/ending.ts';
import { advance, newProgress, percentOf, type RunProgress } from '../report/progress.ts';
import { createAnswer } from '../editor/prompts.ts';
import { confirmationOf, statusOf, titleOf } from '../editor/runWords.ts';
import { progressMessage } from '../editor/stepWords.ts';
import type { RunError, RunEvent, RunFinished } from '../engine/index.ts';
import { asDurantError, DurantError } from '../errors.ts';
import { printable } from '../printable.ts';
import { readPipeline } from '../views/configurations.ts';
import { canRollBack } from '../views/candidates.ts';
import { liveOf, type StageId } from '../views/store.ts';
import { createStopwatch } from './stopwatch.ts';
import { loadStage, mayRun, type App } from './commandContext.ts';
import { historyAfterRun } from './history.ts';
import { showEnding } from './actions.ts';

/** ms */
const SECOND = 1000;

export interface RunRequest {
  readonly stage: StageId;
  readonly action: Action;
  readonly dryRun: boolean;
  readonly call: (options: CallOptions) => Promise<RunFinished>;
  /** Does the same again. */
  readonly retry: () => void;
  /** The same, once whoever holds the lock has ended. */
  readonly wait?: () => void;
  /** The same without its plan. */
  readonly anyway?: () => void;
  readonly onEvent?: (event: RunEvent) => void;
  /** What is said of a run that ended well; default: what is live. */
  readonly endingOf?: (finished: RunFinished, ms: number) => Ending;
}

/** Undefined where the run did not begin, or where what it was to work on could not be found out. */
export async function conductRun(app: App, request: RunRequest): Promise<RunFinished | undefined> {
  if (!mayRun()) return undefined;
  const { stage } = request;
  const name = app.store.nameOf(stage);
  const run = app.runs.begin(stage, name);
  if (run === undefined) {
    sayBusy(app, stage);
    return undefined;
  }
  const live = liveOf(app.store.snapshot(stage)?.known);
  const before = live.kind === 'one' ? live.release : undefined;
  const { t } = vscode.l10n;
  const watch = createStopwatch();
  app.problems.clear(stage);
  const follow = followEvents(app, request, await startingProgress(request));
  app.store.setGoals(stage, follow.progress().goals);
  let outcome: RunFinished | DurantError;
  try {
    outcome = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: titleOf(request, name, t),
        cancellable: true,
      },
      (report, token) => {
        token.onCancellationRequested(run.cancel);
        const say = (increment: number): void => {
          const message = progressMessage(follow.progress(), watch.ms(), follow.line(), t);
          report.report({ message, increment });
        };
        // The time goes on where nothing else does.
        const clock = setInterval(() => {
          say(0);
        }, SECOND);
        return request
          .call({
            signal: run.signal,
            answer: watch.without(createAnswer(app.secrets, confirmationOf(request, name, t))),
            emit: follow.events((progress, before) => {
              run.progress(progress);
              say(percentOf(progress) - percentOf(before));
            }),
          })
          .finally(() => {
            clearInterval(clock);
          });
      },
    );
  } catch (thrown) {
    outcome = asDurantError(thrown);
    app.log.error(`${stage.stage} │ ${outcome.message} [${outcome.code}]`);
  }
  const error = outcome instanceof DurantError ? outcome : outcome.error;
  run.end(statusOf(request, name, error?.code, t));
  const goals = settleGoals(follow.progress().goals, request.dryRun ? 'dry run' : 'run');
  app.store.setGoals(stage, goals);
  app.store.setRun(stage, undefined);
  const ms = watch.ms();
  if (!request.dryRun || error === null) {
    const loaded = loadStage(app, stage, 'silently', 'afresh');
    void loaded.then(() => historyAfterRun(app, stage));
    // What there is to go back to is part of what is said.
    if (error === null && !request.dryRun) await loaded;
  }
  const collected = follow.collected();
  const failed = isCommandFailure(error)
    ? collected.last(error?.code === 'remote-command-failed' ? 'server' : 'here')
    : undefined;
  const hasProblems = await app.problems.show(stage, { problems: collected.problems, failed });
  present(app, request, outcome, { ms, goals, before, failed, hasProblems });
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
  /** The last line of output of the step that is on; empty for none. */
  readonly line: () => string;
  readonly collected: () => Collected;
  readonly events: (
    onProgress: (progress: RunProgress, before: RunProgress) => void,
  ) => (event: RunEvent) => void;
} {
  const log = logRun(app.log, request.stage.stage);
  const keep = app.runLogs.follow(request.stage.stage);
  const { take, collected } = collectProblems(app.problems.matchersOf(app.store.snapshot(request.stage)));
  let progress = start;
  let line = '';
  return {
    progress: () => progress,
    line: () => line,
    collected,
    events: (onProgress) => (event) => {
      log(event);
      keep(event);
      take(event);
      request.onEvent?.(event);
      if (event.event === 'output') line = event.line;
      if (event.event === 'step') line = '';
      const before = progress;
      progress = advance(before, event, Date.now());
      if (progress === before) return;
      onProgress(progress, before);
      app.store.setRun(request.stage, progress);
    },
  };
}

function present(app: App, request: RunRequest, outcome: RunFinished | DurantError, how: Outcome): void {
  const { stage, action } = request;
  const name = app.store.nameOf(stage);
  const { failed, hasProblems } = how;
  const again = {
    stage,
    retry: request.retry,
    wait: request.wait,
    anyway: request.anyway,
    before: how.before,
    key: failed?.step,
  };
  if (outcome instanceof DurantError) {
    // Whoever said no to a question knows that nothing happens.
    if (outcome.code !== 'cancelled')
      showEnding(app, failureOf(outcome, { stage: name }, vscode.l10n.t), {
        ...again,
        code: outcome.code,
      });
    return;
  }
  if (request.dryRun && outcome.ok) return;
  const ending =
    outcome.ok && request.endingOf !== undefined
      ? request.endingOf(outcome, how.ms)
      : endingOf(
          {
            stage: name,
            action,
            finished: outcome,
            back: backOf(app, request, how.before),
            hasProblems,
            printed: printable(failed?.first ?? ''),
            mayWait: request.wait !== undefined,
            ms: how.ms,
            goals: how.goals,
          },
          vscode.l10n.t,
        );
  showEnding(app, ending, { ...again, code: outcome.error?.code });
}

interface Outcome extends Pick<Ended, 'ms' | 'goals'> {
  readonly before: string | undefined;
  readonly failed: FailedCommand | undefined;
  readonly hasProblems: boolean;
}

/** One of durant.conf's own commands ended with a failure. */
function isCommandFailure(error: RunError | null): boolean {
  return (
    error?.data?.exitStatus !== undefined &&
    ['local-command-failed', 'remote-command-failed', 'goal-failed'].includes(error.code)
  );
}

function backOf(app: App, { stage, action }: RunRequest, before: string | undefined): Ended['back'] {
  if (action === 'rollback' || action === 'restore') return before === undefined ? undefined : 'undo';
  return canRollBack(app.store.snapshot(stage)?.known) ? 'roll-back' : undefined;
}

function sayBusy(app: App, stage: StageId): void {
  const cancelRun = app.runs.canceller(stage);
  const output = vscode.l10n.t('Show Output');
  const cancel = vscode.l10n.t('Cancel Run');
  void vscode.window
    .showInformationMessage(
      vscode.l10n.t('{0} already has a run in progress in this window.', app.store.nameOf(stage)),
      output,
      cancel,
    )
    .then((chosen) => {
      if (chosen === output) void vscode.commands.executeCommand(commands.showOutput);
      if (chosen === cancel) cancelRun();
    });
}
