/** Key exchange, host key and login over a transport that is open, and what it means when that fails. */
import ssh2, { type Client } from 'ssh2';
import { DurantError, errorOf, fieldsOf } from '../../errors.ts';
import { hostKeyFromBlob, type HostKey, type KnownHostsEntry } from '../knownHosts.ts';
import type { SshSettings } from '../sshSettings.ts';
import { agentOf } from './agent.ts';
import { authenticate } from './auth.ts';
import type { AuthenticationProgress } from './authContext.ts';
import type { Deadline } from './deadline.ts';
import { hostKeyAlgorithms, verifyHostKey } from './hostKey.ts';
import {
  isModernOpenssh,
  openInternals,
  type AuthenticationMessage,
  type Ssh2Internals,
} from './internals.ts';
import type { KeyCandidate, KeyRing } from './keys.ts';
import type { Line, SessionRequest, SshSession } from './sessionRequest.ts';
import { unreachable, writtenTogether, type Transport } from './transport.ts';
import { saysDropped } from '../retryDropped.ts';

const defaultKeepAliveSeconds = 15;
const defaultKeepAliveCount = 3;

/** The cause of a failure of a connection that ended before the host had greeted. */
export const droppedEarly = Symbol('dropped before the greeting');

/** The cause of a failure after which another connection may try the keys that are left. */
export const tooManyAttempts = Symbol('the server counts attempts');

export interface HandshakeParts {
  readonly transport: Transport;
  readonly entries: readonly KnownHostsEntry[];
  readonly keys: Promise<KeyRing>;
  readonly progress: AuthenticationProgress;
  readonly deadline: Deadline;
  readonly closeAll: () => void;
}

/** @throws {DurantError} the connection codes. */
export async function handshake(request: SessionRequest, parts: HandshakeParts): Promise<SshSession> {
  const { settings, state } = request;
  const { hostKeyChecking, mayAddHostKeys, prompt, signal, onNotice, address, agent } = request.request;
  const server = address.entry;
  const { name } = request;
  const client = new ssh2.Client();
  const line: { ready: boolean; up: boolean; internals?: Ssh2Internals; hostKey?: HostKey } = {
    ready: false,
    up: true,
  };
  let reject: (error: DurantError) => void = () => undefined;
  const lost = new Promise<never>((_resolve, no) => {
    reject = no;
  });
  lost.catch(() => undefined);
  /** The first cause counts; what follows from it is noise. */
  const fail = (error: Error | undefined): void => {
    if (!line.up) return;
    line.up = false;
    const { ready } = line;
    const greeted = line.internals?.serverSoftware !== undefined;
    void parts.transport
      .reason()
      .then((reason) => {
        reject(explainFailure(error, reason, { ready, greeted, server, name, settings, parts }));
      })
      .catch(reject);
  };
  client.on('error', fail);
  client.on('close', () => {
    fail(undefined);
  });
  // It may have ended before ssh2 listens.
  parts.transport.stream.once('close', () => {
    fail(undefined);
  });
  if (parts.transport.stream.destroyed) fail(undefined);

  client.connect({
    sock: writtenTogether(parts.transport.stream),
    username: settings.user,
    ...(agent && { agent: agentOf(agent) }),
    readyTimeout: 0,
    keepaliveInterval: (settings.serverAliveInterval || defaultKeepAliveSeconds) * 1000,
    keepaliveCountMax:
      settings.serverAliveInterval > 0 ? settings.serverAliveCountMax : defaultKeepAliveCount,
    algorithms: { serverHostKey: hostKeyAlgorithms(parts.entries, settings) },
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
            line.hostKey ??= hostKeyFromBlob(blob);
            // The line may have gone while a question was being answered; ssh2 then throws.
            if (line.up) verify(true);
          },
          (error: unknown) => {
            // Ends the attempt, and with it the line: ssh2 need not hear of it, and throws where the line has gone already.
            fail(error instanceof Error ? error : new Error(String(error)));
          },
        );
    },
  });
  const internals = openInternals(client, agent !== undefined);
  line.internals = internals;
  const isUp = (): boolean => line.up;
  const key = await Promise.race([lost, login(client, request, parts, { internals, lost, isUp })]);
  line.ready = true;
  return {
    client,
    internals,
    settings,
    hostKey: line.hostKey,
    key,
    lost,
    isUp,
    close: () => {
      client.destroy();
      parts.closeAll();
    },
  };
}

async function login(
  client: Client,
  request: SessionRequest,
  parts: HandshakeParts,
  line: Line,
): Promise<KeyCandidate | undefined> {
  const { settings, secrets } = request;
  const { internals, lost } = line;
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
    ahead ??= request.onLogin(line);
  };
  const key = await authenticate(internals, inbox, {
    server: request.request.address.entry,
    name: request.name,
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
  return key;
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
  /** Whether the host has greeted. */
  readonly greeted: boolean;
  readonly server: string;
  /** What the host is called. */
  readonly name: string;
  readonly settings: SshSettings;
  readonly parts: HandshakeParts;
}

/** @param said what the way there had to say. */
function explainFailure(
  error: Error | undefined,
  said: string | undefined,
  facts: FailureFacts,
): DurantError {
  const { server, name, settings, parts } = facts;
  if (error instanceof DurantError) return error;
  const reason = said ?? error?.message ?? 'the other end closed it';
  if (facts.ready)
    return new DurantError('connection-lost', `The connection to ${name} was lost (${reason}).`, {
      remedy: 'Check the network and run again: the next run first clears up what was left.',
      server,
      cause: error,
    });
  if (parts.progress.tried.length > 0)
    return new DurantError(
      'authentication-failed',
      `${settings.user}@${settings.hostname}:${settings.port} ended the connection while logging in (${reason}) after: ${parts.progress.tried.join(', ')}.`,
      {
        remedy: 'Name the right key with ssh_identity, so that no other is tried.',
        server,
        cause: tooManyAttempts,
      },
    );
  if (error !== undefined && 'level' in error && error.level === 'handshake')
    return new DurantError(
      'connection-unsupported',
      `${name}: no matching key exchange, cipher or host key algorithm (${reason}).`,
      { remedy: 'Set ssh_client: openssh.', server, cause: error },
    );
  const told = unreachable(
    name,
    `${settings.hostname}:${settings.port}`,
    said === undefined ? (error ?? new Error(reason)) : new Error(said),
  );
  const wasDropped = !facts.greeted && (said === undefined || saysDropped(said));
  return errorOf({ ...fieldsOf(told), server }, wasDropped ? droppedEarly : told.cause);
}
