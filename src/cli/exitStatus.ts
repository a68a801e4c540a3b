/** The exit status that each error code has: 2 usage or configuration, 3 locked or held, 130 cancelled, else 1. */
import type { RunFinished } from '../engine/events.ts';
import type { ErrorCode, UsageCode } from '../errors.ts';

/** `deploy -n --detailed-exitcode` where something would change. */
export const changesPending = 4;

/** `verify` where something is not as it was deployed. */
export const drifted = 4;

// A record, so that a code added to errors.ts cannot be forgotten here.
const usageCodes: Readonly<Record<UsageCode, 2>> = {
  usage: 2,
  'config-not-found': 2,
  'config-invalid': 2,
  'config-exists': 2,
  'unknown-stage': 2,
  'unknown-server': 2,
  'unknown-role': 2,
  'unresolved-value': 2,
  'confirmation-needed': 2,
};

export function exitStatus(code: ErrorCode): 1 | 2 | 3 | 130 {
  if (Object.hasOwn(usageCodes, code)) return 2;
  if (code === 'locked' || code === 'held') return 3;
  return code === 'cancelled' ? 130 : 1;
}

/** The exit status of a run that came to its end. */
export function runStatus({ ok, error }: Pick<RunFinished, 'ok' | 'error'>): number {
  return ok ? 0 : exitStatus(error?.code ?? 'internal');
}
