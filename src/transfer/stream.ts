/** The built-in transfer: what a new release needs is sent in one compressed tar stream through the open connection, and checked. */
import type { Connection } from '../remote/target.ts';
import type { Manifest } from './manifest.ts';
import type { Plan } from './plan.ts';
import type { TransferFacts } from './probe.ts';
import type { Tree } from './scan.ts';

export interface UpdateRequest {
  readonly connection: Connection;
  /** `project_dir`; `~/…` stands for the login user's home. */
  readonly projectDir: string;
  readonly run: string;
  /** Name of the new release; its folder may exist (what hooks put into it is kept, the tree wins). */
  readonly release: string;
  /** Commit id, for `REVISION`. */
  readonly commit: string;
  /** Name of the live release; undefined: none, or one without a manifest. */
  readonly live: string | undefined;
  readonly liveManifest: Manifest | undefined;
  readonly tree: Tree;
  readonly plan: Plan;
  readonly unchanged: 'copy' | 'link';
  /** What `parseTransferProbe` read. */
  readonly facts: TransferFacts;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** Called as the stream is consumed: files begun and bytes of file content so far. */
  readonly onProgress?: (progress: { readonly files: number; readonly bytes: number }) => void;
}

export interface UpdateResult {
  /** Files and links sent. */
  readonly files: number;
  /** Bytes of their content. */
  readonly bytes: number;
  /** Bytes that travelled, compressed. */
  readonly wireBytes: number;
  readonly usedSpare: boolean;
  /** Latin1 paths of the live release that neither its manifest nor its `.touched` explains; sent anew, never carried on. */
  readonly drift: readonly string[];
}

/**
 * Makes `releases/<release>` hold exactly the tree, with `REVISION`, and writes `.durant/manifests/<release>`.
 * @throws {DurantError} `disk-full`, `verification-failed`, `tool-missing`, `remote-command-failed`, and those of `Connection.exec`.
 */
export declare function updateCode(request: UpdateRequest): Promise<UpdateResult>;

/** sh text that removes what a failed `updateCode` of this run left: the release's folder and everything of the run in `.durant`. */
export declare function cleanupScript(projectDir: string, run: string, release: string): string;
