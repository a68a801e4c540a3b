/**
 * Authentication (RFC 4252, 4256) with as few round trips as there can be: no `none` probe, keys that cost nobody a question are signed
 * without asking first, and with OpenSSH what comes next is sent along.
 */
import type { ParsedKey } from 'ssh2';
import { DurantError } from '../../errors.ts';
import { fingerprint } from '../knownHosts.ts';
import type { AuthenticationMethod } from '../settingsText.ts';
import { tryKeyboard, tryPassword } from './answers.ts';
import {
  answer,
  expectReply,
  type AuthenticationContext,
  type NextMessage,
  type Reply,
} from './authContext.ts';
import { isModernOpenssh, type Ssh2Internals } from './internals.ts';
import type { KeyCandidate, KeyRing } from './keys.ts';

type Failure = Extract<Reply, { kind: 'failure' }>;

/**
 * Resolves when the server has accepted the login, with the key where a key alone was enough. Messages are read through `next`, which rejects when the connection ends.
 * @throws {DurantError} `authentication-failed`.
 */
export async function authenticate(
  io: Ssh2Internals,
  next: NextMessage,
  context: AuthenticationContext,
): Promise<KeyCandidate | undefined> {
  const { progress, settings } = context;
  const ring = await context.keys;
  const candidates = ring.candidates.filter((key) => !progress.refusedKeys.has(idOf(key)));
  const locked = [...ring.locked];
  let offered: readonly string[] | undefined;
  let isOneOfSeveral = false;

  const nextKey = async (): Promise<KeyCandidate | undefined> => {
    const known = candidates.shift();
    if (known !== undefined) return known;
    for (let unlock = locked.shift(); unlock !== undefined; unlock = locked.shift()) {
      const key = await context.untimed(unlock());
      if (key !== undefined && !progress.refusedKeys.has(idOf(key))) return key;
    }
    return undefined;
  };
  const open = (method: AuthenticationMethod): boolean =>
    !settings.disabledMethods.includes(method) &&
    !progress.exhausted.has(method) &&
    (offered === undefined || offered.includes(method));

  for (;;) {
    let reply: Reply | undefined;
    let key: KeyCandidate | undefined;
    if (open('publickey')) {
      key = await nextKey();
      if (key === undefined) progress.exhausted.add('publickey');
      else reply = await tryKey(io, next, context, key);
    } else if (offered === undefined) {
      // Without a key the server must first be asked what it takes.
      io.protocol.authNone(settings.user);
      reply = await answer(next);
    } else if (open('keyboard-interactive')) reply = await tryKeyboard(io, next, context);
    else if (open('password')) reply = await tryPassword(io, next, context);
    else throw refused(context, ring, offered);

    if (reply === undefined) continue;
    if (reply.kind === 'success') return isOneOfSeveral ? undefined : key;
    if (reply.partial) {
      isOneOfSeveral = true;
      // One of several methods is done; the server says which are left, and each counts anew.
      progress.exhausted.clear();
      progress.passwordAttempts = 0;
      candidates.push(...ring.candidates.filter((key) => !progress.refusedKeys.has(idOf(key))));
      candidates.splice(0, candidates.length, ...new Set(candidates));
    }
    offered = reply.methods;
  }
}

const idOf = (key: KeyCandidate): string => fingerprint(key.publicKey.getPublicSSH());

async function tryKey(
  io: Ssh2Internals,
  next: NextMessage,
  context: AuthenticationContext,
  key: KeyCandidate,
): Promise<Reply | undefined> {
  const { settings, progress } = context;
  const algorithm = signatureAlgorithm(key.publicKey, io);
  if (algorithm === undefined) {
    progress.tried.push(`${key.description} (the server takes no signature of its kind)`);
    return undefined;
  }
  if (!key.signAtOnce) {
    io.protocol.authPK(settings.user, key.publicKey, algorithm.name);
    const asked = await next();
    if (asked.kind !== 'key-accepted') return noteKey(context, key, expectReply(asked));
  }
  const signed = await sendSigned(io, context, key, algorithm);
  if (!signed) {
    progress.refusedKeys.add(idOf(key));
    progress.tried.push(`${key.description} (could not be used: no passphrase, or the agent declined)`);
    return undefined;
  }
  context.ahead.send();
  let message = await next();
  // Answered to a query that this signature has overtaken; the answer to the signature follows.
  if (message.kind === 'key-accepted') message = await next();
  const reply = expectReply(message);
  if (reply.kind === 'failure') context.ahead.takeBack();
  return noteKey(context, key, reply);
}

function noteKey(context: AuthenticationContext, key: KeyCandidate, reply: Reply): Reply {
  if (reply.kind === 'failure' && !reply.partial) {
    context.progress.tried.push(`${key.description} (refused)`);
    context.progress.refusedKeys.add(idOf(key));
  }
  return reply;
}

/** Resolves to false where no signature could be had. */
function sendSigned(
  io: Ssh2Internals,
  context: AuthenticationContext,
  key: KeyCandidate,
  algorithm: SignatureAlgorithm,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    io.protocol.authPK(context.settings.user, key.publicKey, algorithm.name, (data, done) => {
      context
        .untimed(key.sign(data, algorithm.hash))
        .then((signature) => {
          if (signature !== undefined) done(signature);
          resolve(signature !== undefined);
        })
        .catch(reject);
    });
  });
}

interface SignatureAlgorithm {
  readonly name: string;
  readonly hash: string | undefined;
}

/** RSA keys sign with SHA-2 where the server says so, or is an OpenSSH that can (7.2 and newer); else as of old. */
function signatureAlgorithm(key: ParsedKey, io: Ssh2Internals): SignatureAlgorithm | undefined {
  if (key.type !== 'ssh-rsa') return { name: key.type, hash: undefined };
  const modern = [
    { name: 'rsa-sha2-512', hash: 'sha512' },
    { name: 'rsa-sha2-256', hash: 'sha256' },
  ];
  const old = { name: 'ssh-rsa', hash: 'sha1' };
  const offered = io.signatureAlgorithms;
  if (offered !== undefined) return [...modern, old].find(({ name }) => offered.includes(name));
  return isModernOpenssh(io.serverSoftware) ? modern[0] : old;
}

/** What was tried and what to do. */
function refused(context: AuthenticationContext, ring: KeyRing, offered: Failure['methods']): DurantError {
  const { settings, progress, server, name } = context;
  const jump = name === server ? '' : `, ${name.replace('Jump', 'jump')}`;
  const account = `${settings.user}@${settings.hostname}:${settings.port}${jump}`;
  const tried =
    progress.tried.length === 0 ? 'no key was found to try' : `tried ${counted(progress.tried).join(', ')}`;
  const facts = [
    tried,
    ...(progress.unanswered === undefined ? [] : [progress.unanswered]),
    ...ring.remarks,
    `the server takes ${offered.join(', ') || 'nothing that is known'}`,
  ];
  const remedies = [
    ...(offered.includes('publickey')
      ? [
          'load the right key with ssh-add or name it with ssh_identity, and see that it is in the authorized_keys of the server',
        ]
      : []),
    ...(progress.unanswered !== undefined || progress.tried.some((text) => text.includes('no passphrase'))
      ? ['run in a terminal or in the editor to be asked']
      : []),
  ];
  return new DurantError(
    'authentication-failed',
    `Authentication failed for ${account}: ${facts.join('; ')}.`,
    {
      remedy: `To fix it, ${remedies.join(', or ') || `check that ssh ${settings.originalHost} works`}.`,
      server,
    },
  );
}

function counted(items: readonly string[]): string[] {
  return [...new Set(items)].map((item) => {
    const times = items.filter((other) => other === item).length;
    return times === 1 ? item : `${item.replace(/\)$/, '')} ${times} times)`;
  });
}
