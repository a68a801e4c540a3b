/**
 * The one family of errors of Durant: what is wrong (`summary`), what to do about it (`remedy`), what a command printed (`output`).
 * The code is stable and public (`run-finished.error.code`, `--json`). Nobody takes a sentence apart: what is to be handled is in `data`.
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
  /** The command line that the remedy ends with, as it is to be typed. */
  readonly command?: string | undefined;
}

export interface ErrorDetails {
  /** What to do, in a sentence or two; where a command follows, without the colon before it. */
  readonly remedy?: string | undefined;
  /** The command line to run. The remedy ends with it. */
  readonly command?: string | undefined;
  readonly changed?: boolean;
  readonly server?: string | undefined;
  readonly output?: string | undefined;
  readonly data?: ErrorData | undefined;
  readonly cause?: unknown;
}

/** A failure that Durant foresaw. Unknown errors are bugs: they are shown as `internal`. `message` is summary, remedy and output. */
export class DurantError extends Error {
  override readonly name = 'DurantError';
  readonly code: ErrorCode;
  /** What is wrong, and where. */
  readonly summary: string;
  /** What to do; empty where there is nothing to do. */
  readonly remedy: string;
  /** What a command printed about it, for lines of its own; empty for none. */
  readonly output: string;
  readonly data: ErrorData;
  /** Whether anything was changed on any server and not put back. */
  readonly changed: boolean;
  /** The server it happened on, as written in durant.conf. */
  readonly server: string | undefined;

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    const { command, output = '', data = {}, changed = false, server, cause } = details;
    const remedy = command === undefined ? (details.remedy ?? '') : `${details.remedy ?? 'Run'}: ${command}`;
    const paragraph = joined(summary, remedy);
    super(output === '' ? paragraph : `${paragraph}\n${output}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.summary = summary;
    this.remedy = remedy;
    this.output = output;
    this.data = command === undefined ? data : { ...data, command };
    this.changed = changed;
    this.server = server;
  }

  /** The same failure with some of it told otherwise. */
  with(change: Partial<ErrorFields> & Pick<ErrorDetails, 'command'>): DurantError {
    const data = change.remedy === undefined ? this.data : { ...this.data, command: undefined };
    return errorOf({ ...fieldsOf(this), data, ...change }, this);
  }

  /** The same failure without secrets, and without its cause, which may show them. */
  masked(mask: (text: string) => string): DurantError {
    const { summary, remedy, output } = this;
    return errorOf({
      ...fieldsOf(this),
      summary: mask(summary),
      remedy: mask(remedy),
      output: mask(output),
    });
  }

  /** Summary and remedy, without what a command printed. */
  get paragraph(): string {
    return joined(this.summary, this.remedy);
  }
}

/** Both in one paragraph; where the summary lists something, the remedy has a line of its own. */
function joined(summary: string, remedy: string): string {
  return remedy === '' ? summary : `${summary}${summary.includes('\n') ? '\n' : ' '}${remedy}`;
}

/** An error as data, on its way to another process. */
export type ErrorFields = Pick<
  DurantError,
  'code' | 'summary' | 'remedy' | 'output' | 'data' | 'changed' | 'server'
>;

export function fieldsOf({ code, summary, remedy, output, data, changed, server }: DurantError): ErrorFields {
  return { code, summary, remedy, output, data, changed, server };
}

export function errorOf(
  { code, summary, ...details }: ErrorFields & Pick<ErrorDetails, 'command'>,
  cause?: unknown,
): DurantError {
  return new DurantError(code, summary, { ...details, cause });
}

/** What happened, in the words of whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** @param server where, if it was one server's work that was ended. */
export function cancelled(server?: string): DurantError {
  return new DurantError('cancelled', 'Cancelled.', { server });
}

/** A mistake of Durant's own: whoever uses it cannot do anything but tell us. */
export function bug(summary: string, cause?: unknown): DurantError {
  return new DurantError('internal', summary, {
    remedy: 'This is a bug in Durant; please report it.',
    cause,
  });
}

/** Turns whatever was thrown into a DurantError; an abort becomes `cancelled`, the unforeseen `internal`. */
export function asDurantError(error: unknown): DurantError {
  if (error instanceof DurantError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new DurantError('cancelled', 'Cancelled.', { cause: error });
  return bug(`Unexpected failure: ${reasonOf(error)}.`, error);
}

/** Throws `cancelled` when the signal has been aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}
