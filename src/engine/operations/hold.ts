/** `hold` and `unhold`: says on the servers of a stage that nobody is to deploy to it, and why. Neither takes the lock: the next run heeds it. */
import type { Until } from '../../config/values/until.ts';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { newRunId, type StageRequest } from '../run/run.ts';
import { serverFailure } from '../run/script.ts';
import { holdOf, writeHold } from '../server/holds.ts';
import { appendHistory } from '../server/history.ts';
import { prepareScript } from '../server/lockScripts.ts';
import { lookAtEach, type Looked } from '../server/lookAtServers.ts';
import { assessServer } from '../server/preflight.ts';
import type { HoldRecord } from '../server/record.ts';

export interface HoldRequest extends StageRequest {
  readonly why: string;
  readonly until: Until;
}

export interface HoldResult {
  readonly stage: string;
  readonly servers: readonly {
    readonly server: string;
    readonly hold: HoldRecord | null;
    readonly error: string | null;
  }[];
}

export interface UnholdResult {
  readonly stage: string;
  readonly servers: readonly {
    readonly server: string;
    /** What was lifted; null where nothing held it. */
    readonly was: HoldRecord | null;
    readonly error: string | null;
  }[];
}

/** Holds a stage on every server that can be reached, in place of any hold before. @throws {DurantError} `cancelled`. */
export async function hold(
  request: HoldRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<HoldResult> {
  const change = changer(request, 'hold', host, signal);
  const servers = await lookAtEach<HoldResult['servers'][number]>(
    { request, host, emit, signal },
    async (looked) => {
      const { address, connection, facts } = looked;
      assessServer(address.entry, facts, request.settings, connection);
      const now = facts.clock ?? host.now();
      const record: HoldRecord = {
        user: host.user,
        host: host.hostname,
        why: request.why,
        since: now.toISOString(),
        until: endOf(request.until, now)?.toISOString() ?? null,
      };
      await change(
        looked,
        (run) => `${prepareScript(request.settings.project_dir, request.settings.strategy)}
${writeHold(record, run)}`,
      );
      return { server: address.entry, hold: record, error: null };
    },
    ({ entry }, { message }) => ({ server: entry, hold: null, error: message }),
  );
  return { stage: request.stage, servers };
}

/** Lifts the hold of a stage on every server that can be reached. @throws {DurantError} `cancelled`. */
export async function unhold(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<UnholdResult> {
  const change = changer(request, 'unhold', host, signal);
  const servers = await lookAtEach<UnholdResult['servers'][number]>(
    { request, host, emit, signal },
    async (looked) => {
      const { address, facts } = looked;
      if (facts.hold !== undefined)
        await change(looked, () => `cd ${quote(facts.project)} && rm -f .durant/hold`);
      return { server: address.entry, was: holdOf(facts, host.now()), error: null };
    },
    ({ entry }, { message }) => ({ server: entry, was: null, error: message }),
  );
  return { stage: request.stage, servers };
}

function endOf(until: Until, now: Date): Date | undefined {
  if (until.kind === 'lifted') return undefined;
  const end = until.kind === 'after' ? new Date(now.getTime() + until.ms) : until.time;
  if (end.getTime() <= now.getTime())
    throw new DurantError(
      'usage',
      `${end.toISOString()} has already passed by the server's clock (${now.toISOString()}).`,
      { remedy: 'Name a later time.' },
    );
  return end;
}

/** Runs a script that changes a hold, and notes it in the server's log. */
function changer(
  request: StageRequest,
  action: 'hold' | 'unhold',
  host: Host,
  signal: AbortSignal,
): (looked: Looked, script: (run: string) => string) => Promise<void> {
  const started = host.now();
  const run = newRunId(started, host.randomId());
  const servers = request.servers.map(({ entry }) => entry);
  return async ({ address, connection, facts }, script) => {
    const live = facts.records.find(({ name }) => name === facts.live);
    const commit = live?.commit || null;
    const line = appendHistory(
      host,
      `${action} -`,
      { ok: true },
      {
        run,
        action,
        started,
        commit,
        from_commit: commit,
        release: facts.live,
        servers,
      },
    );
    const result = await connection.exec({ script: `{ ${script(run)}\n} && ${line}`, signal });
    if (result.status !== 0) throw serverFailure({ address }, result);
  };
}
