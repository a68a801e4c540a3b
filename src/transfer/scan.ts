/** Reads the tree that is sent from the work tree: what it holds, with the modes and times that engine.md gives it. */
import type { Manifest, ManifestEntry } from './manifest.ts';

export interface TreeEntry extends ManifestEntry {
  /** Milliseconds since the epoch: the commit's for tracked files, its own for others. */
  readonly mtimeMs: number;
  /** Target bytes of a link as a latin1 string; empty for the rest. */
  readonly target: string;
}

/** A tracked file of the commit, submodules' included (git/port.ts has more of it). */
export interface TrackedPath {
  /** Path bytes as a latin1 string, relative to the work tree. */
  readonly path: string;
  readonly mode: '100644' | '100755' | '120000';
}

export interface ScanRequest {
  /** The work tree. */
  readonly workTree: string;
  /** `sub_directory`, relative to it; undefined: the whole tree. */
  readonly subDirectory: string | undefined;
  readonly tracked: readonly TrackedPath[];
  /** Committer date in ms: the mtime of tracked files. */
  readonly commitTimeMs: number;
  /** See `createExcluder`. */
  readonly exclude: (path: string, isDirectory: boolean) => boolean;
  /** Files in the tree's root that the target writes itself, so that the tree's own are left out with a warning; default `REVISION`. */
  readonly reserved?: readonly string[];
  /** Where hashes are kept between runs; undefined: nowhere. */
  readonly cacheFile: string | undefined;
  readonly signal: AbortSignal;
}

export interface ScanWarning {
  readonly code: string;
  readonly message: string;
}

export interface Tree {
  /** Absolute folder that the paths are relative to. */
  readonly root: string;
  /** In the manifest's order. */
  readonly entries: readonly TreeEntry[];
  readonly manifest: Manifest;
  readonly warnings: readonly ScanWarning[];
}

/**
 * Reads the tree that is sent.
 * @throws {DurantError} `config-invalid` where `sub_directory` is no folder of the tree, `cancelled`.
 */
export declare function scanTree(request: ScanRequest): Promise<Tree>;
