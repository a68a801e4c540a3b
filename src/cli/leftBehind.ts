/** What a run that is stopped at once leaves on the servers, learnt from its events. Pure. */
import type { RunEvent, RunFinished } from '../engine/events.ts';
import { printable } from '../printable.ts';

export interface Traces {
  readonly stage: string | undefined;
  readonly dryRun: boolean;
  readonly servers: readonly string[];
  /** Servers whose lock this run took and did not give back. */
  readonly locked: ReadonlySet<string>;
  /** Servers on which the switch was begun. */
  readonly switched: ReadonlySet<string>;
}

export const noTraces: Traces = {
  stage: undefined,
  dryRun: false,
  servers: [],
  locked: new Set(),
  switched: new Set(),
};

/** The traces after one more event. */
export function trace(traces: Traces, event: RunEvent): Traces {
  if (event.event === 'run-started')
    return { ...noTraces, stage: event.stage, dryRun: event.dry_run, servers: event.servers };
  if (event.event === 'run-finished') return noTraces;
  if (event.event !== 'step' || event.server === null || traces.dryRun) return traces;
  const { server, step, state } = event;
  if (step === 'lock' && (state === 'running' || state === 'done'))
    return { ...traces, locked: new Set(traces.locked).add(server) };
  if (step === 'unlock' && state === 'done')
    return { ...traces, locked: new Set([...traces.locked].filter((other) => other !== server)) };
  if (step === 'symlink' && (state === 'running' || state === 'done'))
    return { ...traces, switched: new Set(traces.switched).add(server) };
  return traces;
}

/** In words, ending with what to do. */
export function leftBehind({ stage, locked, switched }: Traces): string {
  if (stage === undefined || locked.size === 0) return 'Stopped at once. Nothing was left on any server.';
  const name = printable(stage);
  const list = (servers: ReadonlySet<string>): string => [...servers].map(printable).join(', ');
  const live =
    switched.size === 0
      ? 'The switch had not begun.'
      : `The switch was under way on ${list(switched)}: durant status ${name} says what is live.`;
  return (
    `Stopped at once. The lock and an unfinished release are left on ${list(locked)}. ${live} ` +
    `The next durant deploy ${name} from this machine clears them up; from elsewhere, first durant unlock ${name}.`
  );
}

/** The same as the event that a reader of `--json` waits for. */
export function abandoned(traces: Traces): RunFinished {
  return {
    event: 'run-finished',
    ok: false,
    dry_run: traces.dryRun,
    release: null,
    commit: null,
    servers: traces.servers.map((server) => ({
      server,
      state: traces.switched.has(server) ? 'unknown' : traces.locked.has(server) ? 'failed' : 'unchanged',
      current: null,
      error: null,
    })),
    error: { code: 'cancelled', message: leftBehind(traces), changed: traces.locked.size > 0 },
  };
}
