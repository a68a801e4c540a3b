/** Waiting for a condition instead of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks `condition` again and again until it gives something other than undefined or false, and resolves to that.
 * @throws after `timeoutMs` (default 30 s), naming what was waited for.
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const began = performance.now();
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    // Reading all of /proc takes a while: at most a fifth of the time goes into looking.
    await pause(Math.min(200, Math.max(20, 4 * (performance.now() - began))));
  }
}
