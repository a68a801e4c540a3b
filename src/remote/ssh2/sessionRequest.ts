/** What a connection is opened with, and what comes of it. */
import type { Client } from 'ssh2';
import type { HostKey } from '../knownHosts.ts';
import type { ReadSettings, SshSettings } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';
import type { KnownPasswords } from './authContext.ts';
import type { HostKeyDecisions } from './hostKey.ts';
import type { Ssh2Internals } from './internals.ts';
import type { KeyCandidate, OpenedKeys } from './keys.ts';

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
  /** What errors and questions call the host: the server's entry, or the jump host that it is. */
  readonly name: string;
  readonly request: ConnectRequest;
  readonly settings: SshSettings;
  readonly state: SessionState;
  readonly secrets: SessionSecrets;
  /** Sent along with a signed login where the server is known to take it, and after the login otherwise. */
  readonly onLogin: (line: Line) => { takeBack(): void };
}

/** A connection that is up, or about to be. */
export interface Line {
  readonly internals: Ssh2Internals;
  /** Rejects when the connection is gone, with `connection-lost`; never resolves. */
  readonly lost: Promise<never>;
  /** False as soon as the connection is gone, which may be before it is known why. */
  isUp(): boolean;
}

export interface SshSession extends Line {
  readonly client: Client;
  readonly settings: SshSettings;
  /** The server's key, verified. */
  readonly hostKey: HostKey | undefined;
  /** What it logged in with, where that was a key alone. */
  readonly key: KeyCandidate | undefined;
  /** Ends it and the jump hosts in front of it without waiting. */
  close(): void;
}
