/**
 * The one family of errors of Durant. Its summary is a sentence fit to show that ends with the remedy; its code is stable
 * and public (`run-finished.error.code`, `--json`). Nobody takes a sentence apart: what is to be handled is in `data`.
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
  | 'commit-unverified'
  | 'signing-failed'
  | 'lfs-missing'
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

/** What an error is about, for whoever handles it. */
export interface ErrorData {
  /** The first problem of durant.conf; lines count from 1. */
  readonly problem?: { readonly line: number; readonly message: string };
  /** `https://host[:port]` of a repository that git needs a login for, and its URL has none. */
  readonly signIn?: string;
  /** How a command of durant.conf ended. */
  readonly exitStatus?: number;
}

export interface ErrorDetails {
  readonly changed?: boolean;
  readonly server?: string | undefined;
  readonly output?: string | undefined;
  readonly data?: ErrorData | undefined;
  readonly cause?: unknown;
}

/** A failure that Durant foresaw. Unknown errors are bugs: they are shown as `internal`. `message` is the summary and the output. */
export class DurantError extends Error {
  override readonly name = 'DurantError';
  readonly code: ErrorCode;
  /** What is wrong, where, and what to do. */
  readonly summary: string;
  /** What a command printed about it, for lines of its own; empty for none. */
  readonly output: string;
  readonly data: ErrorData;
  /** Whether anything was changed on any server and not put back. */
  readonly changed: boolean;
  /** The server it happened on, as written in durant.conf. */
  readonly server: string | undefined;

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    const { output = '', data = {}, changed = false, server, cause } = details;
    super(output === '' ? summary : `${summary}\n${output}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.summary = summary;
    this.output = output;
    this.data = data;
    this.changed = changed;
    this.server = server;
  }

  /** The same failure with some of it told otherwise. */
  with(change: Partial<Pick<DurantError, 'code' | 'summary' | 'changed' | 'server'>>): DurantError {
    const { code, summary, output, data, changed, server } = this;
    const told = { code, summary, changed, server, ...change };
    return new DurantError(told.code, told.summary, {
      output,
      data,
      changed: told.changed,
      server: told.server,
      cause: this,
    });
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
