/** Runs things at the same time, as many as may. */

export interface Scheduled {
  readonly needs: ReadonlySet<string>;
  /** True: it mostly waits, and leaves its place to another. */
  readonly waits: boolean;
}

/**
 * Starts each as soon as there is room for it, the first of those that can be started first: at most `limit` at once besides those that
 * wait, and of those with the same need as many as `atOnce` says, else one. Resolves when all have ended; after `stopped` says so, no more are started.
 */
export async function schedule<T extends Scheduled>(
  things: readonly T[],
  limit: number,
  run: (thing: T, index: number) => Promise<void>,
  stopped: () => boolean,
  atOnce: Readonly<Record<string, number>> = {},
): Promise<void> {
  const waiting = [...things];
  const running = new Map<T, Promise<void>>();
  for (;;) {
    const taken = [...running.keys()].flatMap(({ needs }) => [...needs]);
    const isFree = (need: string): boolean =>
      taken.filter((each) => each === need).length < (atOnce[need] ?? 1);
    const isFull = [...running.keys()].filter(({ waits }) => !waits).length >= limit;
    const next = stopped()
      ? -1
      : waiting.findIndex(({ needs, waits }) => (waits || !isFull) && [...needs].every(isFree));
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
