/** What a deploy straight into a folder does to it: pure comparison of the tree with what stands there. */
import type { Comparison, Found } from './compareFolder.ts';
import type { Change, Plan } from '../tree/plan.ts';
import type { Tree, TreeEntry } from '../tree/scan.ts';

export interface InplacePlan extends Plan {
  readonly kind: 'inplace';
  /** No earlier deploy put anything into the folder. */
  readonly isFirst: boolean;
  /** Folders of the tree that are missing, parents first. */
  readonly folders: readonly string[];
  /** What stands in the way of a folder of the tree, or in a folder that a file of the tree replaces: removed first. */
  readonly clear: readonly string[];
  /** Folders that a file or a link of the tree replaces: removed, empty by then, after `clear`. */
  readonly obstacles: readonly string[];
  /** Files of earlier deploys that go when all is in place. */
  readonly deletions: readonly string[];
  /** Folders of earlier deploys that go then if they are empty, children first. */
  readonly emptied: readonly string[];
  /** Files that are newer on the server and stay (`overwrite_newer: no`). */
  readonly newer: readonly string[];
  /** What the plan replaces, brings back or deletes although somebody has changed it on the server since the last deploy. */
  readonly drifted: readonly Change[];
  /** Folders of the tree that are links to a folder inside project_dir. */
  readonly linkedInside: readonly string[];
  /** Folders of the tree that are links out of project_dir: nothing may be written through them. */
  readonly linkedOutside: readonly string[];
  /** Folders that a file of the tree would have to replace, with something in them that is not Durant's. */
  readonly occupied: readonly string[];
}

export interface InplacePlanRequest {
  readonly tree: Tree;
  readonly comparison: Comparison;
  /** Options `delete` and `overwrite_newer`. */
  readonly deletes: 'nothing' | 'own files';
  readonly newerFiles: 'overwrite' | 'keep';
}

/** Plans; whether it may be carried out is for the caller to judge (`linkedOutside`, `occupied`). */
export function planInplace(request: InplacePlanRequest): InplacePlan {
  const { tree, comparison } = request;
  const { absent, different } = comparison;
  const gone = request.deletes === 'own files' ? comparison.owned : [];
  const deletions = gone.filter(({ type }) => type !== 'dir');
  const deleted = new Set(deletions.map(({ path }) => path));
  const changes: Change[] = deletions.map(({ path, size }) => ({ path, kind: 'deleted', bytes: size }));
  const files: TreeEntry[] = [];
  const folders: TreeEntry[] = [];
  const clear: string[] = [];
  const obstacles: string[] = [];
  const newer: string[] = [];
  let unchanged = 0;
  for (const entry of tree.entries) {
    const found = different.get(entry.path);
    if (found === undefined && !absent.has(entry.path)) {
      if (entry.type !== 'dir') unchanged += 1;
      continue;
    }
    if (entry.type === 'dir') {
      folders.push(entry);
      if (found !== undefined) clear.push(entry.path);
      continue;
    }
    if (found !== undefined && request.newerFiles === 'keep' && isNewer(found, entry)) {
      newer.push(entry.path);
      continue;
    }
    if (found?.type === 'dir') obstacles.push(entry.path);
    files.push(entry);
    changes.push({
      path: entry.path,
      kind: found === undefined || found.type === 'dir' ? 'added' : 'changed',
      bytes: entry.size,
    });
  }
  const occupied = obstacles.filter((path) =>
    comparison.under.some(
      (found) => found.type !== 'dir' && found.path.startsWith(`${path}/`) && !deleted.has(found.path),
    ),
  );
  const replaced = (path: string): boolean => obstacles.some((folder) => path.startsWith(`${folder}/`));
  return {
    kind: 'inplace',
    isFirst: comparison.isFirst,
    changes: changes.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path))),
    added: count(changes, 'added'),
    changed: count(changes, 'changed'),
    deleted: count(changes, 'deleted'),
    unchanged,
    send: withFolders(tree, files),
    sendFiles: files.length,
    sendBytes: files.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0),
    remove: [],
    folders: folders.map(({ path }) => path),
    clear: [...clear, ...[...deleted].filter(replaced)],
    obstacles,
    deletions: [...deleted].filter((path) => !replaced(path)),
    emptied: gone
      .flatMap(({ path, type }) => (type === 'dir' && !replaced(path) ? [path] : []))
      .sort()
      .reverse(),
    newer,
    drifted: changes.filter(({ path }) => comparison.drifted.has(path)),
    linkedInside: [...comparison.linkedInside],
    linkedOutside: comparison.linkedOutside,
    occupied,
  };
}

/** As `rsync -u`: only of two regular files is the time asked for, and whole seconds count. */
function isNewer(found: Found, entry: TreeEntry): boolean {
  return (
    found.type === 'file' &&
    entry.type === 'file' &&
    found.mtimeMs !== undefined &&
    found.mtimeMs > Math.floor(entry.mtimeMs / 1000) * 1000
  );
}

/** The files with all folders above them, in the tree's order, so that what arrives can be checked whole. */
function withFolders(tree: Tree, files: readonly TreeEntry[]): TreeEntry[] {
  const wanted = new Set<string>();
  for (const { path } of files)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      wanted.add(path.slice(0, at));
  const sent = new Set(files);
  return tree.entries.filter((entry) => sent.has(entry) || (entry.type === 'dir' && wanted.has(entry.path)));
}

function count(changes: readonly Change[], kind: Change['kind']): number {
  return changes.filter((change) => change.kind === kind).length;
}
