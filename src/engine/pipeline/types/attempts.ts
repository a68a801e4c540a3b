/** One look at a goal or one attempt to achieve it: with its timeout, and again where the failure may pass. */
import { asDurantError, throwIfCancelled } from '../../../errors.ts';
import type { Host } from '../../ports.ts';
import { GoalFailure } from './goalFailure.ts';

export interface Attempts {
  /** More tries after a failure that may pass. */
  readonly retries: number;
  /** Milliseconds between two tries. */
  readonly delayMs: number;
  readonly sleep: Host['sleep'];
  /** Milliseconds that one try may take; undefined: any time. */
  readonly timeoutMs: number | undefined;
  /** Whether a try that took too long may take less the next time. */
  readonly network: boolean;
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal;
  /** Told before each further try. */
  readonly onRetry: (message: string) => void;
}

/** @throws {DurantError} the last try's failure; `cancelled`. */
export async function attempt<T>(work: (signal: AbortSignal) => Promise<T>, attempts: Attempts): Promise<T> {
  const { retries, delayMs, signal } = attempts;
  for (let left = retries; ; left--) {
    try {
      return await oneTry(work, attempts);
    } catch (error) {
      throwIfCancelled(signal);
      if (left <= 0 || !(error instanceof GoalFailure) || !error.mayPass) throw asDurantError(error);
      attempts.onRetry(`${error.message} Trying again in ${inSeconds(delayMs)}, ${String(left)} more.`);
      await attempts.sleep(delayMs, signal);
    }
  }
}

async function oneTry<T>(work: (signal: AbortSignal) => Promise<T>, attempts: Attempts): Promise<T> {
  const { timeoutMs, signal } = attempts;
  throwIfCancelled(signal);
  if (timeoutMs === undefined) return work(signal);
  const over = new AbortController();
  const combined = AbortSignal.any([signal, over.signal]);
  const tooLong = (): GoalFailure =>
    new GoalFailure(`It took longer than ${inSeconds(timeoutMs)} and was ended.`, {
      remedy: 'Make it faster, or raise its timeout.',
      mayPass: attempts.network,
    });
  let timer: NodeJS.Timeout | undefined;
  // A module of the project may not listen to the signal; it is not waited for any longer then.
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      over.abort();
      setTimeout(() => reject(tooLong()), GRACE_MS).unref();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(combined), timeout]);
  } catch (error) {
    if (over.signal.aborted && !signal.aborted) throw tooLong();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** How long what was ended may take to tidy up. */
const GRACE_MS = 5_000;

function inSeconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}
