/** The comparison of a tree with a folder that people may have changed: by content, and only at the paths of the tree and of earlier trees. */
import { gzipSync, gunzipSync } from 'node:zlib';
import { DurantError } from '../../errors.ts';
import { scratchFolder } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Connection } from '../../remote/target.ts';
import { serializeManifest, unescapePath, type EntryType, type Manifest } from '../tree/manifest.ts';
import { lookFunction } from './lookFunction.ts';
import {
  hashFunctions,
  pathFunctions,
  prologue,
  scanFunction,
  type HashTool,
} from '../stream/serverFunctions.ts';

export interface CompareRequest {
  readonly connection: Connection;
  readonly projectDir: string;
  readonly manifest: Manifest;
  readonly hashTool: HashTool;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** What stands at a path of the server where it is not what the tree has there. */
export interface Found {
  /** Latin1 path. */
  readonly path: string;
  readonly type: EntryType | 'other';
  readonly size: number;
  /** Milliseconds since the epoch; undefined where the server's tools do not tell. */
  readonly mtimeMs: number | undefined;
}

export interface Comparison {
  /** Paths of the tree that the folder lacks. */
  readonly absent: ReadonlySet<string>;
  /** Paths of the tree where something else stands. */
  readonly different: ReadonlyMap<string, Found>;
  /** Folders of the tree that are links on the server: to a folder inside project_dir, or out of it. */
  readonly linkedInside: ReadonlySet<string>;
  readonly linkedOutside: readonly string[];
  /** What is in folders that stand where the tree has a file or a link. */
  readonly under: readonly Found[];
  /** What earlier deploys put there and the tree lacks; folders are there to be removed when they are empty. */
  readonly owned: readonly Found[];
  /** Paths of `absent`, `different` and `owned` where the last deploy had left something else. */
  readonly drifted: ReadonlySet<string>;
  /** Whether an earlier deploy put anything there at all. */
  readonly isFirst: boolean;
}

/** A folder that is not there yet. */
export function emptyComparison(manifest: Manifest): Comparison {
  return {
    absent: new Set(manifest.entries.map((entry) => entry.path)),
    different: new Map(),
    linkedInside: new Set(),
    linkedOutside: [],
    under: [],
    owned: [],
    drifted: new Set(),
    isFirst: true,
  };
}

/**
 * Compares in one round trip. Changes nothing but a temporary folder of its own, which it removes.
 * @throws {DurantError} `remote-command-failed`, and those of `Connection.exec`.
 */
export async function compareInplace(request: CompareRequest): Promise<Comparison> {
  const { connection, manifest, signal, timeoutMs } = request;
  const result = await connection.exec({
    script: compareScript(request.projectDir, request.hashTool),
    input: gzipSync(serializeManifest(manifest), { level: 1 }),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const lines = result.status === 0 ? unpack(result.stdout) : [];
  const entry = connection.address.entry;
  if (lines.pop() !== 'end')
    throw new DurantError(
      'remote-command-failed',
      `project_dir on ${entry} could not be compared with the commit.`,
      {
        remedy: 'Fix the cause there, then deploy again.',
        server: entry,
        output: result.stderr.toString('utf8').trim(),
      },
    );
  return parseComparison(lines);
}

function unpack(packed: Buffer): string[] {
  try {
    return gunzipSync(packed).toString('latin1').trimEnd().split('\n');
  } catch {
    return [];
  }
}

const types: ReadonlyMap<string, Found['type']> = new Map([
  ['f', 'file'],
  ['l', 'link'],
  ['d', 'dir'],
]);

/** Lines `WHAT TYPE SIZE MTIME PATH`. */
export function parseComparison(lines: readonly string[]): Comparison {
  const absent = new Set<string>();
  const different = new Map<string, Found>();
  const linkedInside = new Set<string>();
  const linkedOutside: string[] = [];
  const under: Found[] = [];
  const owned: Found[] = [];
  const drifted = new Set<string>();
  let isFirst = true;
  for (const line of lines) {
    const match = /^(\S+) (\S+) (\S+) (\S+) (.*)$/s.exec(line);
    if (match === null) continue;
    const [, what = '', type = '', size = '', mtime = '', escaped = ''] = match;
    const path = unescapePath(escaped);
    const found: Found = {
      path,
      type: types.get(type) ?? 'other',
      size: Number(size) || 0,
      mtimeMs: /^\d+/.test(mtime) ? Number(mtime) * 1000 : undefined,
    };
    if (what === 'absent') absent.add(path);
    else if (what === 'different') different.set(path, found);
    else if (what === 'inside') linkedInside.add(path);
    else if (what === 'outside') linkedOutside.push(path);
    else if (what === 'under') under.push(found);
    else if (what === 'owned') owned.push(found);
    else if (what === 'drift') drifted.add(path);
    else if (what === 'known') isFirst = false;
  }
  return { absent, different, linkedInside, linkedOutside, under, owned, drifted, isFirst };
}

/** Defines `ownership`. */
export const ownershipFunction = shellFile(import.meta.url, './ownership.sh');
const compare = shellFile(import.meta.url, './compareFolder.sh');

export function compareScript(projectDir: string, hashTool: HashTool): string {
  return [
    prologue(projectDir, hashTool),
    pathFunctions,
    scanFunction,
    hashFunctions,
    lookFunction('mtime'),
    ownershipFunction,
    `${scratchFolder('W')} || exit 1; export W`,
    compare,
  ].join('\n');
}
