/**
 * The manifest of a release: one line per file, link and folder, sorted, in a text form that POSIX awk, sort and sh can build and
 * read on the server. Two trees are the same exactly when the digests of their manifests are.
 *
 * Line: `TYPE MODE SIZE HASH PATH`, TYPE `f` `l` `d`, MODE octal without leading zeros (links always 777), SIZE in bytes (links: of the
 * target; folders 0), HASH sha256 of the content in hex (links: of the target; folders `-`), PATH relative, with `\` written `\\`, a
 * newline `\n` and a carriage return `\r` (which tools escape on their own in their output), all other bytes as they are. Sorted by the bytes of the escaped path. A tree's root is not listed.
 */
import { createHash } from 'node:crypto';

export type EntryType = 'file' | 'link' | 'dir';

export interface ManifestEntry {
  /** Path bytes as a latin1 string, `/` separated, relative to the root of the tree. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits; 0o777 for links, 0o755 for folders. */
  readonly mode: number;
  /** Bytes; of the target for links, 0 for folders. */
  readonly size: number;
  /** sha256 in hex; of the target for links, `-` for folders. */
  readonly hash: string;
}

export interface Manifest {
  /** Sorted by the bytes of the escaped path. */
  readonly entries: readonly ManifestEntry[];
  /** sha256 of the serialised text, in hex. */
  readonly digest: string;
}

const letters = { file: 'f', link: 'l', dir: 'd' } as const;
const typesByLetter: ReadonlyMap<string, EntryType> = new Map([
  ['f', 'file'],
  ['l', 'link'],
  ['d', 'dir'],
]);

/** Writes a path on one line: `\` as `\\`, newline as `\n`, carriage return as `\r`. `printf %b` reads it back, as no other backslash remains. */
export function escapePath(path: string): string {
  if (!/[\\\n\r]/.test(path)) return path;
  return path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

const unescaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

/** The inverse of `escapePath`. */
export function unescapePath(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\\nr])/g, (_, letter: string) => unescaped[letter] ?? letter);
}

/** Entries in the manifest's order: by the bytes of the escaped path. */
export function sortEntries<Entry extends ManifestEntry>(entries: readonly Entry[]): Entry[] {
  const keyed = entries.map((entry) => ({ key: escapePath(entry.path), entry }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  return keyed.map(({ entry }) => entry);
}

/** A manifest of these entries, which need not be sorted. */
export function createManifest(entries: readonly ManifestEntry[]): Manifest {
  const sorted = sortEntries(entries);
  return { entries: sorted, digest: digestLines(sorted) };
}

/** One line of the text form, without its newline; latin1. */
export function manifestLine(entry: ManifestEntry): string {
  return `${letters[entry.type]} ${entry.mode.toString(8)} ${entry.size.toString()} ${entry.hash} ${escapePath(entry.path)}`;
}

/** The text form. */
export function serializeManifest(manifest: Manifest): Buffer {
  return Buffer.from(manifest.entries.map((entry) => `${manifestLine(entry)}\n`).join(''), 'latin1');
}

/** Reads the text form; undefined where a line is not one of a manifest (a file that was cut short, or is no manifest). */
export function parseManifest(text: Buffer): Manifest | undefined {
  const lines = text.toString('latin1').split('\n');
  if (lines.pop() !== '') return undefined;
  const entries: ManifestEntry[] = [];
  for (const line of lines) {
    const entry = parseLine(line);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return { entries, digest: createHash('sha256').update(text).digest('hex') };
}

function parseLine(line: string): ManifestEntry | undefined {
  const match = /^([fld]) ([0-7]{1,5}) (\d+) (-|[0-9a-f]{64}) (.+)$/s.exec(line);
  if (match === null) return undefined;
  const [, letter = '', mode = '', size = '', hash = '', path = ''] = match;
  const type = typesByLetter.get(letter);
  if (type === undefined) return undefined;
  return { path: unescapePath(path), type, mode: Number.parseInt(mode, 8), size: Number(size), hash };
}

function digestLines(entries: readonly ManifestEntry[]): string {
  const hash = createHash('sha256');
  // In pieces, so that a tree of 100,000 files needs no second copy of its manifest.
  for (let start = 0; start < entries.length; start += 1000) {
    const piece = entries.slice(start, start + 1000);
    hash.update(piece.map((entry) => `${manifestLine(entry)}\n`).join(''), 'latin1');
  }
  return hash.digest('hex');
}

/** How a path is shown: as UTF-8 where it is that, and its exact bytes in base64 beside it where it is not. */
export interface DisplayPath {
  readonly path: string;
  readonly path_base64?: string;
}

/** The path for people and events. */
export function displayPath(path: string): DisplayPath {
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { path: text }
    : { path: text, path_base64: bytes.toString('base64') };
}
