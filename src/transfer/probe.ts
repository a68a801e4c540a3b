/** What the transfer asks a server before it plans: tools, the live release's manifest, what was touched, the spare. */

export interface TransferFacts {
  /** undefined: none of them is there, and nothing can be sent. */
  readonly hashTool: 'sha256sum' | 'shasum' | 'sha256' | 'openssl' | undefined;
  readonly zstd: boolean;
  readonly gzip: boolean;
  /** sha256 of `.durant/manifests/$live`; undefined where there is none. */
  readonly manifestDigest: string | undefined;
  /** Latin1 paths of the live release that later steps changed. */
  readonly touched: readonly string[];
  /** A spare of the live release that is complete. */
  readonly spare: SpareFacts | undefined;
}

export interface SpareFacts {
  readonly run: string;
  /** Paths that had drifted when the spare was made, so it lacks them: they are sent. */
  readonly missing: readonly string[];
}

/**
 * sh text for a `prepare` script, run in `project_dir` with `$live` = name of the live release or empty. Prints lines
 * `transfer.KEY=VALUE`.
 */
export declare function transferProbe(): string;
/** Reads the probe's lines out of a script's standard output (other lines are ignored). */
export declare function parseTransferProbe(stdout: Buffer): TransferFacts;
