/**
 * The agent that is forwarded to a server which hands files on (draft-ietf-sshm-ssh-agent, OpenSSH's PROTOCOL.agent). It lives here and
 * holds no key. It answers two requests, for the list of identities and for a signature, and these only to whoever has proved by
 * `session-bind@openssh.com` that the login is one to a receiver: the host key that the run has verified there signed the very session
 * that the signature is for. One signature for each permission; everything else is refused.
 */
import { Duplex } from 'node:stream';
import type { HostKey } from '../knownHosts.ts';
import type { Login } from '../target.ts';
import { isSignatureOf, signatureBy } from './signatures.ts';
import { readWire, wireString, wireUint32 } from './wire.ts';

export interface ForwardedAgent {
  /** A connection of somebody who asks. */
  open(): Duplex;
  /** Allows one login. @returns takes it back, and says why one was refused meanwhile. */
  permit(login: Login): () => string | undefined;
}

const FAILURE = Buffer.from([5]);
const SUCCESS = Buffer.from([6]);
const REQUEST_IDENTITIES = 11;
const IDENTITIES = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const EXTENSION = 27;
/** SSH_MSG_USERAUTH_REQUEST (RFC 4252). */
const LOGIN_REQUEST = 50;
/** As OpenSSH's own agent has it. */
const mostBytes = 256 * 1024;

interface Permission {
  readonly login: Login;
  used: boolean;
}

/** What one connection has proved. */
interface Bound {
  readonly session: Buffer;
  readonly hostKey: Buffer;
}

/** @param sender host key of the server that it is forwarded to. */
export function createForwardedAgent(sender: HostKey): ForwardedAgent {
  const permissions = new Set<Permission>();
  let refusal: string | undefined;

  const answerTo = async (message: Buffer, client: { bound: Bound | undefined }): Promise<Buffer> => {
    const reader = readWire(message);
    const kind = reader.byte();
    if (kind === EXTENSION && reader.text() === 'session-bind@openssh.com') {
      const bound = bind(message.subarray(message.length - reader.left()), client.bound);
      if (bound === undefined) return FAILURE;
      client.bound = bound === 'forwarded' ? undefined : bound;
      return SUCCESS;
    }
    const { bound } = client;
    if (kind !== REQUEST_IDENTITIES && kind !== SIGN_REQUEST) return FAILURE;
    if (bound === undefined) {
      refusal ??= 'its ssh does not say where it logs in to, as OpenSSH does since 8.9';
      return kind === REQUEST_IDENTITIES ? listOf([]) : FAILURE;
    }
    const permission = [...permissions].find(
      ({ login, used }) => !used && login.hostKey.blob.equals(bound.hostKey),
    );
    if (kind === REQUEST_IDENTITIES)
      return listOf(permission === undefined ? [] : [permission.login.identity.publicKey]);
    const asked = reader.bytes();
    const data = reader.bytes();
    const algorithm =
      permission === undefined || !asked.equals(permission.login.identity.publicKey)
        ? undefined
        : algorithmOf(data, bound, permission.login);
    if (permission === undefined || algorithm === undefined) {
      refusal ??= 'it asked for a signature that is none for this login';
      return FAILURE;
    }
    permission.used = true;
    const signature = await signatureBy(permission.login.identity, data, algorithm);
    if (signature === undefined) {
      refusal ??= 'the key could not be used again';
      return FAILURE;
    }
    return Buffer.concat([Buffer.from([SIGN_RESPONSE]), wireString(signature)]);
  };

  /** `forwarded`: the way to the sender itself, which the ssh of this machine says first. */
  const bind = (rest: Buffer, before: Bound | undefined): Bound | 'forwarded' | undefined => {
    const reader = readWire(rest);
    const [hostKey, session, signature] = [reader.bytes(), reader.bytes(), reader.bytes()];
    const isForwarded = reader.byte() !== 0;
    if (before !== undefined || reader.left() > 0) return undefined;
    const known = isForwarded ? [sender] : [...permissions].map(({ login }) => login.hostKey);
    if (!known.some(({ blob }) => blob.equals(hostKey))) {
      refusal ??= 'it was led to another host than the one that this run has checked';
      return undefined;
    }
    if (!isSignatureOf(hostKey, signature, session)) return undefined;
    return isForwarded ? 'forwarded' : { session, hostKey };
  };

  return {
    open: () => {
      const client: { bound: Bound | undefined } = { bound: undefined };
      return agentStream((message) => answerTo(message, client));
    },
    permit: (login) => {
      const permission = { login, used: false };
      permissions.add(permission);
      refusal = undefined;
      return () => {
        permissions.delete(permission);
        return refusal;
      };
    },
  };
}

function listOf(keys: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([IDENTITIES]),
    wireUint32(keys.length),
    ...keys.flatMap((key) => [wireString(key), wireString('durant')]),
  ]);
}

/** The algorithm of the login that would be signed; undefined where it is not exactly the login that was permitted. */
function algorithmOf(data: Buffer, bound: Bound, login: Login): string | undefined {
  const reader = readWire(data);
  const session = reader.bytes();
  const kind = reader.byte();
  const [user, service, method] = [reader.text(), reader.text(), reader.text()];
  const isSigned = reader.byte() !== 0;
  const algorithm = reader.text();
  const key = reader.bytes();
  const isRight =
    session.equals(bound.session) &&
    kind === LOGIN_REQUEST &&
    Buffer.from(user, 'latin1').equals(Buffer.from(login.user)) &&
    service === 'ssh-connection' &&
    (method === 'publickey' ||
      (method === 'publickey-hostbound-v00@openssh.com' && reader.bytes().equals(bound.hostKey))) &&
    isSigned &&
    key.equals(login.identity.publicKey) &&
    reader.left() === 0;
  return isRight ? algorithm : undefined;
}

/** Frames: a length, then as many bytes. Requests are answered in order; a malformed one is refused, an overlong one ends it. */
function agentStream(answer: (message: Buffer) => Promise<Buffer>): Duplex {
  let received = Buffer.alloc(0);
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      received = Buffer.concat([received, chunk]);
      void serve().then(() => done());
    },
    final: (done) => {
      stream.push(null);
      done();
    },
  });
  stream.on('error', () => undefined);
  return stream;

  async function serve(): Promise<void> {
    while (received.length >= 4) {
      const length = received.readUInt32BE();
      if (length > mostBytes) {
        stream.destroy();
        return;
      }
      if (received.length < 4 + length) return;
      const message = received.subarray(4, 4 + length);
      received = received.subarray(4 + length);
      const reply = await answer(message).catch(() => FAILURE);
      if (!stream.destroyed) stream.push(wireString(reply));
    }
  }
}
