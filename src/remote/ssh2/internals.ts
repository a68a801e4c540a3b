/**
 * The parts of ssh2 that its public interface does not offer and that round trips depend on: authentication message by message, and
 * channels before the server has answered. Everything that touches ssh2's private names is in this file; it checks that they are
 * there, so another version of ssh2 fails at once and by name instead of strangely. What it is for: the first command has ended 6 round
 * trips after the connection was begun, by ssh2's public interface (`privateKey`, `exec`) 10.
 */
import { createSecretKey } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import type { Client, ClientChannel, ParsedKey } from 'ssh2';
import { bug } from '../../errors.ts';

/** Sends one authentication request (RFC 4252, 4256); the answers come through `onMessages`. */
export interface AuthenticationProtocol {
  authNone(user: string): void;
  /** Without `sign` it only asks whether the key would do. */
  authPK(
    user: string,
    key: ParsedKey,
    algorithm: string,
    sign?: (data: Buffer, done: (signature: Buffer) => void) => void,
  ): void;
  authPassword(user: string, password: string): void;
  authKeyboard(user: string): void;
  authInfoRes(answers: readonly string[]): void;
  /** A keep-alive request, which every server answers. */
  ping(): void;
  /** Asks for the agent to be forwarded; `channel` is the server's number. */
  openssh_agentForward(channel: number, wantReply: boolean): void;
}

/** One question of keyboard-interactive. */
export interface KeyboardPrompt {
  readonly prompt: string;
  readonly echo: boolean;
}

/** What the server says while a client authenticates. */
export type AuthenticationMessage =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly methods: readonly string[]; readonly partial: boolean }
  | { readonly kind: 'key-accepted' }
  | { readonly kind: 'password-change' }
  | {
      readonly kind: 'questions';
      readonly name: string;
      readonly instructions: string;
      readonly prompts: readonly KeyboardPrompt[];
    };

export interface Ssh2Internals {
  readonly protocol: AuthenticationProtocol;
  /** Takes over authentication: ssh2's own logic sees success only. */
  onMessages(listener: (message: AuthenticationMessage) => void): void;
  /** Called when the server has accepted the service `ssh-userauth`. */
  onServiceAccepted(listener: () => void): void;
  /** Signature algorithms that the server has named (RFC 8308), once it has. */
  readonly signatureAlgorithms: readonly string[] | undefined;
  /** The server's software, e.g. `OpenSSH_9.2p1`, once its first line is in. */
  readonly serverSoftware: string | undefined;
  /**
   * Asks for a session channel and for a command in it as soon as that is open. `opened` is called when the command has been
   * requested, one round trip before the server says that it was started; input may be written from then on.
   * @returns takes the request back where the server has never seen it (sent ahead of a refused authentication).
   */
  openCommand(
    command: string,
    opened: (channel: ClientChannel) => void,
    failed: (error: Error) => void,
  ): () => void;
}

type Handler = (...parameters: unknown[]) => unknown;

/**
 * @param forwards the client's agent: asked for with the first channel, without waiting for the answer. Every session then has it.
 * @throws {DurantError} `internal` where ssh2 looks different inside. Call right after `client.connect`.
 */
export function openInternals(client: Client, forwards = false): Ssh2Internals {
  const protocol = part(client, '_protocol', isAuthenticationProtocol);
  const handlers = part(protocol, '_handlers', isHandlers);
  const channels = part(client, '_chanMgr', isChannelManager);
  const opening = new Map<number, (channel: ClientChannel) => void>();
  let listener: (message: AuthenticationMessage) => void = () => undefined;
  let onAccepted: () => void = () => undefined;
  let signatureAlgorithms: readonly string[] | undefined;
  let asksForAgent = false;

  /**
   * Says anything at all, which carries the TCP acknowledgement along. While logging in, sshd sends small pieces under Nagle's rule, each
   * held back until the one before is acknowledged, which this end's kernel puts off by up to 40 ms.
   */
  const acknowledge = (): void => {
    if (isModernOpenssh(serverSoftware())) protocol.ping();
  };
  const serverSoftware = (): string | undefined => {
    const version: unknown = Reflect.get(client, '_remoteVer');
    return typeof version === 'string' ? version : undefined;
  };

  const original = (name: string): Handler => part(handlers, name, isFunction);
  const success = original('USERAUTH_SUCCESS');
  const extension = original('EXT_INFO');
  const confirmation = original('CHANNEL_OPEN_CONFIRMATION');
  const globalRequest = original('GLOBAL_REQUEST');
  Object.assign(handlers, {
    SERVICE_ACCEPT: () => {
      prepareKeys(protocol);
      acknowledge();
      onAccepted();
    },
    EXT_INFO: (self: unknown, extensions: unknown) => {
      signatureAlgorithms ??= serverSignatureAlgorithms(extensions);
      extension(self, extensions);
    },
    GLOBAL_REQUEST: (self: unknown, name: unknown, ...rest: unknown[]) => {
      // The list of further host keys, which nobody here uses; ssh2 would have the server prove each.
      if (name === 'hostkeys-00@openssh.com') acknowledge();
      else globalRequest(self, name, ...rest);
    },
    USERAUTH_SUCCESS: (self: unknown) => {
      success(self);
      acknowledge();
      listener({ kind: 'success' });
    },
    USERAUTH_FAILURE: (_self: unknown, methods: readonly string[], partial: boolean) => {
      listener({ kind: 'failure', methods, partial });
    },
    USERAUTH_PK_OK: () => {
      listener({ kind: 'key-accepted' });
    },
    USERAUTH_PASSWD_CHANGEREQ: () => {
      listener({ kind: 'password-change' });
    },
    USERAUTH_INFO_REQUEST: (
      _self: unknown,
      name: string,
      instructions: string,
      prompts: readonly KeyboardPrompt[],
    ) => {
      listener({ kind: 'questions', name, instructions, prompts });
    },
    CHANNEL_OPEN_CONFIRMATION: (
      self: unknown,
      info: { readonly recipient: number; readonly sender: number },
    ) => {
      if (forwards && !asksForAgent) {
        asksForAgent = true;
        protocol.openssh_agentForward(info.sender, false);
        // What ssh2 looks at when the server opens a channel to the agent.
        Object.assign(client, { _agentFwdEnabled: true });
      }
      // ssh2 makes the channel and requests the command in here.
      confirmation(self, info);
      const opened = opening.get(info.recipient);
      opening.delete(info.recipient);
      const channel = channels.get(info.recipient);
      if (opened !== undefined && isChannel(channel)) opened(channel);
    },
  });

  return {
    protocol,
    onMessages: (next) => {
      listener = next;
    },
    onServiceAccepted: (next) => {
      onAccepted = next;
    },
    get signatureAlgorithms() {
      return signatureAlgorithms;
    },
    get serverSoftware() {
      return serverSoftware();
    },
    openCommand: (command, opened, failed) => {
      client.exec(command, (error) => {
        if (error !== undefined) failed(error);
      });
      // ssh2 numbers channels upwards; this one got the newest number.
      const id = channels._cur;
      opening.set(id, opened);
      return () => {
        opening.delete(id);
        channels.remove(id);
      };
    },
  };
}

/**
 * ssh2 makes a cipher or a MAC for each packet. From a key in bytes that takes Node several times as long as from an object: it looks
 * first whether the bytes are one, by an exception. After a new key exchange, which takes a gigabyte, it is as slow as before.
 */
function prepareKeys(protocol: object): void {
  for (const name of ['_cipher', '_decipher']) {
    const side: unknown = Reflect.get(protocol, name);
    if (typeof side !== 'object' || side === null) continue;
    for (const field of ['_encKey', '_decipherKey', '_macKey']) {
      const key: unknown = Reflect.get(side, field);
      if (Buffer.isBuffer(key)) Reflect.set(side, field, createSecretKey(key));
    }
  }
}

function part<T>(owner: object, name: string, is: (value: unknown) => value is T): T {
  const value: unknown = Reflect.get(owner, name);
  if (is(value)) return value;
  throw bug(
    `This version of ssh2 does not have the ${name} that Durant uses (ssh_client: openssh does without).`,
  );
}

function hasFunctions(value: unknown, names: readonly string[]): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function isAuthenticationProtocol(value: unknown): value is AuthenticationProtocol {
  return hasFunctions(value, [
    'authNone',
    'authPK',
    'authPassword',
    'authKeyboard',
    'authInfoRes',
    'ping',
    'openssh_agentForward',
  ]);
}

function isHandlers(value: unknown): value is object {
  return hasFunctions(value, [
    'SERVICE_ACCEPT',
    'USERAUTH_SUCCESS',
    'USERAUTH_FAILURE',
    'USERAUTH_PK_OK',
    'USERAUTH_INFO_REQUEST',
  ]);
}

interface ChannelManager {
  readonly _cur: number;
  get(id: number): unknown;
  remove(id: number): void;
}

function isChannelManager(value: unknown): value is ChannelManager {
  return hasFunctions(value, ['get', 'remove']) && typeof Reflect.get(value, '_cur') === 'number';
}

function isFunction(value: unknown): value is Handler {
  return typeof value === 'function';
}

function isChannel(value: unknown): value is ClientChannel {
  return hasFunctions(value, ['write', 'close', 'on']) && 'stderr' in value;
}

function serverSignatureAlgorithms(extensions: unknown): readonly string[] | undefined {
  if (!Array.isArray(extensions)) return undefined;
  const found: unknown = extensions.find(
    (extension: unknown) =>
      typeof extension === 'object' &&
      extension !== null &&
      Reflect.get(extension, 'name') === 'server-sig-algs',
  );
  const algorithms: unknown =
    typeof found === 'object' && found !== null ? Reflect.get(found, 'algs') : undefined;
  return Array.isArray(algorithms) ? algorithms.map(String) : undefined;
}

/** A channel's two output streams and its input, with the names that `ScriptChannel` uses. */
export function channelStreams(channel: ClientChannel): {
  readonly stdin: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
} {
  return { stdin: channel, stdout: channel, stderr: channel.stderr };
}

/** OpenSSH since 7.4, which takes what is sent ahead of an answer in order, as the RFC has it. */
export function isModernOpenssh(software: string | undefined): boolean {
  const version = /^OpenSSH_(\d+)\.(\d+)/.exec(software ?? '');
  if (version === null) return false;
  return Number(version[1]) > 7 || (Number(version[1]) === 7 && Number(version[2]) >= 4);
}
