/** Work on several servers at once: until one fails, or on every one of them whatever happens to the others. */
import { asDurantError, throwIfCancelled, type DurantError } from '../../errors.ts';
import type { ServerAddress } from '../../remote/target.ts';
import type { Run, ServerRun } from './run.ts';
import { severalFailures } from './severalFailures.ts';
import type { StepContext } from './step.ts';

/** What is worked on: a server of a run, or one that is not reached yet. */
interface Target {
  readonly address: ServerAddress;
  error?: string | undefined;
}

/**
 * Works on servers, at most `limit` at once. When one fails the others are told to stop through their signal and are waited for; then
 * what failed is thrown, all servers on which something did named, and noted in their states.
 */
export function inParallel<T extends Target>(
  targets: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (target: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  return workOn(targets, { limit, signal, stop }, work);
}

/** As `inParallel`, but a failure stops no other: for what only looks, so that all that is wrong is told at once. */
export function lookInParallel<T extends Target>(
  targets: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (target: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  return workOn(targets, { limit, signal, stop: undefined }, work);
}

async function workOn<T extends Target>(
  targets: readonly T[],
  {
    limit,
    signal,
    stop,
  }: { readonly limit: number; readonly signal: AbortSignal; readonly stop: AbortController | undefined },
  work: (target: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const combined = stop === undefined ? signal : AbortSignal.any([signal, stop.signal]);
  const queue = [...targets];
  const failures = new Map<T, DurantError>();
  const causes = new Set<unknown>();
  let stopped: DurantError | undefined;
  const worker = async (): Promise<void> => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      try {
        throwIfCancelled(combined);
        // One for each server: Node warns where more than ten listen to one.
        await work(target, AbortSignal.any([combined]));
      } catch (thrown) {
        const error = asDurantError(thrown);
        // Stopped by the user or by another's failure: that is nothing that went wrong on this server.
        if (error.code === 'cancelled') stopped ??= error;
        else {
          target.error = error.message;
          // What is done once for all servers fails for each of them.
          if (!causes.has(thrown))
            failures.set(
              target,
              error.server === undefined ? withServer(error, target.address.entry) : error,
            );
          causes.add(thrown);
        }
        stop?.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, targets.length)) }, worker));
  throwIfCancelled(signal);
  // The first to fail has stopped the others; where none was stopped, they are told in the order of the servers.
  const inOrder = stop === undefined ? targets.filter((target) => failures.has(target)) : failures.keys();
  const told = [...inOrder].flatMap((target) => failures.get(target) ?? []);
  if (told.length > 0) throw severalFailures(told, targets.length);
  if (stopped !== undefined) throw stopped;
}

/** Works on the servers of a run, at most `atOnce` (default: the stage's `parallel`) at the same time; as `inParallel`. */
export function forEachServer<R extends Run>(
  run: R,
  work: (context: StepContext<R>) => Promise<void>,
  options: { readonly servers?: readonly ServerRun[]; readonly atOnce?: number } = {},
): Promise<void> {
  const { servers = run.servers, atOnce = run.settings.parallel } = options;
  return inParallel(servers, atOnce, run.signal, (server, signal) => work({ run, server, signal }));
}

/** Looks at the servers of a run; as `lookInParallel`. */
export function lookAtEachServer<R extends Run>(
  run: R,
  look: (context: StepContext<R>) => Promise<void>,
): Promise<void> {
  return lookInParallel(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    look({ run, server, signal }),
  );
}

/** Works on every server, whatever happens to the others; returns the failures. */
export async function settleAllServers<T extends Target>(
  targets: readonly T[],
  work: (target: T) => Promise<void>,
): Promise<readonly DurantError[]> {
  const failures: DurantError[] = [];
  await Promise.all(
    targets.map(async (target) => {
      try {
        await work(target);
      } catch (thrown) {
        const error = asDurantError(thrown);
        target.error ??= error.message;
        failures.push(error.server === undefined ? withServer(error, target.address.entry) : error);
      }
    }),
  );
  return failures;
}

/** Waits for both, then throws the first failure: what was opened is then known and can be closed. */
export async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const results = await Promise.allSettled([first, second]);
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [asDurantError(result.reason)] : [],
  );
  const [failure] = failures.sort((a, b) => Number(a.code === 'cancelled') - Number(b.code === 'cancelled'));
  if (failure !== undefined) throw failure;
  return Promise.all([first, second]);
}

/** Runs `work` once per run under this name; whoever comes later waits for it. */
export function oncePerRun(run: Run, name: string, work: () => Promise<void>): Promise<void> {
  const known = run.once.get(name);
  if (known !== undefined) return known;
  const started = work();
  run.once.set(name, started);
  return started;
}

/** Says failures that do not matter for how the run ends. */
export function warnOf(run: Run, code: string, failures: readonly DurantError[]): void {
  for (const failure of failures)
    run.emit({
      event: 'warning',
      code: failure.code === 'lock-lost' ? failure.code : code,
      message: failure.message,
      server: failure.server ?? null,
    });
}

function withServer(error: DurantError, server: string): DurantError {
  const isNamed = error.paragraph.includes(server);
  return error.with({ server, summary: isNamed ? error.summary : `${server}: ${error.summary}` });
}
