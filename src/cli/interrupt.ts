/** Ctrl+C: the first asks the run to end and undo, the second stops at once. SIGTERM and a closed terminal ask, too. */

export interface Interruption {
  /** Aborted by the first request to end. */
  readonly signal: AbortSignal;
  /** Does what Ctrl+C does. */
  readonly interrupt: () => void;
  /** Stops listening. */
  readonly dispose: () => void;
}

/** As much of `process` as signals need. */
export interface SignalSource {
  on(name: NodeJS.Signals, listener: () => void): unknown;
  off(name: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * @param again what the second Ctrl+C does; it should not return
 * @param first told of the first one, to say that the run is being ended
 */
export function listenForInterrupts(
  source: SignalSource,
  { first, again }: { readonly first: () => void; readonly again: () => void },
): Interruption {
  const abort = new AbortController();
  const end = (): void => {
    if (abort.signal.aborted) return;
    abort.abort();
    first();
  };
  const interrupt = (): void => {
    if (abort.signal.aborted) again();
    else end();
  };
  const asked = ['SIGTERM', 'SIGHUP'] as const;
  source.on('SIGINT', interrupt);
  for (const name of asked) source.on(name, end);
  return {
    signal: abort.signal,
    interrupt,
    dispose: () => {
      source.off('SIGINT', interrupt);
      for (const name of asked) source.off(name, end);
    },
  };
}
