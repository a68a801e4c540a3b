/** Runs things at the same time, as many as may. */

export interface Scheduled {
  readonly needs: ReadonlySet<string>;
  /** True: it mostly waits, and leaves its place to another. */
  readonly waits: boolean;
}

/**
 * Starts each as soon as there is room for it, the first of those that can be started first: at most `limit` at once besides those that
 * wait, and none that needs what another that runs needs, too. Resolves when all have ended; after `stopped` says so, no more are started.
 */
export async function schedule<T extends Scheduled>(
  things: readonly T[],
  limit: number,
  run: (thing: T, index: number) => Promise<void>,
  stopped: () => boolean,
): Promise<void> {
  const waiting = [...things];
  const running = new Map<T, Promise<void>>();
  for (;;) {
    const taken = new Set([...running.keys()].flatMap(({ needs }) => [...needs]));
    const isFull = [...running.keys()].filter(({ waits }) => !waits).length >= limit;
    const next = stopped()
      ? -1
      : waiting.findIndex(
          ({ needs, waits }) => (waits || !isFull) && [...needs].every((need) => !taken.has(need)),
        );
    const [thing] = next === -1 ? [] : waiting.splice(next, 1);
    if (thing !== undefined)
      running.set(
        thing,
        run(thing, things.indexOf(thing)).finally(() => running.delete(thing)),
      );
    else if (running.size > 0) await Promise.race(running.values());
    else return;
  }
}
