/** One authenticated SSH connection: its way there (TCP, ProxyCommand, jump hosts), the handshake, the host key, the login. */
import type { Duplex } from 'node:stream';
import { asDurantError, cancelled, DurantError } from '../../errors.ts';
import { readKnownHosts } from '../knownHostsFiles.ts';
import { retryDropped, retryNotice } from '../retryDropped.ts';
import { lastJump, readJump, type LastJump } from '../route.ts';
import { newProgress, type AuthenticationProgress } from './authContext.ts';
import { startDeadline, type Deadline } from './deadline.ts';
import { droppedEarly, handshake, tooManyAttempts } from './handshake.ts';
import { checkHostKeySettings } from './hostKey.ts';
import { collectKeys } from './keys.ts';
import type { SessionRequest, SshSession } from './sessionRequest.ts';
import { openProxyCommand, openTcp, type Transport } from './transport.ts';

/** How often a server that has ended the connection for too many attempts is called again for the keys that are left. */
const maxConnections = 4;

/**
 * Connects and logs in.
 * @throws {DurantError} `host-unreachable`, the host key codes, `authentication-failed`, `connection-unsupported`, `cancelled`.
 */
export async function openSession(request: SessionRequest): Promise<SshSession> {
  checkHostKeySettings(request.settings, request.name);
  const progress = newProgress();
  for (let connection = 1; ; connection += 1) {
    const before = progress.tried.length;
    try {
      return await retryDropped(() => openOnce(request, progress), {
        isDropped: (error) => error instanceof DurantError && error.cause === droppedEarly,
        signal: request.request.signal,
        onRetry: () => request.request.onNotice?.('connection-retried', retryNotice(request.name)),
      });
    } catch (error) {
      // Each connection must have got further than the last.
      const counted = error instanceof DurantError && error.cause === tooManyAttempts;
      if (!counted || connection === maxConnections || progress.tried.length === before) throw error;
    }
  }
}

async function openOnce(request: SessionRequest, progress: AuthenticationProgress): Promise<SshSession> {
  const { settings, state } = request;
  const { signal, address } = request.request;
  const server = address.entry;
  const { name } = request;
  const deadline = startDeadline(
    request.request.connectTimeoutMs,
    () =>
      new DurantError(
        'host-unreachable',
        `${name} did not answer within ${request.request.connectTimeoutMs / 1000} s.`,
        { remedy: 'Check the address and the network, or raise connect_timeout.', server },
      ),
  );
  const closers: (() => void)[] = [];
  const closeAll = (): void => {
    for (const close of closers.splice(0).reverse()) close();
  };
  const aborted = abortion(signal, server);
  try {
    return await Promise.race([
      deadline.passed,
      aborted.promise,
      (async () => {
        // All of this is read while the connection is made.
        const entries = readKnownHosts(settings);
        const keys = collectKeys(settings, {
          server,
          prompt: request.request.prompt,
          signal,
          opened: state.openedKeys,
        });
        keys.catch(() => undefined);
        const transport = await openTransport(request, deadline, (close) => closers.push(close));
        closers.push(() => {
          transport.close();
        });
        await transport.ready;
        const session = await handshake(request, {
          transport,
          entries: await entries,
          keys,
          progress,
          deadline,
          closeAll,
        });
        return session;
      })(),
    ]);
  } catch (error) {
    closeAll();
    throw error;
  } finally {
    deadline.stop();
    aborted.dispose();
  }
}

function abortion(signal: AbortSignal, server: string): { promise: Promise<never>; dispose(): void } {
  let dispose = (): void => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      reject(cancelled(server));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    dispose = () => {
      signal.removeEventListener('abort', onAbort);
    };
  });
  promise.catch(() => undefined);
  return { promise, dispose };
}

async function openTransport(
  request: SessionRequest,
  deadline: Deadline,
  onClose: (close: () => void) => void,
): Promise<Transport> {
  const { name } = request;
  const last = lastJump(request.settings);
  if (last === undefined) return openProxyCommand(request.settings, name) ?? openTcp(request.settings, name);
  const hop = await deadline.untimed(openJump(request, last));
  onClose(() => {
    hop.close();
  });
  const { hostname, port } = request.settings;
  const stream = await forwardThrough(hop, hostname, port, name);
  return {
    stream,
    ready: Promise.resolve(),
    reason: () => Promise.resolve(undefined),
    close: () => {
      stream.destroy();
    },
  };
}

/** A jump host is a session of its own, with its own settings, key check, login and time limit. */
async function openJump(request: SessionRequest, jump: LastJump): Promise<SshSession> {
  const { sshPath, signal } = request.request;
  const settings = await readJump(jump, sshPath, request.state.readSettings, signal);
  const name = `Jump host ${settings.originalHost} (to ${request.request.address.entry})`;
  const session = openSession({
    ...request,
    // An agent is for the server, not for who is on the way to it.
    request: { ...request.request, agent: undefined },
    name,
    settings,
    onLogin: () => ({ takeBack: () => undefined }),
  });
  return session.catch((thrown: unknown) => {
    // What is tried again for a jump host has been tried here.
    throw asDurantError(thrown).with({ server: request.request.address.entry });
  });
}

function forwardThrough(hop: SshSession, host: string, port: number, server: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    hop.lost.catch(reject);
    hop.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (error === undefined) {
        resolve(channel);
        return;
      }
      reject(
        new DurantError(
          'host-unreachable',
          `${server} cannot be reached: the jump host ${hop.settings.originalHost} could not connect to ${host}:${port} (${error.message.replace('(SSH) ', '')}).`,
          { remedy: 'Check the address as seen from there, and AllowTcpForwarding.', server, cause: error },
        ),
      );
    });
  });
}
