/** The end of a run that is live: nothing here can fail it any more; what goes wrong is a warning. */
import { asDurantError } from '../../errors.ts';
import { recordOf, writeRecord } from '../steps/release.ts';
import { confirmLive } from './deadManSwitch.ts';
import { historyLine } from '../server/history.ts';
import { hookCommands, releaseFolder, runHook, stepHook } from './hooks.ts';
import { settleAllServers, warnOf } from './parallel.ts';
import { forgetPendingRollback } from './pendingRollback.ts';
import type { NamedRun, Run, ServerRun } from './run.ts';
import { defer } from './script.ts';
import { leaveToDrain } from '../steps/services.ts';
import { writeProvenance } from '../source/provenance.ts';
import type { FinishingStep, StepContext } from './step.ts';

/** Writes `finished` on every server, in one script with the confirmation. From then on the run is live. @throws {DurantError} `reverted`. */
export async function confirmFinished(run: NamedRun): Promise<void> {
  for (const server of run.servers) {
    if (server.confirmed === true) continue;
    for (const script of finishedScripts(run, server)) defer(server, script);
  }
  await confirmLive(run);
  run.phase = 'finishing';
  for (const server of run.servers) {
    server.state = 'live';
    leaveToDrain(run, server);
    defer(server, `${historyLine(run, server, { ok: true })}\n${forgetPendingRollback}`);
  }
}

/** What is written with the confirmation; in project_dir. */
export function finishedScripts(run: NamedRun, server: ServerRun): readonly string[] {
  const { provenance, release } = run;
  const record = writeRecord(recordOf(run, server, 'finished'));
  return provenance === undefined ? [record] : [record, writeProvenance(release, provenance)];
}

/** Works the last steps off on every server; what fails is said under `code`. */
export async function finishServers(
  run: NamedRun,
  steps: readonly FinishingStep[],
  code: string,
  servers: readonly ServerRun[] = run.servers,
): Promise<void> {
  // Past the point of no return a cancel skips the user's commands and the removal, and nothing that keeps servers in order.
  const { signal } = new AbortController();
  const failures = await settleAllServers(servers, async (server) => {
    for (const step of steps) await finishStep({ run, server, signal }, step);
  });
  warnOf(run, code, failures);
}

/** Servers on which nobody else has taken the lock. */
export function withLockKept(run: Run): readonly ServerRun[] {
  return run.servers.filter(({ ownLock }) => ownLock.state !== 'lost');
}

/**
 * Where the lock was lost, another run may have made something else live: then this one has not come to its end.
 * @throws {DurantError} `lock-lost`.
 */
export function assertStillLive(run: NamedRun): void {
  const errors = run.servers.flatMap((server) => {
    const { ownLock, facts } = server;
    if (ownLock.state !== 'lost' || facts.live === run.release) return [];
    server.state = 'failed';
    return [ownLock.error];
  });
  const [error] = errors;
  if (error !== undefined) throw error.with({ changed: true });
}

async function finishStep(context: StepContext<NamedRun>, step: FinishingStep): Promise<void> {
  const { run, server } = context;
  const began = performance.now();
  const report = (state: 'running' | 'done' | 'failed' | 'skipped', reason: string | null): void =>
    run.emit({
      event: 'step',
      step: step.name,
      server: server.address.entry,
      state,
      reason,
      ms: state === 'running' ? null : Math.round(performance.now() - began),
    });
  report('running', null);
  try {
    await optionalHook(context, 'before', step);
    report('done', await step.achieve(context));
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled') return report('skipped', 'cancelled');
    report('failed', error.message);
    throw error;
  }
  await optionalHook(context, 'after', step);
}

async function optionalHook(
  { run, server }: StepContext<NamedRun>,
  side: 'before' | 'after',
  step: FinishingStep,
): Promise<void> {
  const name = stepHook(side, step.name);
  if (name === undefined || hookCommands(run, name).length === 0 || run.signal.aborted) return;
  try {
    await runHook(run, server, name, { directory: releaseFolder(run, server), signal: run.signal });
  } catch (error) {
    if (server.ownLock.state === 'lost') throw error;
    if (run.signal.aborted) return;
    run.emit({
      event: 'warning',
      code: `${name.replaceAll('_', '-')}-failed`,
      message: asDurantError(error).message,
      server: server.address.entry,
    });
  }
}
