/** Reads the tree that is sent from the work tree: what it holds, with the modes and times that engine.md gives it. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, type Dirent } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { DurantError, throwIfCancelled } from '../../errors.ts';
import type { Excluder } from './exclude.ts';
import { platform as thisSystem, type Platform } from '../../platform.ts';
import { openHashCache, type HashCache } from './hashCache.ts';
import { commitNames } from './names.ts';
import { createManifest, displayPath, sortEntries, type Manifest, type ManifestEntry } from './manifest.ts';

export interface TreeEntry extends ManifestEntry {
  /** Milliseconds since the epoch: the commit's for tracked files, its own for others. */
  readonly mtimeMs: number;
  /** Target bytes of a link as a latin1 string; empty for the rest. */
  readonly target: string;
}

/** A tracked file of the commit, submodules' included (git/port.ts has more of it). */
export type TrackedPath = {
  /** Path bytes as a latin1 string, relative to the work tree. */
  readonly path: string;
} & (
  | { readonly mode: '100644' | '100755' }
  // The id of the blob that holds the link's target.
  | { readonly mode: '120000'; readonly blob: string }
);

export interface ScanRequest {
  /** The work tree. */
  readonly workTree: string;
  /** `sub_directory`, relative to it; undefined: the whole tree. */
  readonly subDirectory: string | undefined;
  readonly tracked: readonly TrackedPath[];
  /** Committer date in ms: the mtime of tracked files. */
  readonly commitTimeMs: number;
  /** See `createExcluder`. */
  readonly exclude: Excluder;
  /** Names in the tree's root that the target writes itself, so that the tree's own are left out with a warning; default `REVISION`. */
  readonly reserved?: readonly string[];
  /** Where hashes are kept between runs; undefined: nowhere. */
  readonly cacheFile: string | undefined;
  readonly signal: AbortSignal;
  /** How the work tree's system has names and modes; default: as this one. */
  readonly system?: Pick<Platform, 'ignoresCase' | 'recomposesNames' | 'hasModes'>;
}

export interface ScanWarning {
  readonly code: 'not-sent';
  readonly message: string;
}

export interface Tree {
  /** Absolute folder that the paths are relative to. */
  readonly root: string;
  /** In the manifest's order. */
  readonly entries: readonly TreeEntry[];
  readonly manifest: Manifest;
  readonly warnings: readonly ScanWarning[];
  /** Files and links, and the bytes of all. */
  readonly totals: { readonly files: number; readonly bytes: number };
}

/** Longest time in ms that a scan keeps the event loop to itself. */
const slice = 20;
/** Files above this many bytes are hashed piece by piece. */
const wholeFile = 1024 * 1024;

/**
 * Reads the tree that is sent.
 * @throws {DurantError} `config-invalid` where `sub_directory` is not a folder of the work tree, `checkout-failed` where a file cannot be
 * read, `cancelled`.
 */
export async function scanTree(request: ScanRequest): Promise<Tree> {
  const root = await resolveRoot(request.workTree, request.subDirectory);
  const cache = await openHashCache(request.cacheFile);
  const system = request.system ?? thisSystem;
  const tracked = trackedPaths(request);
  const scan: Scan = {
    request,
    root: `${latin1(root)}/`,
    tracked,
    hasModes: system.hasModes,
    nameOf: commitNames(tracked.keys(), system),
    renamed: new Map(),
    reserved: new Set(request.reserved ?? ['REVISION']),
    cache,
    entries: [],
    warnings: [],
  };
  try {
    await walk(scan);
  } catch (error) {
    throw describeReadFailure(error);
  }
  await cache.save();
  const entries = sortEntries(scan.entries);
  return {
    root,
    entries,
    manifest: createManifest(entries),
    warnings: scan.warnings,
    totals: totalsOf(entries),
  };
}

/** What is told of a tree as a whole. */
export function totalsOf(entries: readonly ManifestEntry[]): Tree['totals'] {
  return {
    files: entries.filter((entry) => entry.type !== 'dir').length,
    bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
  };
}

interface Scan {
  readonly request: ScanRequest;
  /** Latin1, with a final slash. */
  readonly root: string;
  readonly tracked: ReadonlyMap<string, TrackedPath>;
  readonly hasModes: boolean;
  /** The commit's name for a path of the disk. */
  readonly nameOf: (path: string) => string;
  /** The disk's path of those that it has otherwise. */
  readonly renamed: Map<string, string>;
  readonly reserved: ReadonlySet<string>;
  readonly cache: HashCache;
  readonly entries: TreeEntry[];
  readonly warnings: ScanWarning[];
}

async function resolveRoot(workTree: string, subDirectory: string | undefined): Promise<string> {
  const base = await realpath(workTree);
  if (subDirectory === undefined) return base;
  const root = await realpath(join(base, subDirectory)).catch(() => undefined);
  const isInside =
    root !== undefined && (root === base || root.startsWith(base.endsWith(sep) ? base : base + sep));
  if (!isInside || !lstatSync(root).isDirectory())
    throw new DurantError(
      'config-invalid',
      `The commit (with what before_deploy built) has no folder “${subDirectory}”.`,
      { remedy: 'Correct sub_directory in durant.conf.' },
    );
  return root;
}

function trackedPaths(request: ScanRequest): Map<string, TrackedPath> {
  const paths = new Map<string, TrackedPath>();
  const sub = (request.subDirectory ?? '')
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const prefix = sub.length === 0 ? '' : `${latin1(sub.join('/'))}/`;
  for (const each of request.tracked)
    if (each.path.startsWith(prefix)) paths.set(each.path.slice(prefix.length), each);
  return paths;
}

async function walk(scan: Scan): Promise<void> {
  const folders = [''];
  let began = performance.now();
  const large: { readonly path: string; readonly stat: Stats }[] = [];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const dirent of list(scan, folder)) {
      if (performance.now() - began > slice) {
        await yieldToOthers();
        throwIfCancelled(scan.request.signal);
        began = performance.now();
      }
      const onDisk = `${folder}${dirent.name}`;
      const path = scan.nameOf(onDisk);
      if (path !== onDisk) scan.renamed.set(path, onDisk);
      if (scan.request.exclude(path, dirent.isDirectory())) continue;
      if (scan.reserved.has(path)) {
        warn(scan, path, 'Durant writes its own file of this name there; rename it in the project');
      } else if (dirent.isDirectory()) {
        folders.push(`${onDisk}/`);
        scan.entries.push({
          path,
          type: 'dir',
          mode: 0o755,
          size: 0,
          hash: '-',
          mtimeMs: scan.request.commitTimeMs,
          target: '',
        });
      } else if (dirent.isSymbolicLink()) {
        scan.entries.push(linkEntry(scan, path, readlinkSync(bytes(scan, path), 'latin1')));
      } else if (dirent.isFile()) {
        const stat = lstatSync(bytes(scan, path));
        if (stat.size > wholeFile) large.push({ path, stat });
        else scan.entries.push(linkAsFile(scan, path) ?? smallEntry(scan, path, stat));
      } else {
        warn(scan, path, 'it is a socket, pipe or device; leave it out with exclude');
      }
    }
  }
  for (const { path, stat } of large) scan.entries.push(await largeEntry(scan, path, stat));
}

/** A folder's entries with their names as latin1 strings, in the order that costs least. */
function list(scan: Scan, folder: string): Dirent[] {
  // 'latin1' makes names byte strings without a Buffer each.
  return readdirSync(Buffer.from(scan.root + folder, 'latin1'), { withFileTypes: true, encoding: 'latin1' });
}

function warn(scan: Scan, path: string, reason: string): void {
  scan.warnings.push({ code: 'not-sent', message: `“${displayPath(path).path}” is not sent: ${reason}.` });
}

/**
 * Without `core.symlinks`, as on Windows, git checks a link out as a file that holds its target. What a build has put in its place is
 * no link.
 */
function linkAsFile(scan: Scan, path: string): TreeEntry | undefined {
  const tracked = scan.tracked.get(path);
  if (tracked?.mode !== '120000') return undefined;
  const content = readFileSync(bytes(scan, path));
  const id = createHash(tracked.blob.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${String(content.length)}\0`)
    .update(content)
    .digest('hex');
  return id === tracked.blob ? linkEntry(scan, path, content.toString('latin1')) : undefined;
}

function linkEntry(scan: Scan, path: string, target: string): TreeEntry {
  return {
    path,
    type: 'link',
    mode: 0o777,
    size: target.length,
    hash: createHash('sha256').update(target, 'latin1').digest('hex'),
    mtimeMs: mtime(scan, path, undefined),
    target,
  };
}

function smallEntry(scan: Scan, path: string, stat: Stats): TreeEntry {
  const known = scan.cache.get(path, stat);
  if (known !== undefined) return fileEntry(scan, path, stat, known);
  const content = readFileSync(bytes(scan, path));
  const hash = createHash('sha256').update(content).digest('hex');
  // Not cached where it grew or shrank meanwhile; sending it finds that out.
  if (content.length === stat.size) scan.cache.set(path, stat, hash);
  return fileEntry(scan, path, stat, hash);
}

async function largeEntry(scan: Scan, path: string, stat: Stats): Promise<TreeEntry> {
  const known = scan.cache.get(path, stat);
  if (known !== undefined) return fileEntry(scan, path, stat, known);
  const hash = createHash('sha256');
  const file = await open(bytes(scan, path));
  try {
    const buffer = Buffer.allocUnsafe(wholeFile);
    for (;;) {
      throwIfCancelled(scan.request.signal);
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
  const digest = hash.digest('hex');
  scan.cache.set(path, stat, digest);
  return fileEntry(scan, path, stat, digest);
}

function fileEntry(scan: Scan, path: string, stat: Stats, hash: string): TreeEntry {
  return {
    path,
    type: 'file',
    mode: fileMode(scan, path, stat),
    size: stat.size,
    hash,
    mtimeMs: mtime(scan, path, stat),
    target: '',
  };
}

/** Git's mode for tracked files; build output keeps its own, never with setuid, setgid or sticky. */
function fileMode(scan: Scan, path: string, stat: Stats): number {
  const tracked = scan.tracked.get(path)?.mode;
  if (tracked === '100755') return 0o755;
  if (tracked === '100644') return 0o644;
  // Where there are no modes, what is told would let everybody write.
  return scan.hasModes ? stat.mode & 0o777 : 0o644;
}

function mtime(scan: Scan, path: string, stat: Stats | undefined): number {
  if (scan.tracked.has(path)) return scan.request.commitTimeMs;
  const own = stat ?? lstatSync(bytes(scan, path));
  return Math.floor(own.mtimeMs);
}

function bytes(scan: Scan, path: string): Buffer {
  return Buffer.from(scan.root + (scan.renamed.get(path) ?? path), 'latin1');
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function describeReadFailure(error: unknown): unknown {
  if (error instanceof DurantError || !(error instanceof Error) || !('code' in error)) return error;
  return new DurantError('checkout-failed', `The tree cannot be read: ${error.message}.`, {
    remedy: 'Check what before_deploy leaves in the clone and its permissions.',
    cause: error,
  });
}
