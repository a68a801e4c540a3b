/** A call about a stage that is no run: a notification while it lasts, which cancels it, and one message where it fails. */
import * as vscode from 'vscode';
import { failureOf } from '../editor/ending.ts';
import { logRun } from '../editor/log.ts';
import { createAnswer } from '../editor/prompts.ts';
import type { Calls, Method } from '../engineProcess/protocol.ts';
import { asDurantError } from '../errors.ts';
import type { StageId } from '../views/store.ts';
import { showEnding } from './actions.ts';
import type { App } from './commandContext.ts';

export interface StageQuestion<M extends Method> {
  readonly stage: StageId;
  readonly title: string;
  readonly method: M;
  readonly takes: Calls[M]['takes'];
  /** Where it is shown that it is on; a notification can be cancelled. */
  readonly where?: 'notification' | 'status bar';
  /** Does the command again. */
  readonly retry: () => void;
}

/** Undefined where it failed, which has been said, or was cancelled. */
export async function callStage<M extends Method>(
  app: App,
  { stage, title, method, takes, where = 'notification', retry }: StageQuestion<M>,
): Promise<Calls[M]['gives'] | undefined> {
  try {
    return await vscode.window.withProgress(
      {
        location:
          where === 'notification' ? vscode.ProgressLocation.Notification : vscode.ProgressLocation.Window,
        title,
        cancellable: where === 'notification',
      },
      (_, token) => {
        const stop = new AbortController();
        token.onCancellationRequested(() => {
          stop.abort();
        });
        return app.engine.call(method, takes, {
          signal: AbortSignal.any([stop.signal, app.signal]),
          answer: createAnswer(app.secrets),
          emit: logRun(app.log, stage.stage),
        });
      },
    );
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled') return undefined;
    app.log.error(`${stage.stage} │ ${error.message} [${error.code}]`);
    const failure = failureOf(error, { stage: app.store.nameOf(stage) }, vscode.l10n.t);
    showEnding(app, failure, { stage, retry, code: error.code });
    return undefined;
  }
}
