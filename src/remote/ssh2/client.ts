/** The built-in SSH client: one connection for everything. Started shells wait in it, so that a script costs one round trip. */
import { Readable, type Duplex } from 'node:stream';
import { bug, DurantError, reasonOf } from '../../errors.ts';
import { killScript, type ProcessGroup } from '../bootstrap.ts';
import { bearsSessions, type BearsSessions } from '../serverSoftware.ts';
import { runScript, type ScriptChannel } from '../scriptRun.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { Connection, ConnectRequest, RemoteCommand, RemoteResult } from '../target.ts';
import { loginOf } from './agent.ts';
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
  const opening = { name: server, request, settings, state, secrets };
  const way = await openWithShells(opening, options.waitingShells ?? defaultWaitingShells);
  const shells =
    way.bears === 'one a connection'
      ? connectionEach(way, (signal) => openAnother(opening, signal ?? request.signal))
      : way.pool;
  const endGroup = async (group: ProcessGroup): Promise<void> => {
    try {
      await endRemoteGroup(group, shells, () => openAnother(opening));
    } catch (error) {
      request.onNotice?.(
        'remote-processes-left',
        `Processes of the command may still run on ${server} (group ${group.pgid}): ${reasonOf(error)}`,
      );
    }
  };
  const exec = async (command: RemoteCommand): Promise<RemoteResult> => {
    // Until the script runs nobody listens to its input, and an unheard error would end this process; `runScript` looks again.
    if (command.input instanceof Readable) command.input.on('error', () => undefined);
    const channel = await shells.acquire(command.signal);
    const running = runScript(channel, command, { server, endGroup });
    shells.replenish();
    return running;
  };
  const shared = {
    address: request.address,
    description: 'ssh2 (built in)',
    user: settings.user,
    login: () => Promise.resolve(loginOf(way.session)),
    exec,
    close: () => {
      way.session.close();
    },
  };
  if (way.bears === 'one a connection')
    return {
      ...shared,
      forward: () => Promise.resolve(undefined),
      posixRename: async (from, to) => {
        const other = await openWithShells(opening, 0);
        try {
          await createRename(other.session, other.pool, server)(from, to);
        } finally {
          other.session.close();
        }
      },
    };
  return {
    ...shared,
    forward: (host, port) => forward(way.session, host, port, server),
    posixRename: createRename(way.session, way.pool, server),
  };
}

type Opening = Omit<Parameters<typeof openSession>[0], 'onLogin'>;

interface Way {
  readonly session: SshSession;
  readonly pool: ShellPool;
  readonly bears: BearsSessions;
}

async function openWithShells(opening: Opening, waiting: number): Promise<Way> {
  let pool: ShellPool | undefined;
  const session = await openSession({
    ...opening,
    onLogin: (line) => {
      const isOne = bearsSessions(line.internals.serverSoftware) !== 'several';
      const server = opening.request.address.entry;
      pool = createShellPool({ line, waiting, server, ...(isOne && { most: 1 }) });
      return pool.warmUp();
    },
  });
  if (pool === undefined) throw bug('No shells after login.');
  return { session, pool, bears: bearsSessions(session.internals.serverSoftware) };
}

/** What runs scripts: the pool of a connection, or connections with one shell each. */
type Shells = Pick<ShellPool, 'acquire' | 'acquireAtOnce' | 'replenish'>;

/** A connection for each script: the first is there already, and ends with its script as every other. */
function connectionEach(first: Way, open: (signal: AbortSignal | undefined) => Promise<Way>): Shells {
  let ready: Way | undefined = first;
  return {
    acquire: async (signal) => {
      const way = ready;
      ready = undefined;
      const { pool, session } = way?.session.isUp() === true ? way : await open(signal);
      const channel = await pool.acquire(signal);
      return {
        ...channel,
        close: () => {
          channel.close();
          session.close();
        },
      };
    },
    acquireAtOnce: () => Promise.resolve(undefined),
    replenish: () => undefined,
  };
}

/** Where the server has no place for a second shell (MaxSessions 1), another connection ends the group of the first. */
function openAnother(opening: Opening, signal = AbortSignal.timeout(endGroupMs)): Promise<Way> {
  // Without a signal of its own: the run was cancelled, and this must go through all the same.
  return openWithShells({ ...opening, request: { ...opening.request, signal } }, 1);
}

async function endRemoteGroup(
  group: ProcessGroup,
  shells: Shells,
  second: () => Promise<Way>,
): Promise<void> {
  const channel = await shells.acquireAtOnce();
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
          new DurantError('host-unreachable', `${server} could not connect to ${host}:${port}.`, {
            remedy: 'Check that something listens there.',
            server,
            cause: error,
          }),
        );
      else resolve(undefined);
    });
  });
}
