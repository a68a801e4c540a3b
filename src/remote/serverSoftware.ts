/** What is known of an SSH server by the name of its software, as its first line says it (RFC 4253 §4.2). */

/**
 * How many sessions it bears. `several`: up to its MaxSessions. `one at a time`: dropbear (2022.83) closes a channel whose command it has
 * not started yet, or dies of a failed assertion, when the command of another channel ends. `one a connection`: tinysshd serves a single
 * session and ends the connection with it.
 */
export type BearsSessions = 'several' | 'one at a time' | 'one a connection';

/** @param software e.g. `OpenSSH_9.2p1`, undefined where it is not known. */
export function bearsSessions(software: string | undefined): BearsSessions {
  if (/^dropbear/i.test(software ?? '')) return 'one at a time';
  return /^tinyssh/i.test(software ?? '') ? 'one a connection' : 'several';
}
