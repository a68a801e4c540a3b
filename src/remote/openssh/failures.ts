/** What `ssh` wrote before it gave up, as an error with a remedy. Pure. */
import { DurantError, type ErrorCode } from '../../errors.ts';

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly say: (server: string, reason: string) => string;
}

/** First match wins: the specific ones come before what `ssh` says in every such case. */
const meanings: readonly Meaning[] = [
  {
    pattern: /REVOKED HOST KEY|host key .*revoked|marked as revoked/i,
    code: 'host-key-revoked',
    say: (server) =>
      `${server} showed a host key that known_hosts marks as revoked; do not connect until its administrator has given it a new key.`,
  },
  {
    pattern: /HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/,
    code: 'host-key-changed',
    say: (server) =>
      `The host key of ${server} is not the one in known_hosts: either the server was set up anew, or somebody is in between. Ask its administrator for the fingerprint before removing the old key with ssh-keygen -R.`,
  },
  {
    pattern: /requested strict checking|Host key verification failed/,
    code: 'host-unknown',
    say: (server) =>
      `The host key of ${server} is not in known_hosts; connect once with ssh to accept it, or run where the question can be answered.`,
  },
  {
    pattern:
      /Permission denied \(|Too many authentication failures|No more authentication methods|Authentication failed/,
    code: 'authentication-failed',
    say: (server, reason) =>
      `${server} let nobody in (${reason}); check user, ssh_identity and the keys in the agent.`,
  },
  {
    pattern:
      /Bad configuration option|Unsupported option|terminating, .* bad configuration|no matching (host key|cipher|key exchange|MAC)|unknown option|illegal option/i,
    code: 'connection-unsupported',
    say: (server, reason) =>
      `ssh cannot connect to ${server} like this (${reason}); correct the ssh configuration.`,
  },
  {
    pattern:
      /Could not resolve|Connection refused|No route to host|timed out|timeout|unreachable|Connection (closed|reset)|kex_exchange_identification|banner exchange|Broken pipe/i,
    code: 'host-unreachable',
    say: (server, reason) =>
      `${server} cannot be reached (${reason}); check its name, its port and the network.`,
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

/** The error for an `ssh` that ended before it was connected. */
export function connectFailure(server: string, log: string): DurantError {
  const lines = spokenLines(log);
  const text = lines.join('\n');
  const meaning = meanings.find(({ pattern }) => pattern.test(text));
  const last = lines.at(-1) ?? 'it gave no reason';
  if (!meaning)
    return new DurantError(
      'host-unreachable',
      `ssh could not connect to ${server} (${last}); try the same with ssh in a terminal.`,
      { server },
    );
  const reason = lines.findLast((line) => meaning.pattern.test(line)) ?? last;
  return new DurantError(meaning.code, meaning.say(server, reason), { server });
}

/** The error for a connection that had been there. */
export function lostConnection(server: string, log: string): DurantError {
  const reason = spokenLines(log).at(-1);
  const because = reason === undefined ? '' : ` (${reason})`;
  return new DurantError(
    'connection-lost',
    `The connection to ${server} was lost${because}; run again, the next run first looks after what was left.`,
    { server },
  );
}
