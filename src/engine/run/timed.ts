/** The events of a step. */
import { asDurantError, bug } from '../../errors.ts';
import type { StepState } from '../events.ts';
import type { Run, ServerRun } from './run.ts';

/**
 * Emits a step's events around `work`: that it runs, then how it ended and how long that took. A failure is noted in the run.
 * @param begins what is said when it begins; null: nothing.
 */
export async function timed(
  context: { readonly run: Run; readonly server: ServerRun | undefined },
  step: string,
  work: () => Promise<{ readonly state: StepState; readonly reason: string | null }>,
  begins: string | null = null,
): Promise<void> {
  const { run } = context;
  const server = context.server?.address.entry ?? null;
  const began = performance.now();
  const ms = (): number => Math.round(performance.now() - began);
  run.emit({ event: 'step', step, server, state: 'running', reason: begins, ms: null });
  try {
    const { state, reason } = await work();
    run.emit({ event: 'step', step, server, state, reason, ms: ms() });
  } catch (thrown) {
    const error = asDurantError(thrown);
    run.failedStep ??= step;
    run.emit({ event: 'step', step, server, state: 'failed', reason: error.message, ms: ms() });
    throw error;
  }
}

/** A step of this machine: `resolve`, `fetch`, `checkout`, `before_deploy`. */
export async function localStep<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  await timed({ run, server: undefined }, name, async () => {
    result = { value: await work() };
    return { state: 'done', reason: null };
  });
  if (result === undefined) throw bug(`${name} ended without a result.`);
  return result.value;
}
