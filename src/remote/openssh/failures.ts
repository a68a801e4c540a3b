/** What `ssh` wrote before it gave up, as an error with a remedy. Pure. */
import { DurantError, errorOf, type ErrorCode, fieldsOf } from '../../errors.ts';
import { saysDropped } from '../retryDropped.ts';
import type { SshSettings } from '../sshSettings.ts';

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** @param key type and fingerprint of the key that the server showed, in words. */
  readonly say: (server: string, reason: string, key: string) => string;
  readonly remedy: string;
}

/** First match wins: the specific ones come before what `ssh` says in every such case. */
const meanings: readonly Meaning[] = [
  {
    pattern:
      /Error checking host key .* in revoked keys file|Bad configuration option|Unsupported option|terminating, .* bad configuration|no matching (host key|cipher|key exchange|MAC)|unknown option|illegal option/i,
    code: 'connection-unsupported',
    say: (server, reason) => `ssh cannot connect to ${server} like this (${reason}).`,
    remedy: 'Correct the ssh configuration.',
  },
  {
    pattern: /REVOKED HOST KEY|host key .*revoked|marked as revoked/i,
    code: 'host-key-revoked',
    say: (server, _reason, key) => `The ${key} of ${server} is revoked in known_hosts or by RevokedHostKeys.`,
    remedy: 'Do not connect until its administrator has given it a new key.',
  },
  {
    pattern: /HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/,
    code: 'host-key-changed',
    say: (server, _reason, key) =>
      `The ${key} of ${server} is not the one in known_hosts: either the server was set up again, or someone is intercepting the connection.`,
    remedy: 'Ask its administrator for the fingerprint before removing the old key with ssh-keygen -R.',
  },
  {
    pattern: /requested strict checking|Host key verification failed/,
    code: 'host-unknown',
    say: (server, _reason, key) => `The ${key} of ${server} is not in known_hosts.`,
    remedy: 'Compare the fingerprint, then add the key with ssh-keyscan or connect once with ssh.',
  },
  {
    pattern:
      /Permission denied \(|Too many authentication failures|No more authentication methods|Authentication failed/,
    code: 'authentication-failed',
    say: (server, reason) => `${server} refused the login (${reason}).`,
    remedy: 'Check the user, ssh_identity and the keys in the agent.',
  },
  {
    pattern:
      /Could not resolve|Connection refused|No route to host|timed out|timeout|unreachable|Connection (closed|reset)|kex_exchange_identification|banner exchange|Broken pipe/i,
    code: 'host-unreachable',
    say: (server, reason) => `${server} cannot be reached (${reason}).`,
    remedy: 'Check its name, its port and the network.',
  },
];

/** Lines that `ssh` wrote for people: without those of its debug levels. */
export function spokenLines(log: string): readonly string[] {
  return log
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== '' && !/^debug\d: |^OpenSSH_|^Authenticat|^Transferred: |^Bytes per second: /.test(line),
    );
}

/** The cause of a failure after which the connection may be tried again. */
export const droppedEarly = Symbol('dropped before the greeting');

/** As much of a jump host's settings as its failures are known by. */
export type JumpName = Pick<SshSettings, 'originalHost' | 'hostname' | 'port' | 'user'>;

/** The error for an `ssh` that ended before it was connected; where it was a jump host that failed, that one is named. */
export function connectFailure(server: string, log: string, jumps: readonly JumpName[] = []): DurantError {
  const spoken = spokenLines(log);
  const failed = failedJump(spoken, jumps);
  const told = failureOf(
    failed === undefined ? server : `Jump host ${failed.jump.originalHost} (to ${server})`,
    log,
    failed === undefined ? spoken : [failed.line],
  );
  // Where a jump host could not go on, the next connection ends so, too; but then there is more to be read.
  const isDropped =
    spoken.some(saysDropped) &&
    spoken.every((line) => saysDropped(line) || /^(Connection (closed|reset) by|Warning:) /.test(line));
  return errorOf({ ...fieldsOf(told), server }, isDropped ? droppedEarly : undefined);
}

/** The jump host that ssh names in what it says. */
function failedJump(
  lines: readonly string[],
  jumps: readonly JumpName[],
): { readonly jump: JumpName; readonly line: string } | undefined {
  for (const line of lines)
    for (const jump of jumps) {
      const isIts =
        line.startsWith(`ssh: connect to host ${jump.hostname} port ${jump.port}:`) ||
        line.startsWith(`ssh: Could not resolve hostname ${jump.hostname}:`) ||
        line.startsWith(`${jump.user}@${jump.hostname}: `);
      if (isIts) return { jump, line };
    }
  return undefined;
}

function failureOf(server: string, log: string, lines: readonly string[]): DurantError {
  const text = lines.join('\n');
  const meaning = meanings.find(({ pattern }) => pattern.test(text));
  const last = lines.at(-1) ?? 'it gave no reason';
  if (!meaning)
    return new DurantError('host-unreachable', `ssh could not connect to ${server} (${last}).`, {
      remedy: 'Try the same with ssh in a terminal.',
      server,
    });
  const reason = lines.findLast((line) => meaning.pattern.test(line)) ?? last;
  return new DurantError(meaning.code, meaning.say(server, reason, keyShown(log)), {
    remedy: meaning.remedy,
    server,
  });
}

/** The last one counts: with jump hosts there is one for each host on the way. */
function keyShown(log: string): string {
  const [, type, fingerprint] = [...log.matchAll(/Server host key: (\S+) (SHA256:\S+)/g)].at(-1) ?? [];
  return type === undefined || fingerprint === undefined ? 'host key' : `${type} host key (${fingerprint})`;
}

/** The error for a connection that had been there. */
export function lostConnection(server: string, log: string): DurantError {
  const reason = spokenLines(log).at(-1);
  const because = reason === undefined ? '' : ` (${reason})`;
  return new DurantError('connection-lost', `The connection to ${server} was lost${because}.`, {
    remedy: 'Run again: the next run first clears up what was left.',
    server,
  });
}
