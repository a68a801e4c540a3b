/** What a transfer sends, and how it gets to the script that takes it in: as one compressed tar stream, or carried by something else. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { DurantError } from '../../errors.ts';
import type { Connection, RemoteResult } from '../../remote/target.ts';
import { failure, readAnswer, type Answer } from './answer.ts';
import { chooseCompression, createCompressor, decompressCommand } from './compression.ts';
import { escapePath } from '../tree/manifest.ts';
import type { TransferFacts } from './probe.ts';
import type { Tree, TreeEntry } from '../tree/scan.ts';
import type { HashTool } from './serverFunctions.ts';
import { writeTar, type TarMember } from './tar.ts';
import { streamMembers } from './updateScript.ts';

export interface Load {
  readonly send: readonly TreeEntry[];
  readonly remove: readonly string[];
}

/** What every transfer is asked with. */
export interface LoadRequest {
  readonly connection: Connection;
  /** Where the load's files are read. */
  readonly tree: Pick<Tree, 'root'>;
  /** What `transferProbe` answered. */
  readonly facts: TransferFacts;
  /** sh text for project_dir that runs before anything else in the same round trip; where it fails nothing is sent. */
  readonly before: string;
  /** Brings what has to be sent into `.durant/incoming.<run>/in/tree` in another way than the stream (rsync.ts), after running `before`. */
  readonly carry?: (load: {
    readonly entries: readonly TreeEntry[];
    readonly before: string;
  }) => Promise<void>;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** Called as the stream is read: files and links begun, and bytes of file content, so far. */
  readonly onProgress?: (progress: { readonly files: number; readonly bytes: number }) => void;
}

/**
 * Carries the load, or streams it, to the script that takes it in, in one round trip.
 * @param scriptFor the script; `decompress` is the command that the stream has to go through, undefined for none.
 * @throws {DurantError} `disk-full`, `verification-failed`, `tool-missing`, `remote-command-failed`, and those of `Connection.exec`.
 */
export async function sendLoad(
  request: LoadRequest,
  load: Load,
  scriptFor: (decompress: string | undefined) => string,
): Promise<{ readonly answer: Answer; readonly sent: ReturnType<Stream['sent']> }> {
  const { connection, facts, carry } = request;
  const compression = carry === undefined ? chooseCompression(connection.address, facts) : 'none';
  await carry?.({ entries: load.send, before: request.before });
  const stream =
    carry === undefined ? openStream(request, load, createCompressor(compression)) : delivered(load);
  let result: RemoteResult;
  try {
    result = await connection.exec({
      script: scriptFor(decompressCommand(compression)),
      input: stream.input,
      signal: request.signal,
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
    });
  } catch (error) {
    // A file that changed while it was read ends the stream; that is the cause, not what the connection says of it.
    throw stream.failure() ?? error;
  } finally {
    stream.input.destroy();
  }
  const answer = readAnswer(result.stdout);
  if (!answer.isDone && answer.drift.length === 0)
    throw stream.failure() ?? failure(connection.address.entry, result, answer.failed);
  return { answer, sent: stream.sent() };
}

/** The server's tool for sha256. @throws {DurantError} `tool-missing` where it or tar is not there. */
export function hashToolOf({ connection, facts }: Pick<LoadRequest, 'connection' | 'facts'>): HashTool {
  if (facts.hashTool !== undefined && facts.tar) return facts.hashTool;
  const server = connection.address.entry;
  const what = facts.tar ? 'none of sha256sum, shasum, sha256 and openssl' : 'no tar';
  throw new DurantError('tool-missing', `There is ${what} on ${server}.`, {
    remedy: 'Install one there, then deploy again.',
    server,
  });
}

/** Where something else has carried the load: only the list of removals is left to send. */
function delivered({ send, remove }: Load): Stream {
  const files = send.filter((entry) => entry.type !== 'dir');
  const bytes = files.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.size : 0), 0);
  return {
    input: Readable.from([removeList(remove)]),
    failure: () => undefined,
    sent: () => ({ files: files.length, bytes, wireBytes: 0 }),
  };
}

function removeList(paths: readonly string[]): Buffer {
  return Buffer.from(paths.map((path) => `${escapePath(path)}\n`).join(''), 'latin1');
}

interface Stream {
  readonly input: Readable;
  /** Why the tree could not be read, where that ended the stream. */
  failure(): DurantError | undefined;
  sent(): { readonly files: number; readonly bytes: number; readonly wireBytes: number };
}

function openStream(request: LoadRequest, load: Load, compressor: Transform | undefined): Stream {
  let files = 0;
  let bytes = 0;
  let wireBytes = 0;
  let failed: DurantError | undefined;
  const onMember = (member: TarMember): void => {
    if (member.type === 'dir' || !member.name.startsWith(`${streamMembers.tree}/`)) return;
    files += 1;
    bytes += member.type === 'file' ? member.size : 0;
    request.onProgress?.({ files, bytes });
  };
  const archive = Readable.from(
    writeTar(members(request.tree.root, load), { signal: request.signal, onMember }),
    {
      objectMode: false,
    },
  );
  archive.on('error', (error) => {
    if (error instanceof DurantError) failed = error;
  });
  // pipeline takes both down when one fails; the connection's own error is what is reported then.
  const input: Readable = compressor === undefined ? archive : pipeline(archive, compressor, () => undefined);
  const counted = Readable.from(count(input), { objectMode: false });
  return {
    input: counted,
    failure: () => failed,
    sent: () => ({ files, bytes, wireBytes }),
  };

  async function* count(source: Readable): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue;
      wireBytes += chunk.length;
      yield chunk;
    }
  }
}

function* members(root: string, load: Load): Generator<TarMember, void, undefined> {
  const { tree, remove, end } = streamMembers;
  const rootBytes = Buffer.from(`${root}/`, 'utf8').toString('latin1');
  const list = removeList(load.remove);
  yield { type: 'file', name: remove, mode: 0o600, mtimeMs: 0, size: list.length, content: list };
  yield { type: 'dir', name: tree, mode: 0o755, mtimeMs: 0 };
  for (const entry of load.send) {
    const { type, mode, mtimeMs, size, target } = entry;
    const name = `${tree}/${entry.path}`;
    if (type === 'dir') yield { type, name, mode, mtimeMs };
    else if (type === 'link') yield { type, name, mode, mtimeMs, target };
    else
      yield {
        type,
        name,
        mode,
        mtimeMs,
        size,
        content: { file: Buffer.from(rootBytes + entry.path, 'latin1') },
      };
  }
  yield { type: 'file', name: end, mode: 0o600, mtimeMs: 0, size: 0, content: Buffer.alloc(0) };
}
