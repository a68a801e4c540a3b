/** How processes fare, in words. Pure. */
import type { ProcessState } from '../engine/index.ts';

/** Whether it is as it should be. */
export function isSound({ state }: Pick<ProcessState, 'state'>): boolean {
  return state === 'running' || state === 'waiting';
}

/** `running`; `running, restarted once`; `restarting, 5 times in 2 min`. */
export function standingText({
  state,
  restarts,
  restarts_since: since,
  observed,
}: Pick<ProcessState, 'state' | 'restarts' | 'restarts_since' | 'observed'>): string {
  if (restarts === 0) return state;
  const times = restarts === 1 ? 'once' : `${String(restarts)} times`;
  const span =
    since === null || observed === null
      ? ''
      : ` in ${spanText((Date.parse(observed) - Date.parse(since)) / 1000)}`;
  return state === 'restarting' ? `restarting, ${times}${span}` : `${state}, restarted ${times}${span}`;
}

/** Whole seconds, minutes, hours or days. */
function spanText(seconds: number): string {
  const [unit, size] =
    seconds < 60 ? (['s', 1] as const) : seconds < 3600 ? (['min', 60] as const) : (['h', 3600] as const);
  return `${String(Math.max(1, Math.round(seconds / size)))} ${unit}`;
}
