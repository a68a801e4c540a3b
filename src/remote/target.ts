/**
 * What a server can do for the engine: run a POSIX sh script with an input, forward a port, rename over a link. `local`, `ssh2` and
 * `openssh` implement this one interface and pass the one test suite `test/remote/target.test.ts`.
 */
import type { Duplex, Readable } from 'node:stream';
import type { HostKey } from './knownHosts.ts';

/** A server entry of durant.conf, e.g. `deploy@web1:2222`. */
export interface ServerAddress {
  /** The entry as written, without its roles: its name in events, errors and `--server`. */
  readonly entry: string;
  /** Host name, alias of the ssh configuration, or address (IPv6 without brackets). */
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** True where the stage deploys to this machine without SSH. */
  readonly local: boolean;
  /** What the server is there for; empty: everything. */
  readonly roles: readonly string[];
}

/** One script for the server's `sh`. */
export interface RemoteCommand {
  /** POSIX sh text. It travels through standard input, never through a command line, so it may hold secrets. */
  readonly script: string;
  /** What the script reads from standard input (after the script itself). None: standard input is empty. */
  readonly input?: Readable | Buffer;
  /** Called with each piece of output as it arrives. With it, `stdout`/`stderr` of the result keep only the last 64 KiB. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Abort ends the script's whole process group on the server, then rejects with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Milliseconds; when they have passed the process group is ended and the call rejects with `timeout`. */
  readonly timeoutMs?: number;
}

/** What is asked of a server: a script that changes nothing there, and how what it prints is read. */
export interface Query<Answer> {
  readonly script: string;
  readonly parse: (stdout: Buffer) => Answer;
}

/** How a script ended. A non-zero status is a result, not an error. */
export interface RemoteResult {
  /** Exit status; 128 + number where a signal ended it. */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** An open connection to one server, used for everything until `close`. */
export interface Connection {
  readonly address: ServerAddress;
  /** Which client was taken and why, for people: `ssh2 (built in)`, `openssh (hardware key)`, `local`. */
  readonly description: string;
  /** The login user, where known before anything ran. */
  readonly user: string;
  /**
   * Runs a script in its own process group.
   * @throws {DurantError} `connection-lost`, `timeout`, `cancelled`.
   */
  exec(command: RemoteCommand): Promise<RemoteResult>;
  /** A stream to host:port as seen from the server (direct-tcpip); undefined where the client or server cannot. */
  forward(host: string, port: number): Promise<Duplex | undefined>;
  /** Atomic rename over an existing path (SFTP `posix-rename@openssh.com`); undefined where it is not offered. */
  readonly posixRename: ((from: string, to: string) => Promise<void>) | undefined;
  /** How it logged in, for another server that is to log in there, too; a sentence part that says why that cannot be. Undefined: cannot be. */
  readonly login?: () => Promise<Login | { readonly cannot: string }>;
  /** Rejects when the line is found to be lost; undefined where the client learns of it only by what it runs. */
  readonly lost?: Promise<never>;
  /** Ends the connection without waiting for the server. Idempotent. */
  close(): void;
}

/** A login by a key alone, as another server can repeat it through an agent. */
export interface Login {
  readonly user: string;
  /** Address, as seen by whoever logged in. */
  readonly host: string;
  readonly port: number;
  /** The host key, which has been verified. */
  readonly hostKey: HostKey;
  readonly identity: Identity;
}

/** A key that this machine can sign with. */
export interface Identity {
  /** In the wire format of SSH. */
  readonly publicKey: Buffer;
  /** The signature as its algorithm makes it, undefined where it cannot be had. `hash`: which one RSA takes. */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer | undefined>;
}

/** A question that a front end answers. Resolves to undefined where nobody can or wants to answer. */
export type PromptRequest =
  | {
      readonly kind: 'host-key';
      readonly server: string;
      readonly message: string;
      readonly keyType: string;
      readonly fingerprint: string;
    }
  | {
      readonly kind: 'passphrase';
      readonly server: string;
      readonly message: string;
      readonly path: string;
      readonly attempt: number;
    }
  | {
      readonly kind: 'password';
      readonly server: string;
      readonly message: string;
      readonly user: string;
      readonly host: string;
      /** Undefined where it is not known here: that of the ssh configuration, mostly 22. */
      readonly port: number | undefined;
      readonly attempt: number;
    }
  | {
      readonly kind: 'one-time-code';
      readonly server: string;
      readonly message: string;
      readonly echo: boolean;
    }
  | { readonly kind: 'secret'; readonly server: null; readonly message: string; readonly name: string }
  | {
      readonly kind: 'confirm';
      readonly server: string | null;
      readonly message: string;
      /** The text to type; undefined: yes or no. */ readonly expect: string | undefined;
      /** `message` without what has to be typed, in two parts: why it is asked, and what will happen. */
      readonly parts?: { readonly why: string; readonly what: string };
      /** What the answer is about, for people: a line for each commit that goes live or is undone. */
      readonly commits?: readonly string[];
    };

/** Answers: text for text, `yes` for host-key and confirm; undefined for no, cancelled, or nobody there. */
export type Prompter = (request: PromptRequest, signal: AbortSignal) => Promise<string | undefined>;

/** What is needed to open a connection. */
export interface ConnectRequest {
  readonly address: ServerAddress;
  /** `user`, `ssh_port`, `ssh_identity` of the stage; the entry's own user and port win. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly identity: string | undefined;
  readonly client: 'auto' | 'ssh2' | 'openssh';
  readonly hostKeyChecking: 'ask' | 'strict' | 'accept-new';
  /** Whether an accepted new host key may be written to known_hosts (not in a dry run). */
  readonly mayAddHostKeys: boolean;
  readonly connectTimeoutMs: number;
  /** How long a connection may stay open for the next command; 0 or undefined: it ends with this one. */
  readonly keepMs?: number | undefined;
  /** An agent that what runs on the server finds at SSH_AUTH_SOCK: each stream is a connection to it. Such a connection is never kept. */
  readonly agent?: { open(): Duplex } | undefined;
  readonly prompt: Prompter;
  readonly signal: AbortSignal;
  /** Path of OpenSSH's `ssh`; default `ssh` on the PATH. */
  readonly sshPath?: string | undefined;
  /** Told what a user may want to know: a key that was added, the client that was taken. */
  readonly onNotice?: (code: string, message: string) => void;
}

/** Opens a connection. @throws {DurantError} see the connection codes of errors.ts. */
export type Connect = (request: ConnectRequest) => Promise<Connection>;
