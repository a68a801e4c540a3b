/** The frame of every run that changes servers: what is opened is closed, what fails is undone, and the last event is always `run-finished`. */
import { DurantError, asDurantError, throwIfCancelled } from '../../errors.ts';
import type { Connection, ServerAddress } from '../../remote/target.ts';
import type { Emit, RunFinished } from '../events.ts';
import { announcedPrompter, maskedEmit } from './emit.ts';
import { assertNotHeld } from './hold.ts';
import { openJournal } from '../server/journal.ts';
import type { Host } from '../ports.ts';
import { connectHere, connectTo, learnFacts, type Reach } from '../server/connectServers.ts';
import { lookInParallel } from './parallel.ts';
import { finished } from './outcome.ts';
import { newRunId, type Run, type ServerRun, type StageRequest } from './run.ts';
import { guarded } from './guard.ts';
import { STRATEGIES } from '../steps/strategies/index.ts';
import { undo } from './undo.ts';
import { waitingPrompter } from './waitingPrompter.ts';

/** How a run is asked for. */
export interface RunOptions {
  readonly request: StageRequest;
  readonly action: Run['action'];
  readonly dryRun: boolean;
  readonly host: Host;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Runs `work` and reports how it ended. Never throws: a failure is in `run-finished`, after everything was undone that can be.
 * In the phase `finishing` the run is live; an abort then counts no more.
 */
export async function runLifecycle(
  options: RunOptions,
  work: (run: Run) => Promise<void>,
): Promise<RunFinished> {
  const { request, action, dryRun, host, signal } = options;
  const { emit, mask, addSecrets } = maskedEmit(options.emit, [
    ...request.secrets,
    ...(request.pipeline?.secrets ?? []),
  ]);
  const { prompt, waitedMs } = waitingPrompter(announcedPrompter(host.prompt, emit), host.now);
  const reach: Reach = {
    settings: request.settings,
    host: { ...host, prompt },
    prompt,
    emit,
    mayAddHostKeys: !dryRun,
    signal,
  };
  const local = await connectHere(reach);
  const started = host.now();
  const run: Run = {
    id: newRunId(started, host.randomId()),
    action,
    request,
    settings: request.settings,
    strategy: STRATEGIES[request.settings.strategy],
    host: reach.host,
    journal: openJournal(host.stateDir),
    emit,
    mask,
    addSecrets,
    signal,
    dryRun,
    started,
    waitedMs,
    local,
    servers: [],
    others: [],
    unreached: new Map(),
    once: new Map(),
    compared: { manifests: new Map(), plans: new Map() },
    reconnect: (address, agent) => {
      // For an agent's sake nobody is asked anything: the run goes on without it.
      const asked = agent === undefined ? prompt : (): Promise<undefined> => Promise.resolve(undefined);
      const again = { ...reach, prompt: asked, signal: AbortSignal.timeout(15_000) };
      return connectTo(again, address, agent);
    },
    clone: undefined,
    commit: undefined,
    version: undefined,
    tree: undefined,
    release: undefined,
    environment: undefined,
    phase: 'assessing',
    wave: undefined,
    failedStep: undefined,
  };
  emit({
    event: 'run-started',
    action,
    run: run.id,
    stage: request.stage,
    dry_run: dryRun,
    servers: request.servers.map((server) => server.entry),
  });

  let failure: DurantError | undefined;
  try {
    throwIfCancelled(signal);
    await work(run);
  } catch (thrown) {
    failure = asDurantError(thrown);
    const left = dryRun ? false : await undo(run, failure);
    failure = toldAfterUndo(run, failure.with({ changed: failure.changed || left }));
    for (const server of run.servers)
      if (server.error !== undefined && server.state === 'unchanged') server.state = 'failed';
  } finally {
    await settle(run);
  }
  const last = finished(run, failure);
  emit(last);
  return last;
}

/** A failed health check tells what became of the release, which is known by now; the server that it failed on tells the same. */
function toldAfterUndo(run: Run, failure: DurantError): DurantError {
  if (failure.code !== 'health-check-failed' || run.dryRun) return failure;
  const { outcome, ...remedy } = run.strategy.afterFailedCheck(run);
  const told = failure.with({ summary: `${failure.summary} ${outcome}`, ...remedy });
  for (const server of run.servers) if (server.error === failure.message) server.error = told.message;
  return told;
}

/** Connects to the servers of the run, at most `parallel` at once, and learns what they look like. */
export async function connectServers(run: Run): Promise<void> {
  if (run.request.servers.length === 0)
    throw new DurantError(
      'config-invalid',
      `[${run.request.stage}] deploys nowhere: its pipeline has no deploy.`,
      { remedy: 'Add deploy to it, with server and project_dir.' },
    );
  const reach = reachOf(run);
  const reached = new Map<string, ServerRun>();
  const wanted: { readonly address: ServerAddress; error?: string | undefined }[] = run.request.servers.map(
    (address) => ({ address }),
  );
  try {
    await lookInParallel(wanted, run.settings.parallel, run.signal, async ({ address }, signal) => {
      const began = performance.now();
      const report = (state: 'running' | 'done', reason: string | null, ms: number | null): void =>
        run.emit({ event: 'step', step: 'connect', server: address.entry, state, reason, ms });
      report('running', null, null);
      const connection = await connectTo({ ...reach, signal }, address);
      report(
        'done',
        `${connection.description}, as ${connection.user}`,
        Math.round(performance.now() - began),
      );
      try {
        reached.set(
          address.entry,
          serverRun(run, connection, await learnFacts(connection, run.settings, signal)),
        );
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  } finally {
    for (const { address, error } of wanted) {
      const server = reached.get(address.entry);
      if (server !== undefined) run.servers.push(server);
      else run.unreached.set(address.entry, error);
    }
  }
  assertNotHeld(run);
}

export function reachOf(run: Run): Reach {
  return {
    settings: run.settings,
    host: run.host,
    prompt: run.host.prompt,
    emit: run.emit,
    mayAddHostKeys: !run.dryRun,
    signal: run.signal,
  };
}

/** A server that the run has reached and changed nothing on. */
export function serverRun(
  run: Pick<Run, 'id' | 'settings' | 'strategy'>,
  connection: Connection,
  facts: ServerRun['facts'],
): ServerRun {
  const server: ServerRun = {
    address: connection.address,
    connection: guarded(run, connection, () => server),
    facts,
    deferred: [],
    lostLines: 0,
    ownLock: { state: 'none' },
    tookOver: undefined,
    begun: false,
    plan: undefined,
    previous: undefined,
    previousLink: undefined,
    state: 'unchanged',
    error: undefined,
    services: undefined,
  };
  return server;
}

async function settle(run: Run): Promise<void> {
  const leftLocked = run.servers.some(({ ownLock }) => ownLock.state === 'asked' || ownLock.state === 'held');
  if (run.phase !== 'assessing') await (leftLocked ? run.journal.end(run.id) : run.journal.forget(run.id));
  for (const server of run.servers) server.connection.close();
  run.local.close();
  await run.clone?.release();
}
