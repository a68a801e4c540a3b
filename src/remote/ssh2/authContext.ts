/** What the parts of a login share. */
import { DurantError } from '../../errors.ts';
import type { AuthenticationMethod, SshSettings } from '../settingsText.ts';
import type { Prompter } from '../target.ts';
import type { AuthenticationMessage } from './internals.ts';
import type { KeyRing } from './keys.ts';

/** What was tried so far; kept when a server that counts attempts has ended the connection and another one goes on. */
export interface AuthenticationProgress {
  /** Fingerprints of keys that the server refused. */
  readonly refusedKeys: Set<string>;
  /** For people, in order. */
  readonly tried: string[];
  /** Methods that are used up. */
  readonly exhausted: Set<AuthenticationMethod>;
  passwordAttempts: number;
  /** Where a question found nobody to answer it. */
  unanswered: string | undefined;
}

export function newProgress(): AuthenticationProgress {
  return {
    refusedKeys: new Set(),
    tried: [],
    exhausted: new Set(),
    passwordAttempts: 0,
    unanswered: undefined,
  };
}

/** Passwords that were right, by user@host:port, for a further connection of the same session. */
export type KnownPasswords = Map<string, string>;

export interface AuthenticationContext {
  readonly server: string;
  /** The same, or the jump host that it is. */
  readonly name: string;
  readonly settings: SshSettings;
  readonly keys: Promise<KeyRing>;
  readonly prompt: Prompter;
  readonly signal: AbortSignal;
  readonly passwords: KnownPasswords;
  readonly progress: AuthenticationProgress;
  /** Stops the connection's clock while a person is asked. */
  readonly untimed: <T>(work: Promise<T>) => Promise<T>;
  /** Requests that may follow a signed one before its answer (RFC 4252 §6), and how to take them back when it is refused. */
  readonly ahead: { send(): void; takeBack(): void };
}

/** How one method ended. */
export type Reply = Extract<AuthenticationMessage, { kind: 'success' | 'failure' }>;

/** The next message. Rejects when the connection ends. */
export type NextMessage = () => Promise<AuthenticationMessage>;

/** The reply to a request that leaves the server no other choice. */
export async function answer(next: NextMessage): Promise<Reply> {
  return expectReply(await next());
}

/** @throws {DurantError} `connection-unsupported` for anything else. */
export function expectReply(message: AuthenticationMessage): Reply {
  if (message.kind === 'success' || message.kind === 'failure') return message;
  throw new DurantError(
    'connection-unsupported',
    'The server sent an unexpected answer during authentication.',
    { remedy: 'Set ssh_client: openssh.' },
  );
}

/** Whose login it is, for people: the account, and the host as it was asked for. */
export function loginWords({
  settings,
  server,
  name,
}: Pick<AuthenticationContext, 'settings' | 'server' | 'name'>): string {
  const { user, originalHost, hostname } = settings;
  const host = originalHost === hostname ? hostname : `${originalHost} (${hostname})`;
  return name === server ? `${user} on ${host}` : `${user} on ${host}, ${name.replace('Jump', 'jump')}`;
}
