/** What looks at a stage through the eyes of a deploy, and is no run of its own: `check --connect` and `durant goals`. */
import { DurantError } from '../../errors.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { runLifecycle } from './lifecycle.ts';
import type { Run, StageRequest } from './run.ts';

/**
 * Does `work` with a run that changes nothing. Of its events only what somebody has to know or answer is passed on.
 * @throws {DurantError} what `work` failed with; `cancelled`.
 */
export async function inspect(
  from: {
    readonly request: StageRequest;
    readonly host: Host;
    readonly emit: Emit;
    readonly signal: AbortSignal;
  },
  work: (run: Run) => Promise<void>,
): Promise<void> {
  const emit: Emit = (event) => {
    if (event.event === 'warning' || event.event === 'prompt') from.emit(event);
  };
  const { error } = await runLifecycle({ ...from, action: 'deploy', dryRun: true, emit }, work);
  if (error === null) return;
  const { code, message, summary = message, ...details } = error;
  throw new DurantError(code, summary, details);
}
