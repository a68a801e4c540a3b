/**
 * Copies of what `before_deploy` made in a dry run, for whoever wants to look at it after the scratch work tree has gone. Build output may
 * hold secrets: the folder is its owner's to remove, and nobody else's to read.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, realpath, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { throwIfCancelled } from '../../errors.ts';
import type { TrackedFile } from '../../git/port.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import type { Tree, TreeEntry } from '../../transfer/tree/scan.ts';
import { BUILT_INDEX, type BuiltCopy, type BuiltIndex } from './buildOutput.ts';

export interface CopiesRequest {
  /** An empty folder, 0700. */
  readonly folder: string;
  readonly workTree: string;
  readonly tree: Tree;
  /** Tracked files of the commit, relative to `workTree`. */
  readonly tracked: readonly TrackedFile[];
  /** Of the tree: those that would be added or changed on a server, as latin1 path bytes. */
  readonly paths: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** More than the editor opens at once is of no use. */
const mostCopies = 200;
/** Bytes */
const largestCopy = 1_000_000;

/** Copies what is text, and lists the rest; whatever fails there only leaves less to look at. @throws {DurantError} `cancelled`. */
export async function keepBuilt(request: CopiesRequest): Promise<void> {
  try {
    await copyAll(request);
  } catch {
    throwIfCancelled(request.signal);
  }
}

async function copyAll(request: CopiesRequest): Promise<void> {
  const committed = await committedBlobs(request);
  const files: BuiltCopy[] = [];
  let copies = 0;
  for (const entry of request.tree.entries) {
    if (entry.type === 'dir' || !request.paths.has(entry.path)) continue;
    throwIfCancelled(request.signal);
    const blob = committed.get(entry.path);
    if (blob !== undefined && (await isCommitted(request.tree, entry, blob))) continue;
    const content = copies < mostCopies ? textOf(request.tree, entry) : undefined;
    const copy = content === undefined ? null : String(copies);
    if (copy !== null && content !== undefined) {
      await write(request, copy, content);
      copies += 1;
    }
    files.push({ path: displayPath(entry.path).path, copy });
  }
  const index: BuiltIndex = { files };
  await write(request, BUILT_INDEX, Buffer.from(JSON.stringify(index)));
}

async function write({ folder, signal }: CopiesRequest, name: string, content: Buffer): Promise<void> {
  await writeFile(join(folder, name), content, { mode: 0o600, flag: 'wx', signal });
}

/** Blob ids by path, relative to the tree that is sent. */
async function committedBlobs({ workTree, tree, tracked }: CopiesRequest): Promise<Map<string, string>> {
  const within = relative(await realpath(workTree), tree.root);
  const prefix = within === '' ? '' : Buffer.from(`${within.split(sep).join('/')}/`).toString('latin1');
  return new Map(
    tracked.flatMap(({ path, blob }) => (path.startsWith(prefix) ? [[path.slice(prefix.length), blob]] : [])),
  );
}

/** Whether the bytes are the commit's; line ends that a checkout made do not count. */
async function isCommitted(tree: Tree, entry: TreeEntry, blob: string): Promise<boolean> {
  const algorithm = blob.length === 64 ? 'sha256' : 'sha1';
  if (entry.type === 'file' && entry.size > largestCopy)
    return (await hashLarge(tree, entry, algorithm)) === blob;
  const content = contentOf(tree, entry);
  return [content, withoutReturns(content)].some((bytes) => {
    const hash = createHash(algorithm).update(`blob ${String(bytes.length)}\0`);
    return hash.update(bytes).digest('hex') === blob;
  });
}

async function hashLarge(tree: Tree, entry: TreeEntry, algorithm: string): Promise<string> {
  const hash = createHash(algorithm).update(`blob ${String(entry.size)}\0`);
  const file = await open(pathOf(tree, entry));
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

function withoutReturns(content: Buffer): Buffer {
  return content.includes('\r\n')
    ? Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : content;
}

function textOf(tree: Tree, entry: TreeEntry): Buffer | undefined {
  if (entry.size > largestCopy) return undefined;
  const content = contentOf(tree, entry);
  // As git tells text from the rest.
  return content.subarray(0, 8000).includes(0) ? undefined : content;
}

function contentOf(tree: Tree, entry: TreeEntry): Buffer {
  return entry.type === 'link' ? Buffer.from(entry.target, 'latin1') : readFileSync(pathOf(tree, entry));
}

function pathOf({ root }: Tree, { path }: TreeEntry): Buffer {
  return Buffer.concat([Buffer.from(join(root, sep)), Buffer.from(path, 'latin1')]);
}
