/** `verify`: what is live on each server compared with what was deployed there: files, `current`, units and site. Takes no lock, changes nothing. */
import { DurantError } from '../../errors.ts';
import type { Emit, RunFinished, ServerOutcome } from '../events.ts';
import type { Host } from '../ports.ts';
import { maskedEmit } from '../run/emit.ts';
import { runError } from '../run/outcome.ts';
import { newRunId, type StageRequest } from '../run/run.ts';
import { currentDrift, filesDrift, servicesDrift, type Drift, type Found } from '../server/drift.ts';
import { nothingLive } from '../server/preflight.ts';
import { LAYOUTS } from '../server/layout.ts';
import { lookAtEach, type Looked } from '../server/lookAtServers.ts';

export interface VerifyRequest extends StageRequest {
  /** Shared and writable paths, too, and what the run's own commands have changed. */
  readonly all: boolean;
}

export interface Verified {
  readonly finished: RunFinished;
  readonly drifts: readonly Drift[];
}

/** Verifies a stage. Never throws: how it ended is the last event, which is in the result too. One server's failure hides no other. */
export async function verify(
  request: VerifyRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<Verified> {
  const masked = maskedEmit(emit, request.secrets);
  const drifts: Drift[] = [];
  let failure: DurantError | undefined;
  masked.emit({
    event: 'run-started',
    action: 'verify',
    run: newRunId(host.now(), host.randomId()),
    stage: request.stage,
    dry_run: false,
    servers: request.servers.map(({ entry }) => entry),
  });
  const servers = await lookAtEach<ServerOutcome>(
    { request, host, emit: masked.emit, signal },
    async (looked) => {
      const { entry } = looked.address;
      for (const found of await driftOf(request, looked, signal)) {
        const drift: Drift = { event: 'drift', server: entry, ...found };
        drifts.push(drift);
        masked.emit(drift);
      }
      return { server: entry, state: 'unchanged', current: looked.facts.live, error: null };
    },
    ({ entry }, error) => {
      failure ??= error;
      return { server: entry, state: 'failed', current: null, error: masked.mask(error.message) };
    },
  ).catch((thrown: unknown) => {
    if (!(thrown instanceof DurantError)) throw thrown;
    failure = thrown;
    return [];
  });
  const finished: RunFinished = {
    event: 'run-finished',
    ok: failure === undefined,
    dry_run: false,
    release: servers.find(({ current }) => current !== null)?.current ?? null,
    commit: null,
    servers,
    error: failure === undefined ? null : runError(failure, masked.mask),
  };
  masked.emit(finished);
  return { finished, drifts };
}

async function driftOf(
  request: VerifyRequest,
  looked: Looked,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const { address, facts } = looked;
  const current = LAYOUTS[request.settings.strategy].hasReleases ? currentDrift(looked) : [];
  if (facts.live === null && current.length === 0) throw nothingLive(request.stage, address.entry);
  return [
    ...current,
    ...(await servicesDrift(request, looked, signal)),
    ...(await filesDrift(request, looked, signal, request.all ? 'all' : 'own')),
  ];
}
