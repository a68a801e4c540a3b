/** What a new release needs that the live one has not: pure comparison of two manifests. */
import type { Manifest } from './manifest.ts';
import type { Tree, TreeEntry } from './scan.ts';

export interface Change {
  /** Latin1 path bytes; see `displayPath`. */
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'deleted';
  /** Size of the new file, of the old one where it was deleted. */
  readonly bytes: number;
}

export interface Plan {
  /** Files and links that differ from the live manifest, sorted; for events and the dry run. */
  readonly changes: readonly Change[];
  readonly added: number;
  readonly changed: number;
  readonly deleted: number;
  /** Files and links that come from the live release. */
  readonly unchanged: number;
  /** What the stream carries, in the manifest's order: added and changed entries, folders included, and what later steps touched. */
  readonly send: readonly TreeEntry[];
  /** Files and links in `send`. */
  readonly sendFiles: number;
  /** Bytes of content in `send`. */
  readonly sendBytes: number;
  /** Paths of the live tree to remove before the stream is extracted: changed, deleted, touched. */
  readonly remove: readonly string[];
}

export interface PlanRequest {
  /** Manifest of the live release; undefined: everything is sent. */
  readonly live: Manifest | undefined;
  /** Paths of the live release that must be sent whatever the manifests say: `facts.touched`. */
  readonly touched: readonly string[];
  readonly tree: Tree;
}

export declare function planTransfer(request: PlanRequest): Plan;
