/** One authenticated SSH connection: its way there (TCP, ProxyCommand, jump hosts), the handshake, the host key, the login. */
import type { Duplex } from 'node:stream';
import ssh2, { type Client } from 'ssh2';
import { DurantError } from '../../errors.ts';
import type { ReadSettings, SshSettings } from '../settings.ts';
import type { ConnectRequest } from '../target.ts';
import {
  authenticate,
  isModernOpenssh,
  newProgress,
  type AuthenticationProgress,
  type KnownPasswords,
} from './auth.ts';
import { startDeadline, type Deadline } from './deadline.ts';
import { hostKeyAlgorithms, readKnownHosts, verifyHostKey, type HostKeyDecisions } from './hostKey.ts';
import { openInternals, type AuthenticationMessage, type Ssh2Internals } from './internals.ts';
import { jumpHosts, type JumpHost } from './jump.ts';
import { collectKeys, type KeyRing, type OpenedKeys } from './keys.ts';
import { openProxyCommand, openTcp, unreachable, type Transport } from './transport.ts';

export interface SshSession {
  readonly client: Client;
  readonly internals: Ssh2Internals;
  readonly settings: SshSettings;
  /** Rejects when the connection is gone, with `connection-lost`; never resolves. */
  readonly lost: Promise<never>;
  /** Ends it and the jump hosts in front of it without waiting. */
  close(): void;
}

/** What is shared by the connections of one run or one editor. */
export interface SessionState {
  readonly readSettings: ReadSettings;
  readonly hostKeyDecisions: HostKeyDecisions;
  readonly openedKeys: OpenedKeys;
}

/** What one connection keeps for another to the same server, for ending remote processes through it. */
export interface SessionSecrets {
  readonly passwords: KnownPasswords;
  readonly acceptedHostKeys: Set<string>;
}

export interface SessionRequest {
  readonly request: ConnectRequest;
  readonly settings: SshSettings;
  readonly state: SessionState;
  readonly secrets: SessionSecrets;
  /** Sent along with a signed login where the server is known to take it, and after the login otherwise. */
  readonly onLogin: (internals: Ssh2Internals, lost: Promise<never>) => { takeBack(): void };
}

/** ssh2's defaults without SHA-1 signatures of host keys, in its order. */
const hostKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

/** How often a server that has ended the connection for too many attempts is called again for the keys that are left. */
const maxConnections = 4;
const defaultKeepAliveSeconds = 15;
const defaultKeepAliveCount = 3;

/**
 * Connects and logs in.
 * @throws {DurantError} `host-unreachable`, the host key codes, `authentication-failed`, `connection-unsupported`, `cancelled`.
 */
export async function openSession(request: SessionRequest): Promise<SshSession> {
  const progress = newProgress();
  for (let connection = 1; ; connection += 1) {
    const before = progress.tried.length;
    try {
      return await openOnce(request, progress);
    } catch (error) {
      // Each connection must have got further than the last.
      const counted = error instanceof DurantError && error.cause === tooManyAttempts;
      if (!counted || connection === maxConnections || progress.tried.length === before) throw error;
    }
  }
}

const tooManyAttempts = Symbol('the server counts attempts');

async function openOnce(request: SessionRequest, progress: AuthenticationProgress): Promise<SshSession> {
  const { settings, state } = request;
  const { signal, address } = request.request;
  const server = address.entry;
  const deadline = startDeadline(
    request.request.connectTimeoutMs,
    () =>
      new DurantError(
        'host-unreachable',
        `${server} did not answer within ${request.request.connectTimeoutMs / 1000} s. Check the address and the network, or raise connect_timeout.`,
        { server },
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
      reject(new DurantError('cancelled', 'Cancelled.', { server }));
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
  const server = request.request.address.entry;
  const jumps = jumpHosts(request.settings);
  const last = jumps.at(-1);
  if (last === undefined)
    return openProxyCommand(request.settings, server) ?? openTcp(request.settings, server);
  const hop = await deadline.untimed(openJump(request, last, jumps.slice(0, -1)));
  onClose(() => {
    hop.close();
  });
  const { hostname, port } = request.settings;
  const stream = await forwardThrough(hop, hostname, port, server);
  return {
    stream,
    ready: Promise.resolve(),
    reason: () => undefined,
    close: () => {
      stream.destroy();
    },
  };
}

/** A jump host is a session of its own, with its own settings, key check, login and time limit. */
async function openJump(
  request: SessionRequest,
  jump: JumpHost,
  before: readonly JumpHost[],
): Promise<SshSession> {
  const settings = await request.state.readSettings(
    { ...jump, identity: undefined, sshPath: request.request.sshPath },
    request.request.signal,
  );
  return openSession({
    ...request,
    settings:
      before.length === 0
        ? settings
        : { ...settings, proxyCommand: undefined, proxyJump: before.map((hop) => hop.text).join(',') },
    onLogin: () => ({ takeBack: () => undefined }),
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
          `${server} cannot be reached: the jump host ${hop.settings.originalHost} could not connect to ${host}:${port} (${error.message.replace('(SSH) ', '')}). Check the address as seen from there, and AllowTcpForwarding.`,
          { server, cause: error },
        ),
      );
    });
  });
}

interface HandshakeParts {
  readonly transport: Transport;
  readonly entries: Awaited<ReturnType<typeof readKnownHosts>>;
  readonly keys: Promise<KeyRing>;
  readonly progress: AuthenticationProgress;
  readonly deadline: Deadline;
  readonly closeAll: () => void;
}

async function handshake(request: SessionRequest, parts: HandshakeParts): Promise<SshSession> {
  const { settings, state } = request;
  const { hostKeyChecking, mayAddHostKeys, prompt, signal, onNotice, address } = request.request;
  const server = address.entry;
  const client = new ssh2.Client();
  let ready = false;
  let hostKeyFailure: unknown;
  let fail: (error: DurantError) => void = () => undefined;
  const lost = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  lost.catch(() => undefined);
  client.on('error', (error) => {
    fail(explainFailure(error, { ready, server, settings, parts, hostKeyFailure }));
  });
  client.on('close', () => {
    fail(explainFailure(undefined, { ready, server, settings, parts, hostKeyFailure }));
  });

  client.connect({
    sock: parts.transport.stream,
    username: settings.user,
    readyTimeout: 0,
    keepaliveInterval: (settings.serverAliveInterval || defaultKeepAliveSeconds) * 1000,
    keepaliveCountMax:
      settings.serverAliveInterval > 0 ? settings.serverAliveCountMax : defaultKeepAliveCount,
    algorithms: { serverHostKey: knownTypes(hostKeyAlgorithms(hostKeyTypes, parts.entries, settings)) },
    hostVerifier: (blob: Buffer, verify: (valid: boolean) => void) => {
      parts.deadline
        .untimed(
          verifyHostKey(
            blob,
            settings,
            parts.entries,
            {
              hostKeyChecking,
              mayAddHostKeys,
              prompt,
              signal,
              server,
              accepted: request.secrets.acceptedHostKeys,
              ...(onNotice && { onNotice }),
            },
            state.hostKeyDecisions,
          ),
        )
        .then(
          () => {
            verify(true);
          },
          (error: unknown) => {
            hostKeyFailure = error;
            verify(false);
            fail(explainFailure(undefined, { ready, server, settings, parts, hostKeyFailure }));
          },
        );
    },
  });
  const internals = openInternals(client);
  await Promise.race([lost, login(client, internals, request, parts, lost)]);
  ready = true;
  return {
    client,
    internals,
    settings,
    lost,
    close: () => {
      client.destroy();
      parts.closeAll();
    },
  };
}

type HostKeyType = (typeof hostKeyTypes)[number];

function knownTypes(names: readonly string[]): HostKeyType[] {
  return names.flatMap((name) => hostKeyTypes.filter((type) => type === name));
}

async function login(
  client: Client,
  internals: Ssh2Internals,
  request: SessionRequest,
  parts: HandshakeParts,
  lost: Promise<never>,
): Promise<void> {
  const { settings, secrets } = request;
  const inbox = createInbox(internals, lost);
  const accepted = new Promise<void>((resolve) => {
    internals.onServiceAccepted(resolve);
  });
  const keysAgreed = new Promise<void>((resolve) => {
    // ssh2 asks for the service in the same turn, after this event; what follows then needs no answer first.
    client.once('handshake', () => {
      process.nextTick(resolve);
    });
  });
  await Promise.race([lost, keysAgreed]);
  const early = isModernOpenssh(internals.serverSoftware);
  if (!early) await Promise.race([lost, accepted]);

  let ahead: { takeBack(): void } | undefined;
  const send = (): void => {
    ahead ??= request.onLogin(internals, lost);
  };
  await authenticate(internals, inbox, {
    server: request.request.address.entry,
    settings,
    keys: parts.keys,
    prompt: request.request.prompt,
    signal: request.request.signal,
    passwords: secrets.passwords,
    progress: parts.progress,
    untimed: parts.deadline.untimed,
    ahead: {
      send: () => {
        if (early) send();
      },
      takeBack: () => {
        ahead?.takeBack();
        ahead = undefined;
      },
    },
  });
  send();
}

/** Messages in order, each given to one reader. */
function createInbox(internals: Ssh2Internals, lost: Promise<never>): () => Promise<AuthenticationMessage> {
  const messages: AuthenticationMessage[] = [];
  let wake: () => void = () => undefined;
  internals.onMessages((message) => {
    messages.push(message);
    wake();
  });
  return async () => {
    for (;;) {
      const message = messages.shift();
      if (message !== undefined) return message;
      await Promise.race([
        lost,
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      ]);
    }
  };
}

interface FailureFacts {
  readonly ready: boolean;
  readonly server: string;
  readonly settings: SshSettings;
  readonly parts: HandshakeParts;
  readonly hostKeyFailure: unknown;
}

function explainFailure(error: Error | undefined, facts: FailureFacts): DurantError {
  const { server, settings, parts, hostKeyFailure } = facts;
  if (hostKeyFailure instanceof DurantError) return hostKeyFailure;
  const reason = error?.message ?? parts.transport.reason() ?? 'the other end closed it';
  if (facts.ready)
    return new DurantError(
      'connection-lost',
      `The connection to ${server} was lost (${reason}). Check the network and run again: the next run first looks after what was left.`,
      { server, cause: error },
    );
  if (parts.progress.tried.length > 0)
    return new DurantError(
      'authentication-failed',
      `${settings.user}@${settings.hostname}:${settings.port} ended the connection while logging in (${reason}) after: ${parts.progress.tried.join(', ')}. Name the right key with ssh_identity, so that no other is tried.`,
      { server, cause: tooManyAttempts },
    );
  if (error !== undefined && 'level' in error && error.level === 'handshake')
    return new DurantError(
      'connection-unsupported',
      `${server} and the built-in SSH client have no common ground (${reason}). Set ssh_client: openssh.`,
      { server, cause: error },
    );
  const said = parts.transport.reason();
  return unreachable(
    server,
    `${settings.hostname}:${settings.port}`,
    said === undefined ? (error ?? new Error(reason)) : new Error(said),
  );
}
