/** What lies on one server of a stage, to be looked at: a folder's list, a file's bytes. One connection, one script, and nothing is changed. */
import { DurantError } from '../../errors.ts';
import type { RemoteResult } from '../../remote/target.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { lastLines } from '../run/script.ts';
import type { StageRequest } from '../run/run.ts';
import { connectTo } from '../server/connectServers.ts';
import { LAYOUTS } from '../server/layout.ts';
import { reachFor } from '../server/lookAtServers.ts';
import {
  listScript,
  MOST_BYTES,
  parseFile,
  parseFolder,
  readScript,
  type NotThere,
  type ServerFile,
  type ServerFolder,
} from '../server/serverFiles.ts';

/** What is sent of the end of a larger one, in bytes. */
const END_BYTES = 1_000_000;

/** A folder or file of the request's one server. */
export interface FilePlace {
  /** Where `path` begins: in project_dir, or in what is live. */
  readonly from: 'project' | 'live';
  /** Bytes as latin1 characters, `/` separated; empty: the place itself. */
  readonly path: string;
}

/** @throws {DurantError} the connection codes, `permission-denied`, `remote-command-failed`. */
export async function listServerFolder(
  request: StageRequest,
  path: string,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<ServerFolder> {
  const { stdout } = await look(request, { script: listScript(request.settings.project_dir), path }, host, {
    emit,
    signal,
  });
  const found = parseFolder(stdout);
  if (typeof found === 'string') throw notThere(found, request, path);
  return found;
}

/**
 * @param part `end`: what was written last, of a file of any size.
 * @throws {DurantError} the connection codes, `permission-denied`, `remote-command-failed`.
 */
export async function readServerFile(
  request: StageRequest,
  { from, path }: FilePlace,
  part: 'all' | 'end',
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<ServerFile> {
  const { settings } = request;
  const { hasReleases } = LAYOUTS[settings.strategy];
  const base = from === 'live' && hasReleases ? settings.current_path : '';
  const most = part === 'all' ? MOST_BYTES : END_BYTES;
  const script = readScript(settings.project_dir, { base, most, part });
  const { stdout } = await look(request, { script, path }, host, { emit, signal });
  const found = parseFile(stdout, most, part);
  if (typeof found === 'string') throw notThere(found, request, path);
  return found;
}

async function look(
  request: StageRequest,
  { script, path }: { readonly script: string; readonly path: string },
  host: Host,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<RemoteResult> {
  const { command_timeout } = request.settings;
  const [address] = request.servers;
  if (address === undefined) throw new DurantError('usage', 'No server was named.');
  const connection = await connectTo(reachFor({ request, host, emit, signal }), address);
  try {
    const result = await connection.exec({
      script,
      input: Buffer.from(path, 'latin1'),
      signal,
      ...(command_timeout === undefined ? {} : { timeoutMs: command_timeout }),
    });
    if (result.status === 0) return result;
    throw new DurantError(
      'remote-command-failed',
      `Could not look at ${shown(path)} on ${address.entry} (exit status ${result.status}).`,
      {
        remedy: 'Look there by ssh.',
        server: address.entry,
        output: lastLines(result.stderr.toString('utf8'), 5),
      },
    );
  } finally {
    connection.close();
  }
}

function notThere(why: NotThere, { servers, settings }: StageRequest, path: string): DurantError {
  const server = servers[0]?.entry ?? '';
  const what = `${shown(path)} on ${server}`;
  switch (why) {
    case 'gone':
      return new DurantError(
        'remote-command-failed',
        `${what} is not there. Refresh what is shown, or deploy it.`,
        { server },
      );
    case 'denied':
      return new DurantError('permission-denied', `The login user may not read ${what}.`, {
        remedy: 'Look at its permissions there.',
        server,
      });
    case 'outside':
      return new DurantError(
        'remote-command-failed',
        `${what} leads out of ${settings.project_dir}: Durant shows nothing outside of it.`,
        { remedy: 'Look there by ssh.', server },
      );
    case 'not-a-file':
      return new DurantError(
        'remote-command-failed',
        `${what} is no regular file, so there is nothing to show.`,
        { server },
      );
  }
}

function shown(path: string): string {
  return path === '' ? 'project_dir' : Buffer.from(path, 'latin1').toString('utf8');
}
