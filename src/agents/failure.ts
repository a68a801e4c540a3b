/** Why a run failed, collected from its events: what `durant_explain_failure` tells of a run that this session saw. Pure. */
import type { RunEvent } from '../engine/events.ts';
import { publicError, type PublicError } from '../report/publicError.ts';

export interface Failure {
  readonly action: string;
  readonly run: string | null;
  readonly servers: readonly string[];
  readonly error: PublicError;
  readonly failed_steps: readonly {
    readonly step: string;
    readonly server: string | null;
    readonly reason: string | null;
  }[];
  /** The last lines that commands printed, without secrets. */
  readonly output: readonly { readonly server: string | null; readonly line: string }[];
}

/** More lines than this explain no more. */
const KEPT_LINES = 60;

/** Collects what a run says; `failure` is undefined while it has not failed. A dry run can only fail. */
export function collectFailure(): {
  readonly take: (event: RunEvent) => void;
  readonly failure: () => Failure | undefined;
  /** Whether it has ended well, and was no dry run. */
  readonly succeeded: () => boolean;
} {
  let started: Extract<RunEvent, { event: 'run-started' }> | undefined;
  let error: Failure['error'] | undefined;
  let isDone = false;
  const steps: Failure['failed_steps'][number][] = [];
  const output: Failure['output'][number][] = [];
  return {
    take: (event) => {
      if (event.event === 'run-started') started = event;
      else if (event.event === 'step' && event.state === 'failed')
        steps.push({ step: event.step, server: event.server, reason: event.reason });
      else if (event.event === 'output') {
        output.push({ server: event.server, line: event.line });
        if (output.length > KEPT_LINES) output.shift();
      } else if (event.event === 'run-finished') {
        if (event.error !== null) error = publicError(event.error);
        isDone = event.ok && !event.dry_run;
      }
    },
    succeeded: () => isDone,
    failure: () =>
      error === undefined
        ? undefined
        : {
            action: started?.action ?? 'deploy',
            run: started?.run ?? null,
            servers: started?.servers ?? [],
            error,
            failed_steps: steps,
            output,
          },
  };
}
