/** A time limit that does not run while a person is being asked. */
export interface Deadline {
  /** Rejects with what `expired` gives when the time is up. */
  readonly passed: Promise<never>;
  /** Stops the clock until the work settles. */
  untimed<T>(work: Promise<T>): Promise<T>;
  stop(): void;
}

/** @param ms time of its own, in milliseconds; what `untimed` work takes does not count. */
export function startDeadline(ms: number, expired: () => Error): Deadline {
  let left = ms;
  let since = performance.now();
  let holds = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let reject: (error: Error) => void = () => undefined;
  const passed = new Promise<never>((_resolve, no) => {
    reject = no;
  });
  passed.catch(() => undefined);
  const run = (): void => {
    since = performance.now();
    timer = setTimeout(() => {
      reject(expired());
    }, left);
  };
  run();
  return {
    passed,
    untimed: async (work) => {
      holds += 1;
      if (holds === 1) {
        clearTimeout(timer);
        left = Math.max(0, left - (performance.now() - since));
      }
      try {
        return await work;
      } finally {
        holds -= 1;
        if (holds === 0 && !stopped) run();
      }
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
