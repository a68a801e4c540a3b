/** The arguments of `ssh`. What comes from a configuration is checked before it reaches a command line. Pure but for the checks' errors. */
import { DurantError } from '../../errors.ts';
import { isSafeName } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';

/** Where and as whom: the same for every `ssh` of a connection, so that the ssh configuration matches the same. */
export interface Destination {
  readonly arguments: readonly string[];
  /** Goes last but for the command, after `--`. */
  readonly host: string;
}

/**
 * User and port of the server entry win over those of the stage.
 * @param forwarded socket of the agent that what runs there is to find; undefined: as the ssh configuration has it.
 * @throws {DurantError} `usage` for a value that could be taken for something else on a command line.
 */
export function destination(
  request: Pick<ConnectRequest, 'address' | 'user' | 'port' | 'identity'>,
  forwarded?: string,
): Destination {
  const { address } = request;
  const user = address.user ?? request.user;
  const port = address.port ?? request.port;
  checkWord('host name', address.host, address.entry);
  if (user !== undefined) checkWord('user name', user, address.entry);
  const { identity } = request;
  if (identity?.startsWith('-') === true)
    throw new DurantError('usage', 'ssh_identity must not start with “-”.', {
      remedy: `Write ./${identity}.`,
    });
  return {
    arguments: [
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      // ssh expands % in the name of an identity file.
      ...(identity === undefined ? [] : ['-i', identity.replaceAll('%', '%%')]),
      ...(forwarded === undefined ? [] : option('ForwardAgent', forwarded)),
    ],
    host: address.host,
  };
}

function checkWord(what: string, word: string, server: string): void {
  if (isSafeName(word)) return;
  throw new DurantError(
    'usage',
    `The ${what} of ${server} holds characters that Durant does not give to ssh.`,
    { remedy: 'Use letters, digits and . _ : % - only.', server },
  );
}

/** Overrides of what a user's ssh configuration may say and a deploy cannot use. */
const plainSession = [
  '-T',
  ...option('RemoteCommand', 'none'),
  ...option('PermitLocalCommand', 'no'),
  ...option('ClearAllForwardings', 'yes'),
  ...option('ForwardX11', 'no'),
];

/** A check of durant.conf as ssh writes it. */
export function strictness(checking: ConnectRequest['hostKeyChecking']): string {
  return checking === 'strict' ? 'yes' : checking;
}

/** What host keys are checked by on the way to a server. */
export interface HostKeyFiles {
  /** The server's known_hosts; undefined: those of the ssh configuration. */
  readonly knownHosts: readonly string[] | undefined;
  /** `jumpArguments`. */
  readonly jumps: readonly string[];
}

/** For a process that opens a connection of its own. */
export function connectionArguments(
  request: ConnectRequest,
  { knownHosts, jumps }: HostKeyFiles,
): readonly string[] {
  return [
    ...plainSession,
    ...jumps,
    ...option('StrictHostKeyChecking', strictness(request.hostKeyChecking)),
    ...(knownHosts === undefined ? [] : option('UserKnownHostsFile', knownHosts.map(quoteValue).join(' '))),
    ...(request.mayAddHostKeys ? [] : option('UpdateHostKeys', 'no')),
    ...option('ConnectTimeout', String(Math.max(1, Math.ceil(request.connectTimeoutMs / 1000)))),
    ...option('ServerAliveInterval', '10'),
    ...option('ServerAliveCountMax', '3'),
    ...option('TCPKeepAlive', 'yes'),
  ];
}

/** The process that holds the connection for all others; they reach it through `socket`. */
export function masterArguments(socket: string): readonly string[] {
  return ['-v', '-M', '-N', '-S', socket, ...option('ControlPersist', 'no')];
}

/** A process that uses a master's connection, and may not fall back to one of its own. */
export function sharedArguments(socket: string): readonly string[] {
  return [
    '-v',
    '-S',
    socket,
    ...option('ControlMaster', 'no'),
    ...option('ProxyCommand', 'false'),
    ...plainSession,
  ];
}

/** A process with a connection of its own that is neither offered to others nor taken from them. */
export function separateArguments(log: string): readonly string[] {
  return ['-v', '-E', log, '-S', 'none', ...option('ControlMaster', 'no')];
}

export function option(name: string, value: string): readonly string[] {
  return ['-o', `${name}=${value}`];
}

/** A word of an option that takes several. */
export function quoteValue(value: string): string {
  return /[\s"']/.test(value) ? `"${value}"` : value;
}
