/**
 * The system's `ssh` as a client: for what the built-in one cannot do (certificates, hardware keys, GSSAPI). One authenticated
 * connection is shared by all commands where OpenSSH can (not on Windows).
 */
import type { Server } from 'node:net';
import { Readable } from 'node:stream';
import { userInfo } from 'node:os';
import { platform } from '../../platform.ts';
import { DurantError, reasonOf, throwIfCancelled } from '../../errors.ts';
import { bootstrapCommand, killScript, type ProcessGroup } from '../bootstrap.ts';
import { retryDropped, retryNotice } from '../retryDropped.ts';
import { readRoute } from '../route.ts';
import { closedConnection, runScript, type ScriptChannel } from '../scriptRun.ts';
import { bearsSessions, type BearsSessions } from '../serverSoftware.ts';
import { readSettings } from '../sshSettings.ts';
import type { Connection, ConnectRequest, RemoteCommand, RemoteResult } from '../target.ts';
import { agentSocket, loginByLog, serveAgent } from './agent.ts';
import { destination } from './arguments.ts';
import { openAskpass } from './askpass.ts';
import { droppedEarly } from './failures.ts';
import { hostKeyFiles, ownKnownHosts } from './hostKeyFiles.ts';
import type { Way } from './jumps.ts';
import { startMaster, type Master } from './master.ts';
import { makePrivateDirectory, removePrivateDirectory } from './privateDirectory.ts';
import { startSeparate, type SeparateChannel, type SeparateContext } from './separate.ts';
import { createSessions } from './sessions.ts';
import { joinStreams } from './stream.ts';
import { renameOverSftp } from './sftp.ts';

/** `shared`: one connection for all commands. `separate`: one each, as Windows needs it. */
export type Sharing = 'shared' | 'separate';

/** The hosts on the way to the server, and what durant.conf asks of their keys. */
export type KnownWay = Pick<Way, 'route' | 'checking'>;

/**
 * Connects with OpenSSH's `ssh`.
 * @param way default: as the ssh configuration has it, checked as `request` says.
 * @throws {DurantError} the connection codes, `local-tool-missing`, `cancelled`.
 */
export function connectOpenssh(request: ConnectRequest, way?: KnownWay): Promise<Connection> {
  return connectOpensshSharing(request, platform.sharesSshConnections ? 'shared' : 'separate', way);
}

/** As `connectOpenssh`, with the way of sharing given. */
export function connectOpensshSharing(
  request: ConnectRequest,
  sharing: Sharing,
  way?: KnownWay,
): Promise<Connection> {
  return retryDropped(() => openOnce(request, sharing, way), {
    isDropped: (error) => error instanceof DurantError && error.cause === droppedEarly,
    signal: request.signal,
    onRetry: () => request.onNotice?.('connection-retried', retryNotice(request.address.entry)),
  });
}

async function openOnce(
  request: ConnectRequest,
  sharing: Sharing,
  way: KnownWay | undefined,
): Promise<Connection> {
  throwIfCancelled(request.signal);
  const directory = await makePrivateDirectory();
  const askpass = await openAskpass(directory, request);
  let agent: Server | undefined;
  const dispose = (): void => {
    askpass.close();
    agent?.close();
    removePrivateDirectory(directory);
  };
  try {
    agent = await serveAgent(request, directory);
    const to = destination(request, agent && agentSocket(directory));
    const known = way ?? (await readWay(request));
    const hostKeys = hostKeyFiles(request, known, directory);
    const context: SeparateContext = { request, to, askpass, hostKeys, directory };
    if (sharing === 'shared') {
      const master = await startMaster(
        request,
        to,
        directory,
        askpass.converse(),
        hostKeys,
        known.route.slice(1),
      );
      const bears = bearsSessions(/remote software version (\S+)/.exec(master.log())?.[1]);
      if (bears !== 'one a connection')
        return createConnection(request, shareLine(context, master, bears, known), dispose);
      master.close();
      await master.ended;
      dispose();
      const separate = await connectOpensshSharing(request, 'separate', way);
      return { ...separate, user: userOf(master) ?? separate.user };
    }
    const line = separateLine(context);
    await tryOut(line, request);
    return createConnection(request, line, dispose);
  } catch (error) {
    dispose();
    throw error;
  }
}

const endGroupMs = 15_000;

/** The ways to the server that a connection consists of. */
interface Line {
  readonly user: string | undefined;
  readonly login?: Connection['login'];
  open(signal: AbortSignal | undefined): Promise<ScriptChannel>;
  /** A channel for ending what another one started. */
  openUrgent(): Promise<ScriptChannel>;
  subsystem(name: string): Promise<ScriptChannel>;
  stream(host: string, port: number): Promise<ScriptChannel | { readonly refused: string }>;
  close(): void;
}

function shareLine(
  context: SeparateContext,
  master: Master,
  bears: BearsSessions,
  { route: [settings] }: KnownWay,
): Line {
  const { request, to, directory } = context;
  const sessions = createSessions({
    server: request.address.entry,
    sshPath: request.sshPath ?? 'ssh',
    to,
    master,
    oneAtATime: bears === 'one at a time',
  });
  const log = master.log();
  const added = /Permanently added '(.*)' \((.*)\) to the list of known hosts/.exec(log);
  if (added && request.mayAddHostKeys)
    request.onNotice?.('host-key-added', `The ${added[2]} key of ${added[1]} was added to known_hosts.`);
  return {
    user: userOf(master),
    ...(settings && { login: () => loginByLog(request, settings, log, ownKnownHosts(directory)) }),
    open: (signal) => sessions.open(bootstrapCommand, signal),
    openUrgent: async () =>
      (await sessions.openUrgent(bootstrapCommand)) ??
      startSeparate(context, ['--', to.host, bootstrapCommand]),
    subsystem: (name) => sessions.subsystem(name),
    stream: (host, port) => sessions.stream(host, port),
    close: () => {
      sessions.close();
      master.close();
    },
  };
}

function userOf(master: Master): string | undefined {
  return /^debug1: Authenticating to .* as '(.*)'/m.exec(master.log())?.[1];
}

function separateLine(context: SeparateContext): Line {
  const { to } = context;
  const running = new Set<SeparateChannel>();
  const start = (rest: readonly string[]): Promise<ScriptChannel> => {
    const channel = startSeparate(context, rest);
    running.add(channel);
    const forget = (): void => void running.delete(channel);
    void channel.ended.then(forget, forget);
    return Promise.resolve(channel);
  };
  return {
    user: undefined,
    open: () => start(['--', to.host, bootstrapCommand]),
    openUrgent: () => start(['--', to.host, bootstrapCommand]),
    subsystem: (name) => start(['-s', '--', to.host, name]),
    stream: (host, port) => start(['-W', `${bracketed(host)}:${port}`, '--', to.host]),
    close: () => {
      for (const channel of running) channel.drop();
    },
  };
}

function createConnection(request: ConnectRequest, line: Line, dispose: () => void): Connection {
  const { address } = request;
  const { entry } = address;
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw closedConnection(entry);
  };
  const exec = async (command: RemoteCommand): Promise<RemoteResult> => {
    checkOpen();
    // Until the script runs nobody listens to its input, and an unheard error would end this process; `runScript` looks again.
    if (command.input instanceof Readable) command.input.on('error', () => undefined);
    const channel = await line.open(command.signal);
    return runScript(channel, command, {
      server: entry,
      endGroup: (group) => endGroup(request, line, group),
    });
  };
  return {
    address,
    description: 'openssh',
    user: address.user ?? request.user ?? line.user ?? userInfo().username,
    ...(line.login && { login: line.login }),
    exec,
    forward: async (host, port) => {
      checkOpen();
      const opened = await line.stream(host, port);
      if (!('refused' in opened)) return joinStreams(opened);
      if (/prohibited|unknown channel|disabled/i.test(opened.refused)) return undefined;
      throw new DurantError(
        'host-unreachable',
        `${entry} could not connect to ${bracketed(host)}:${port} (${opened.refused}).`,
        { remedy: 'Check that something listens there.', server: entry },
      );
    },
    posixRename: async (from, to) => {
      checkOpen();
      await renameOverSftp(await line.subsystem('sftp'), entry, underHome(from), underHome(to));
    },
    close: () => {
      if (closed) return;
      closed = true;
      line.close();
      dispose();
    },
  };
}

/** Ends a script through another session. What is left running is told, not thrown: the run has its own reason to end. */
async function endGroup(request: ConnectRequest, line: Line, group: ProcessGroup): Promise<void> {
  const { entry } = request.address;
  try {
    await runScript(
      await line.openUrgent(),
      { script: killScript(group), timeoutMs: endGroupMs },
      { server: entry, endGroup: () => Promise.resolve() },
    );
  } catch (error) {
    const reason = reasonOf(error);
    const message = `Processes of the command may still run on ${entry} (group ${group.pgid}): ${reason}`;
    request.onNotice?.('remote-processes-left', message);
  }
}

/** Separate connections are only known to work once one did. */
async function tryOut(line: Line, request: ConnectRequest): Promise<void> {
  const channel = await line.open(request.signal);
  await runScript(
    channel,
    { script: ':', signal: request.signal },
    { server: request.address.entry, endGroup: () => Promise.resolve() },
  );
}

async function readWay(request: ConnectRequest): Promise<KnownWay> {
  const { address, identity, sshPath } = request;
  const query = {
    host: address.host,
    user: address.user ?? request.user,
    port: address.port ?? request.port,
    identity,
    sshPath,
  };
  return { route: await readRoute(query, readSettings, request.signal), checking: request.hostKeyChecking };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** SFTP starts in the home folder. */
function underHome(path: string): string {
  return path === '~' ? '.' : path.replace(/^~\//, '');
}
