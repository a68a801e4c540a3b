/**
 * The transfer `rsync`: the real rsync, here and there, carries what the stream would carry, through the same connection. Everything else
 * is the stream's: what is sent, how the release is put together, checked and recorded.
 */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, lstat, lutimes, rename, symlink } from 'node:fs/promises';
import { platform } from '../../platform.ts';
import { DurantError, throwIfCancelled } from '../../errors.ts';
import { quote, quotePath } from '../../remote/shell.ts';
import { diskFull, saysDiskFull } from '../../remote/diskFull.ts';
import type { Connection } from '../../remote/target.ts';
import { parseRsyncVersion, rsyncArguments, type RsyncCall } from './rsyncArguments.ts';
import { openRsyncDoor, rsyncShellCommand, type RsyncDoor } from './rsyncRelay.ts';
import { createRsyncReader } from './rsyncOutput.ts';
import type { TreeEntry } from '../tree/scan.ts';

/** How rsync is run on this machine. */
export interface RsyncHere {
  /** Path or name of the program. */
  readonly program: string;
  /** Program and arguments that start Durant's command line, whose hidden subcommand is rsync's remote shell. */
  readonly cli: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CarryRequest {
  readonly connection: Connection;
  readonly rsync: RsyncHere;
  /** Absolute folder here that the entries are in. */
  readonly root: string;
  readonly entries: readonly TreeEntry[];
  /** Absolute folder on the server; it exists. */
  readonly destination: string;
  readonly basis: RsyncCall['basis'];
  /** sh text that runs on the server before its rsync. */
  readonly prelude: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** Called for each file or link that rsync itemises; latin1 path. */
  readonly onItem?: (path: string) => void;
  /** Bytes of content dealt with, and files and links begun, so far. */
  readonly onProgress?: (progress: { readonly files: number; readonly bytes: number }) => void;
}

/**
 * Carries the entries into a folder of the server.
 * @throws {DurantError} `disk-full`, `permission-denied`, `local-tool-missing`, `remote-command-failed`, `timeout`, `cancelled`, and those of `Connection.exec`.
 */
export async function carryByRsync(request: CarryRequest): Promise<void> {
  if (request.entries.length === 0) return;
  await setAttributes(request);
  const limit = request.timeoutMs === undefined ? undefined : AbortSignal.timeout(request.timeoutMs);
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal, ...(limit === undefined ? [] : [limit])]);
  const door = await openRsyncDoor({ connection: request.connection, prelude: request.prelude, signal });
  try {
    const client = await runClient(request, door, signal);
    throwIfCancelled(request.signal);
    if (limit?.aborted === true) throw timedOut(request);
    if (client.status === 0) return;
    // Where the connection was lost, that is the cause.
    const there = door.visited() ? (await door.served).stderr : '';
    throw failure(request, client, there);
  } finally {
    stop.abort();
    door.close();
  }
}

interface ClientEnd {
  readonly status: number;
  readonly said: string;
}

function runClient(request: CarryRequest, door: RsyncDoor, signal: AbortSignal): Promise<ClientEnd> {
  const { rsync, connection } = request;
  const args = rsyncArguments({
    root: request.root,
    destination: request.destination,
    basis: request.basis,
    shell: [...rsync.cli, rsyncShellCommand],
    compress: connection.address.local ? 'no' : 'yes',
  });
  return new Promise((resolve, reject) => {
    const client = spawn(rsync.program, args, {
      env: { ...rsyncEnvironment(rsync.env), ...door.env },
      signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const say = (text: string): void => {
      said.push(text);
      if (said.length > 20) said.shift();
    };
    let files = 0;
    let bytes = 0;
    const output = createRsyncReader((told) => {
      if (told.kind === 'said') return say(told.text);
      if (told.kind === 'item') {
        files += 1;
        request.onItem?.(told.path);
      } else bytes = Math.max(bytes, told.bytes);
      request.onProgress?.({ files, bytes });
    });
    const errors = createRsyncReader((told) => {
      if (told.kind === 'said') say(told.text);
    });
    client.stdout.on('data', (chunk: Buffer) => output.write(chunk));
    client.stderr.on('data', (chunk: Buffer) => errors.write(chunk));
    client.stdin.on('error', () => undefined);
    // Behind `./`, as rsync takes a line that begins with `#` or `;` for a comment.
    client.stdin.end(Buffer.from(request.entries.map(({ path }) => `./${path}\0`).join(''), 'latin1'));
    client.once('error', (error) => {
      // An abort is told by its cause once the process is gone.
      if (error.name !== 'AbortError') reject(notThere(rsync.program, error.message));
    });
    client.once('close', (status) => {
      output.end();
      errors.end();
      resolve({ status: status ?? 1, said: Buffer.from(said.join('\n'), 'latin1').toString('utf8') });
    });
  });
}

/** Without the user's own settings of rsync, which would mean other options than Durant's; its messages in English. */
function rsyncEnvironment(env: RsyncHere['env']): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('RSYNC_'))),
    LC_ALL: 'C',
    // In the editor `cli` is the editor's own program.
    ...('electron' in process.versions ? { ELECTRON_RUN_AS_NODE: '1' } : {}),
  };
}

/** rsync reads modes and times from the files: those of the work tree are made what the tree says, and links where git made files. Untracked files have their own already. */
async function setAttributes({ root, entries, signal }: CarryRequest): Promise<void> {
  const folder = Buffer.from(`${root.replace(/\/+$/, '')}/`, 'utf8');
  for (const entry of entries) {
    if (entry.type === 'dir') continue;
    throwIfCancelled(signal);
    const file = Buffer.concat([folder, Buffer.from(entry.path, 'latin1')]);
    let stat = await lstat(file);
    if (entry.type === 'link' && !stat.isSymbolicLink()) {
      // One file for the transfers to all servers at once: it is replaced in one go.
      const made = Buffer.concat([file, Buffer.from(`.${randomUUID()}`)]);
      await symlink(Buffer.from(entry.target, 'latin1'), made);
      await rename(made, file);
      stat = await lstat(file);
    }
    if (entry.type === 'file' && (stat.mode & 0o777) !== entry.mode) await chmod(file, entry.mode);
    if (Math.abs(stat.mtimeMs - entry.mtimeMs) >= 1)
      await lutimes(file, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
  }
}

/**
 * Looks whether both ends have an rsync that can be used.
 * @throws {DurantError} `local-tool-missing` or `tool-missing`, before anything happens.
 */
export async function assertRsync(
  rsync: RsyncHere,
  connection: Connection,
  signal: AbortSignal,
): Promise<void> {
  if (!platform.offersRsync)
    throw new DurantError('local-tool-missing', 'transfer: rsync is not offered on Windows.', {
      remedy: 'Write transfer: stream in durant.conf; it sends no more than rsync does.',
    });
  const here = parseRsyncVersion(await versionHere(rsync, signal));
  if (here?.kind !== 'fit')
    throw notThere(
      rsync.program,
      here === undefined ? 'it does not report a version' : `it is ${here.version}`,
    );
  const { entry } = connection.address;
  const result = await connection.exec({
    script: 'command -v rsync >/dev/null 2>&1 || exit 127\nrsync --version | head -n 1',
    signal,
  });
  const there = result.status === 0 ? parseRsyncVersion(result.stdout.toString('utf8')) : undefined;
  if (there?.kind === 'fit') return;
  const found = there === undefined ? 'has no rsync' : `has rsync ${there.version}`;
  throw new DurantError(
    'tool-missing',
    `${entry} ${found}, and transfer: rsync needs 3.1 or newer on both ends.`,
    { remedy: 'Install it there, or write transfer: stream in durant.conf.', server: entry },
  );
}

function versionHere(rsync: RsyncHere, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(rsync.program, ['--version'], { env: rsyncEnvironment(rsync.env), signal }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.name === 'AbortError') reject(error);
      else reject(notThere(rsync.program, 'it could not be started'));
    });
  });
}

function notThere(program: string, why: string): DurantError {
  return new DurantError(
    'local-tool-missing',
    `transfer: rsync needs rsync 3.1 or newer on this machine, and ${program} cannot be used (${why}).`,
    { remedy: 'Install it, or write transfer: stream in durant.conf.' },
  );
}

function timedOut({ connection, timeoutMs }: CarryRequest): DurantError {
  const { entry } = connection.address;
  return new DurantError(
    'timeout',
    `rsync to ${entry} was ended after ${String((timeoutMs ?? 0) / 1000)} s.`,
    { remedy: 'Raise command_timeout if it needs longer.', server: entry },
  );
}

function failure({ connection }: CarryRequest, client: ClientEnd, there: string): DurantError {
  const server = connection.address.entry;
  const said = [there, client.said].filter((text) => text !== '').join('\n');
  if (saysDiskFull(said)) return diskFull(server, said);
  if (/permission denied|operation not permitted/i.test(said))
    return new DurantError('permission-denied', `rsync cannot write on ${server}.`, {
      remedy: 'Give the login user project_dir (chown), then deploy again.',
      server,
      output: said,
    });
  return new DurantError(
    'remote-command-failed',
    `rsync to ${server} ended with status ${String(client.status)}.`,
    { remedy: 'Correct what it says, then deploy again.', server, output: said },
  );
}

/** sh text: makes the empty folder of a run that takes what is carried, and prints nothing. The working directory is project_dir. */
export function landingScript(projectDir: string, run: string): string {
  const folder = quote(`.durant/incoming.${run}`);
  return `cd ${quotePath(projectDir)} || exit 1
rm -rf ${folder}/in && mkdir -p ${folder} && chmod 700 ${folder} && (umask 022; mkdir -p ${folder}/in/tree)`;
}
