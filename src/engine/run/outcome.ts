/** How a run ended, for its last event. */
import { fieldsOf, type DurantError } from '../../errors.ts';
import type { RunError, RunFinished, ServerOutcome } from '../events.ts';
import type { Run } from './run.ts';

export function finished(run: Run, error: DurantError | undefined): RunFinished {
  return {
    event: 'run-finished',
    ok: error === undefined,
    dry_run: run.dryRun,
    release: run.release ?? null,
    commit: run.commit?.id ?? null,
    servers: outcomes(run),
    error: error === undefined ? null : runError(error, run.mask),
  };
}

/** An error as an event has it: without secrets. */
export function runError(error: DurantError, mask: (text: string) => string): RunError {
  const { code, summary, remedy, output, data, changed } = fieldsOf(error.masked(mask));
  return { code, message: mask(error.message), summary, remedy, output, data, changed };
}

function outcomes(run: Run): ServerOutcome[] {
  return run.request.servers.map(({ entry }) => {
    const server = run.servers.find((each) => each.address.entry === entry);
    const error = server === undefined ? run.unreached.get(entry) : server.error;
    return {
      server: entry,
      state: server?.state ?? (error === undefined ? 'unchanged' : 'failed'),
      current: server?.facts.live ?? null,
      error: error === undefined ? null : run.mask(error),
    };
  });
}
