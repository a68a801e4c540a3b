/** What a new release needs that the live one has not: pure comparison of two manifests. */
import type { Manifest, ManifestEntry } from './manifest.ts';
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
  /** Files and links that are as in the live manifest. */
  readonly unchanged: number;
  /** What the stream carries, in the manifest's order: added and changed entries, folders included, and what was touched. */
  readonly send: readonly TreeEntry[];
  /** Files and links in `send`. */
  readonly sendFiles: number;
  /** Bytes of content in `send`. */
  readonly sendBytes: number;
  /** Paths of the live tree to remove before the stream is extracted: deleted ones, and changed and touched files and links. */
  readonly remove: readonly string[];
}

export interface PlanRequest {
  /** Manifest of the live release; undefined: everything is sent. */
  readonly live: Manifest | undefined;
  /** Paths of the live release that are sent whatever the manifests say (`resendPaths`). */
  readonly touched: readonly string[];
  readonly tree: Pick<Tree, 'entries'>;
}

/** Compares the tree with the live release's manifest. A change of mode or type only is a change; mtimes do not count. */
export function planTransfer(request: PlanRequest): Plan {
  const old = new Map((request.live?.entries ?? []).map((entry) => [entry.path, entry]));
  const touched = new Set(request.touched);
  const changes: Change[] = [];
  const send: TreeEntry[] = [];
  const remove: string[] = [];
  let unchanged = 0;
  for (const entry of request.tree.entries) {
    const before = old.get(entry.path);
    old.delete(entry.path);
    const kind = compare(before, entry);
    const isResent = before !== undefined && touched.has(entry.path);
    if (kind === 'same' && entry.type !== 'dir') unchanged += 1;
    if (kind === 'same' && !isResent) continue;
    send.push(entry);
    if (before !== undefined && !(before.type === 'dir' && entry.type === 'dir')) remove.push(entry.path);
    if (kind !== 'same' && entry.type !== 'dir') changes.push({ path: entry.path, kind, bytes: entry.size });
    if (kind === 'changed' && entry.type === 'dir' && before !== undefined) changes.push(deletion(before));
  }
  for (const before of old.values()) {
    remove.push(before.path);
    if (before.type !== 'dir') changes.push(deletion(before));
  }
  const files = send.filter((entry) => entry.type !== 'dir');
  return {
    changes: changes.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path))),
    added: count(changes, 'added'),
    changed: count(changes, 'changed'),
    deleted: count(changes, 'deleted'),
    unchanged,
    send,
    sendFiles: files.length,
    sendBytes: files.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0),
    remove,
  };
}

/** A folder that became a file is that file added (its content is deleted path by path). */
function compare(before: ManifestEntry | undefined, entry: ManifestEntry): 'added' | 'changed' | 'same' {
  if (before === undefined) return 'added';
  if (before.type === 'dir' && entry.type !== 'dir') return 'added';
  const isSame = before.type === entry.type && before.mode === entry.mode && before.hash === entry.hash;
  return isSame ? 'same' : 'changed';
}

function deletion(before: ManifestEntry): Change {
  return { path: before.path, kind: 'deleted', bytes: before.size };
}

function count(changes: readonly Change[], kind: Change['kind']): number {
  return changes.filter((change) => change.kind === kind).length;
}
