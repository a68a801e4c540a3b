/**
 * Connections that a server drops before its greeting: sshd drops some while too many log in at once (`MaxStartups` of sshd_config), and
 * a bastion has that of all servers behind it. They are opened again, each time later, and never once the host has begun to speak.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { throwIfCancelled } from '../errors.ts';

/** About 12 s in all. */
const PAUSES_MS = [300, 600, 1000, 1500, 2000, 3000, 4000] as const;

export interface DroppedAttempts {
  /** Whether a failure was such a one. */
  readonly isDropped: (error: unknown) => boolean;
  readonly signal: AbortSignal;
  /** Told once, before the first further attempt. */
  readonly onRetry: () => void;
}

/** Resolves as `open` does; rejects with what the last attempt said, or `cancelled`. */
export async function retryDropped<T>(
  open: () => Promise<T>,
  { isDropped, signal, onRetry }: DroppedAttempts,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      const wait = PAUSES_MS[attempt];
      if (wait === undefined || signal.aborted || !isDropped(error)) throw error;
      if (attempt === 0) onRetry();
      // Those that were dropped together must not come back together.
      await pause(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      throwIfCancelled(signal);
    }
  }
}

/** What a user is told of it. */
export function retryNotice(host: string): string {
  return `${host} ended the connection before its greeting, as sshd does while too many log in at once (MaxStartups): trying again, more slowly.`;
}

/** Whether `ssh` says that a host has dropped it so. */
export function saysDropped(said: string): boolean {
  return /kex_exchange_identification: |Exceeded MaxStartups/.test(said);
}
