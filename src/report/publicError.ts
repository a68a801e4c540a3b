/** An error as `--json`, results and agents have it. */
import type { RunError } from '../engine/events.ts';

export type PublicError = Omit<RunError, 'data'>;

export function publicError({
  code,
  message,
  changed,
  summary = message,
  remedy = '',
  output = '',
}: RunError): PublicError {
  return {
    code,
    message,
    changed,
    summary,
    ...(remedy === '' ? {} : { remedy }),
    ...(output === '' ? {} : { output }),
  };
}
