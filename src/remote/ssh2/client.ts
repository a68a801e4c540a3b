/** The built-in SSH client: one connection for everything. Started shells wait in it, so that a script costs one round trip. */
import { Readable, type Duplex } from 'node:stream';
import { DurantError } from '../../errors.ts';
import { killScript, type ProcessGroup } from '../bootstrap.ts';
import { runScript, type ScriptChannel } from '../scriptRun.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { Connection, ConnectRequest, RemoteCommand, RemoteResult } from '../target.ts';
import { createShellPool, type ShellPool } from './channels.ts';
import { openSession } from './connection.ts';
import type { SessionSecrets, SessionState, SshSession } from './sessionRequest.ts';
import { createRename } from './sftp.ts';

export interface Ssh2Options {
  /** How many started shells wait for a script. Default 2. */
  readonly waitingShells?: number;
}

const defaultWaitingShells = 2;
/** For ending a script's processes, with the connection that this may need. */
const endGroupMs = 20_000;

/**
 * Connects with ssh2.
 * @throws {DurantError} the connection codes of errors.ts, `cancelled`.
 */
export async function connectSsh2(
  request: ConnectRequest,
  settings: SshSettings,
  state: SessionState,
  options: Ssh2Options = {},
): Promise<Connection> {
  const server = request.address.entry;
  const secrets: SessionSecrets = { passwords: new Map(), acceptedHostKeys: new Set() };
  const { session, pool } = await openWithShells(
    { request, settings, state, secrets },
    options.waitingShells ?? defaultWaitingShells,
  );
  const endGroup = async (group: ProcessGroup): Promise<void> => {
    try {
      await endRemoteGroup(group, pool, () => openSecond({ request, settings, state, secrets }));
    } catch (error) {
      request.onNotice?.(
        'remote-processes-left',
        `Processes of the command may still run on ${server} (group ${group.pgid}): ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const exec = async (command: RemoteCommand): Promise<RemoteResult> => {
    // Until the script runs nobody listens to its input, and an unheard error would end this process; `runScript` looks again.
    if (command.input instanceof Readable) command.input.on('error', () => undefined);
    const channel = await pool.acquire(command.signal);
    const running = runScript(channel, command, { server, endGroup });
    pool.replenish();
    return running;
  };
  return {
    address: request.address,
    description: 'ssh2 (built in)',
    user: settings.user,
    exec,
    forward: (host, port) => forward(session, host, port, server),
    posixRename: createRename(session, pool, server),
    close: () => {
      session.close();
    },
  };
}

type SecondSession = Omit<Parameters<typeof openSession>[0], 'onLogin'>;

async function openWithShells(
  request: SecondSession,
  waiting: number,
): Promise<{ readonly session: SshSession; readonly pool: ShellPool }> {
  let pool: ShellPool | undefined;
  const session = await openSession({
    ...request,
    onLogin: (line) => {
      pool = createShellPool({ line, waiting, server: request.request.address.entry });
      return pool.warmUp();
    },
  });
  if (pool === undefined) throw new DurantError('internal', 'No shells after login. Please report this bug.');
  return { session, pool };
}

/** Where the server has no place for a second shell (MaxSessions 1), another connection ends the group of the first. */
function openSecond(request: SecondSession): ReturnType<typeof openWithShells> {
  // The run was cancelled; this must go through all the same.
  const signal = AbortSignal.timeout(endGroupMs);
  return openWithShells({ ...request, request: { ...request.request, signal } }, 1);
}

async function endRemoteGroup(
  group: ProcessGroup,
  pool: ShellPool,
  second: () => ReturnType<typeof openWithShells>,
): Promise<void> {
  const channel = await pool.acquireAtOnce();
  if (channel !== undefined) {
    await runKill(channel, group);
    return;
  }
  const other = await second();
  try {
    await runKill(await other.pool.acquire(undefined), group);
  } finally {
    other.session.close();
  }
}

async function runKill(channel: ScriptChannel, group: ProcessGroup): Promise<void> {
  await runScript(
    channel,
    { script: killScript(group), timeoutMs: endGroupMs },
    { server: 'the server', endGroup: () => Promise.resolve() },
  );
}

/** SSH_OPEN_CONNECT_FAILED (RFC 4254 §5.1): the server tried, and nobody listens there. */
const connectFailed = 2;

function forward(
  session: SshSession,
  host: string,
  port: number,
  server: string,
): Promise<Duplex | undefined> {
  return new Promise((resolve, reject) => {
    session.lost.catch(reject);
    session.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (error === undefined) resolve(channel);
      else if ('reason' in error && error.reason === connectFailed)
        reject(
          new DurantError(
            'host-unreachable',
            `${server} could not connect to ${host}:${port}. Check that something listens there.`,
            { server, cause: error },
          ),
        );
      else resolve(undefined);
    });
  });
}
