/**
 * The one family of errors of Durant. Its message is a sentence fit to show that ends with the remedy; its code is stable
 * and public (`run-finished.error.code`, `--json`).
 */

/** Stable error codes, grouped by the exit status that the CLI gives them. */
export type ErrorCode = UsageCode | 'locked' | 'held' | 'cancelled' | FailureCode;

/** Exit status 2: the command line or durant.conf is wrong; nothing was contacted. */
export type UsageCode =
  | 'usage'
  | 'config-not-found'
  | 'config-invalid'
  | 'config-exists'
  | 'unknown-stage'
  | 'unknown-server'
  | 'unknown-role'
  | 'unresolved-value'
  | 'confirmation-needed';

/** Exit status 1: the run failed. */
export type FailureCode =
  // git and this machine
  | 'git-missing'
  | 'repository-unreachable'
  | 'branch-not-found'
  | 'temp-dir-refused'
  | 'checkout-failed'
  | 'local-command-failed'
  | 'local-tool-missing'
  // connections
  | 'host-unknown'
  | 'host-key-changed'
  | 'host-key-revoked'
  | 'host-unreachable'
  | 'authentication-failed'
  | 'connection-lost'
  | 'connection-unsupported'
  | 'timeout'
  // the server
  | 'reverted'
  | 'permission-denied'
  | 'tool-missing'
  | 'disk-full'
  | 'path-not-writable'
  | 'unmanaged-project-dir'
  | 'current-is-folder'
  | 'switch-unsupported'
  | 'layout-unsupported'
  | 'nothing-to-adopt'
  | 'remote-command-failed'
  // the run
  | 'lock-lost'
  | 'switched-elsewhere'
  | 'verification-failed'
  | 'plan-stale'
  | 'shared-file-missing'
  | 'distfile-missing'
  | 'install-failed'
  | 'services-failed'
  | 'health-check-failed'
  | 'goal-failed'
  | 'no-rollback-candidate'
  | 'unknown-release'
  | 'failed-release'
  | 'servers-disagree'
  | 'internal';

/** A failure that Durant foresaw. Unknown errors are bugs: they are shown as `internal`. */
export class DurantError extends Error {
  override readonly name = 'DurantError';
  readonly code: ErrorCode;
  /** Whether anything was changed on any server and not put back. */
  readonly changed: boolean;
  /** The server it happened on, as written in durant.conf. */
  readonly server: string | undefined;
  /** The last lines of what a program said, which the message ends with; undefined where they tell nothing. */
  readonly output: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly changed?: boolean;
      readonly server?: string | undefined;
      readonly output?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const { output } = options;
    const whole = output === undefined || message.endsWith(output) ? message : `${message}\n${output}`;
    super(whole, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.changed = options.changed ?? false;
    this.server = options.server;
    this.output = output;
  }
}

/** Turns whatever was thrown into a DurantError; an abort becomes `cancelled`, the unforeseen `internal`. */
export function asDurantError(error: unknown): DurantError {
  if (error instanceof DurantError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new DurantError('cancelled', 'Cancelled.', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new DurantError(
    'internal',
    `Unexpected failure: ${message}. This is a bug in Durant; please report it.`,
    { cause: error },
  );
}

/** Throws `cancelled` when the signal has been aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new DurantError('cancelled', 'Cancelled.');
}
