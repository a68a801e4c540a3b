/** Brings files of a release from a server to this machine, each verified by its manifest as it arrives. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { DurantError } from '../../errors.ts';
import { quote, scratchFolder } from '../../remote/shell.ts';
import type { Connection } from '../../remote/target.ts';
import { displayPath, escapePath, type ManifestEntry } from '../tree/manifest.ts';
import { pathFunctions } from './serverFunctions.ts';

export interface FetchFilesRequest {
  readonly connection: Connection;
  /** Absolute folder of the release on the server. */
  readonly folder: string;
  /** A folder of this machine. */
  readonly root: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/**
 * Writes the files below `root`, in one stream.
 * @throws {DurantError} `verification-failed` where one is not as its manifest says, and those of `Connection.exec`.
 */
export async function fetchFiles(request: FetchFilesRequest, files: readonly ManifestEntry[]): Promise<void> {
  if (files.length === 0) return;
  // As `nul` lists them: names that have to be escaped come last.
  const isPlain = ({ path }: ManifestEntry): boolean => escapePath(path) === path;
  const ordered = [...files.filter(isPlain), ...files.filter((file) => !isPlain(file))];
  const sink = fileSink(request, ordered);
  try {
    await stream(request, ordered, 'nul "$W/list" | xargs -0 cat', sink.take);
    sink.end();
  } finally {
    sink.close();
  }
}

/** The targets of links, by their paths, as latin1. @throws {DurantError} as `fetchFiles`. */
export async function fetchLinkTargets(
  request: FetchFilesRequest,
  links: readonly ManifestEntry[],
): Promise<ReadonlyMap<string, string>> {
  if (links.length === 0) return new Map();
  const chunks: Buffer[] = [];
  await stream(
    request,
    links,
    'while IFS= read -r p; do raw "$p"; readlink -n "$f"; done <"$W/list"',
    (chunk) => chunks.push(chunk),
  );
  const all = Buffer.concat(chunks);
  const targets = new Map<string, string>();
  let at = 0;
  for (const link of links) {
    const target = all.subarray(at, at + link.size);
    at += link.size;
    if (createHash('sha256').update(target).digest('hex') !== link.hash) throw notAsDeployed(request, link);
    targets.set(link.path, target.toString('latin1'));
  }
  return targets;
}

/** The list of paths is the input: a command line has no room for it. */
async function stream(
  { connection, folder, signal, timeoutMs }: FetchFilesRequest,
  entries: readonly ManifestEntry[],
  read: string,
  take: (chunk: Buffer) => void,
): Promise<void> {
  let failure: unknown;
  const result = await connection.exec({
    script: `LC_ALL=C; export LC_ALL
${pathFunctions}
${scratchFolder('W')} || exit 1
cat >"$W/list" && cd ${quote(folder)} && ${read}`,
    input: Buffer.from(entries.map(({ path }) => `${escapePath(path)}\n`).join(''), 'latin1'),
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    onOutput: (name, chunk) => {
      if (name !== 'stdout' || failure !== undefined) return;
      try {
        take(chunk);
      } catch (thrown) {
        // The rest is not taken; the script comes to its end.
        failure = thrown;
      }
    },
  });
  if (failure !== undefined) throw failure;
  if (result.status === 0) return;
  const { entry } = connection.address;
  throw new DurantError('verification-failed', `Not every file of the release could be read on ${entry}.`, {
    remedy: 'See what was changed there',
    command: 'durant verify',
    output: result.stderr.toString('utf8').trim(),
    server: entry,
  });
}

interface Sink {
  take(chunk: Buffer): void;
  /** Nothing more comes. */
  end(): void;
  close(): void;
}

/** Takes the contents of files that follow each other without a mark: their sizes say where one ends. */
function fileSink(request: FetchFilesRequest, files: readonly ManifestEntry[]): Sink {
  let index = -1;
  let left = 0;
  let descriptor: number | undefined;
  let hash: Hash = createHash('sha256');
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const next = (): void => {
    // An empty file has come as soon as it is its turn.
    while (left === 0) {
      const done = files[index];
      close();
      if (done !== undefined && hash.digest('hex') !== done.hash) throw notAsDeployed(request, done);
      hash = createHash('sha256');
      index += 1;
      const file = files[index];
      if (file === undefined) return;
      descriptor = create(request.root, file.path);
      left = file.size;
    }
  };
  return {
    take(chunk) {
      for (let rest = chunk; rest.length > 0;) {
        next();
        const file = files[index];
        if (file === undefined || descriptor === undefined) throw notAsDeployed(request, files.at(-1));
        const piece = rest.subarray(0, left);
        writeSync(descriptor, piece);
        hash.update(piece);
        left -= piece.length;
        rest = rest.subarray(piece.length);
      }
    },
    end() {
      if (left > 0) throw notAsDeployed(request, files[index]);
      next();
      if (index < files.length) throw notAsDeployed(request, files[index]);
    },
    close,
  };
}

function create(root: string, path: string): number {
  const bytes = (text: string): Buffer =>
    Buffer.from(`${Buffer.from(root).toString('latin1')}/${text}`, 'latin1');
  const slash = path.lastIndexOf('/');
  if (slash > 0) mkdirSync(bytes(path.slice(0, slash)), { recursive: true });
  return openSync(bytes(path), 'w', 0o600);
}

function notAsDeployed({ connection }: FetchFilesRequest, entry: ManifestEntry | undefined): DurantError {
  const server = connection.address.entry;
  return new DurantError(
    'verification-failed',
    `${entry === undefined ? 'A file' : displayPath(entry.path).path} on ${server} is not as it was deployed, so it is promoted nowhere.`,
    { remedy: 'See what was changed there', command: 'durant verify', server },
  );
}
