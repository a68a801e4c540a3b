/** The built-in transfer: what a new release needs is sent in one compressed tar stream through the open connection, and checked. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { DurantError } from '../errors.ts';
import { saysDiskFull } from '../remote/diskFull.ts';
import type { Connection, RemoteResult } from '../remote/target.ts';
import { chooseCompression, createCompressor, decompressCommand } from './compression.ts';
import { escapePath, unescapePath, type Manifest } from './manifest.ts';
import type { Plan } from './plan.ts';
import type { TransferFacts } from './probe.ts';
import type { Tree, TreeEntry } from './scan.ts';
import { writeTar, type TarMember } from './tar.ts';
import { streamMembers, updateScript, type Base } from './updateScript.ts';

export { cleanupScript } from './updateScript.ts';

export interface UpdateRequest {
  readonly connection: Connection;
  /** `project_dir`; `~/…` stands for the login user's home. */
  readonly projectDir: string;
  readonly run: string;
  /** Name of the new release; its folder may exist (what hooks put into it is kept, the tree wins). */
  readonly release: string;
  /** Commit id, for `REVISION`. */
  readonly commit: string;
  /** Name of the live release; undefined: none, or one without a manifest. */
  readonly live: string | undefined;
  readonly liveManifest: Manifest | undefined;
  readonly tree: Tree;
  /** Of this tree, this live manifest and `resendPaths(facts)`. */
  readonly plan: Plan;
  readonly unchanged: 'copy' | 'link';
  /** What `parseTransferProbe` read. */
  readonly facts: TransferFacts;
  /** sh text for project_dir that runs before anything else in the same round trip; where it fails nothing is sent. */
  readonly before: string;
  /** sh text for project_dir that runs after the check in the same round trip; where it fails the transfer has failed. */
  readonly after: string;
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

export interface UpdateResult {
  /** Files and links sent. */
  readonly files: number;
  /** Bytes of their content. */
  readonly bytes: number;
  /** Bytes that travelled, compressed. */
  readonly wireBytes: number;
  readonly usedSpare: boolean;
  /** Latin1 paths of the live release that neither its manifest nor its `.touched` explains; sent anew, never carried on. */
  readonly drift: readonly string[];
}

/**
 * Makes `releases/<release>` hold exactly the tree, with `REVISION`, and writes `.durant/manifests/<release>`. One round trip; one more
 * where the live release had drifted. A failure leaves what `cleanupScript` removes, and nothing else.
 * @throws {DurantError} `disk-full`, `verification-failed`, `tool-missing`, `remote-command-failed`, and those of `Connection.exec`.
 */
export async function updateCode(request: UpdateRequest): Promise<UpdateResult> {
  const base: Base =
    request.live === undefined || request.liveManifest === undefined
      ? { kind: 'fresh' }
      : { kind: 'live', release: request.live, spareRun: spareRun(request) };
  const first = await runUpdate(request, base, {
    send: base.kind === 'fresh' ? request.tree.entries : request.plan.send,
    remove: base.kind === 'fresh' ? [] : request.plan.remove,
  });
  if (first.drift.length === 0) return first;
  const drifted = new Set(first.drift);
  const again = await runUpdate(
    { ...request, before: '' },
    { kind: 'kept' },
    { send: request.tree.entries.filter((entry) => drifted.has(entry.path)), remove: [] },
  );
  return {
    files: first.files + again.files,
    bytes: first.bytes + again.bytes,
    wireBytes: first.wireBytes + again.wireBytes,
    usedSpare: false,
    drift: first.drift,
  };
}

/** A spare is a copy, so it is of no use to a stage that wants hard links. */
function spareRun(request: UpdateRequest): string | undefined {
  return request.unchanged === 'copy' ? request.facts.spare?.run : undefined;
}

export interface Load {
  readonly send: readonly TreeEntry[];
  readonly remove: readonly string[];
}

async function runUpdate(request: UpdateRequest, base: Base, load: Load): Promise<UpdateResult> {
  const { connection, facts } = request;
  const server = connection.address.entry;
  if (facts.hashTool === undefined || !facts.tar) throw missingTool(server, facts);
  const compression =
    request.carry === undefined ? chooseCompression(connection.address, facts) : ('none' as const);
  await request.carry?.({ entries: load.send, before: request.before });
  const script = updateScript({
    carrier: request.carry === undefined ? 'stream' : 'delivered',
    projectDir: request.projectDir,
    run: request.run,
    release: request.release,
    commit: request.commit,
    base,
    unchanged: request.unchanged,
    hashTool: facts.hashTool,
    decompress: decompressCommand(compression),
    digest: request.tree.manifest.digest,
    before: request.carry === undefined ? request.before : '',
    after: request.after,
  });
  const stream =
    request.carry === undefined ? openStream(request, load, createCompressor(compression)) : delivered(load);
  let result: RemoteResult;
  try {
    result = await connection.exec({
      script,
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
    throw stream.failure() ?? failure(server, result, answer.failed);
  return { ...stream.sent(), usedSpare: answer.base === 'spare', drift: answer.drift };
}

/** Where something else has carried the load: only the list of removals is left to send. */
export function delivered({ send, remove }: Load): Stream {
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

/** What a stream is read from. */
export interface StreamSource {
  readonly tree: Pick<Tree, 'root'>;
  readonly signal: AbortSignal;
  readonly onProgress?: UpdateRequest['onProgress'];
}

export interface Stream {
  readonly input: Readable;
  /** Why the tree could not be read, where that ended the stream. */
  failure(): DurantError | undefined;
  sent(): { readonly files: number; readonly bytes: number; readonly wireBytes: number };
}

export function openStream(request: StreamSource, load: Load, compressor: Transform | undefined): Stream {
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

export interface Answer {
  readonly isDone: boolean;
  readonly base: string | undefined;
  readonly failed: string | undefined;
  readonly drift: readonly string[];
}

export function readAnswer(stdout: Buffer): Answer {
  const lines = stdout.toString('latin1').split('\n');
  const value = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`transfer.${key}=`))?.slice(`transfer.${key}=`.length);
  const driftKey = 'transfer.drift=';
  return {
    isDone: value('done') === 'yes',
    base: value('base'),
    failed: value('failed'),
    drift: lines
      .filter((line) => line.startsWith(driftKey))
      .map((line) => unescapePath(line.slice(driftKey.length))),
  };
}

const stages: Readonly<Record<string, string>> = {
  before: 'it could not be begun',
  after: 'it could not be completed',
  folder: 'its folders could not be made',
  base: 'the live release could not be copied',
  stream: 'the stream could not be unpacked',
  apply: 'the changes could not be put in place',
  finish: 'its record could not be written',
};

export function failure(server: string, result: RemoteResult, failed: string | undefined): DurantError {
  const said = result.stderr.toString('utf8').trim().split('\n').slice(-10).join('\n');
  if (saysDiskFull(said))
    return new DurantError(
      'disk-full',
      `The disk of ${server} is full; free some space there, then deploy again.\n${said}`,
      {
        server,
      },
    );
  if (
    /(tar|awk|xargs|zstd|gzip|sort|readlink|find)[^\n]*(not found|No such file or directory$)/m.test(said) &&
    result.status === 127
  )
    return new DurantError(
      'tool-missing',
      `A tool is missing on ${server}: ${said}. Install it there, then deploy again.`,
      {
        server,
      },
    );
  if (failed === 'verify')
    return new DurantError(
      'verification-failed',
      `What arrived on ${server} is not what was sent, so it was not made live; deploy again, and check that server's disk if it happens twice.${said === '' ? '' : `\n${said}`}`,
      { server },
    );
  const stage = stages[failed ?? ''] ?? `a script ended with status ${result.status.toString()}`;
  return new DurantError(
    'remote-command-failed',
    `The release could not be made on ${server}: ${stage}${said === '' ? '' : ` (${said})`}. Correct that there, then deploy again.`,
    { server },
  );
}

function missingTool(server: string, facts: TransferFacts): DurantError {
  const what = facts.tar ? 'none of sha256sum, shasum, sha256 and openssl' : 'no tar';
  return new DurantError(
    'tool-missing',
    `There is ${what} on ${server}; install one there, then deploy again.`,
    { server },
  );
}
