/** Checks a server's key against known_hosts, asks about an unknown one, and writes down what was accepted. */
import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DurantError, reasonOf } from '../../errors.ts';
import {
  allowedAlgorithms,
  effectiveChecking,
  isStrict,
  unsupportedHostKeySetting,
  type HostKeyAlgorithm,
} from '../hostKeySettings.ts';
import {
  fingerprint,
  formatKnownHostsLine,
  hostKeyFromBlob,
  judgeHostKey,
  orderHostKeyAlgorithms,
  type HostKey,
  type KnownHostsEntry,
} from '../knownHosts.ts';
import { nameInKnownHosts, readKnownHosts } from '../knownHostsFiles.ts';
import type { SshSettings } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';

/** What is needed from the request that led here; a jump host has its own settings but the same request. */
export type HostKeyPolicy = Pick<
  ConnectRequest,
  'hostKeyChecking' | 'mayAddHostKeys' | 'prompt' | 'signal' | 'onNotice'
> & {
  readonly server: string;
  /** Keys accepted earlier for the same connection; added to. */
  readonly accepted: Set<string>;
};

/** Decisions under way, so that several connections to one new host ask once. */
export type HostKeyDecisions = Map<string, Promise<boolean>>;

/** @throws {DurantError} `connection-unsupported` for a setting of the ssh configuration that would go unheeded. */
export function checkHostKeySettings(settings: SshSettings, server: string): void {
  const setting = unsupportedHostKeySetting(settings);
  if (setting === undefined) return;
  throw new DurantError(
    'connection-unsupported',
    `The ssh configuration has ${setting} for ${settings.originalHost}, which the built-in client cannot follow.`,
    { remedy: 'Set ssh_client: openssh, or auto.', server },
  );
}

/** Algorithms in the order to offer them to this host. */
export function hostKeyAlgorithms(
  entries: readonly KnownHostsEntry[],
  settings: SshSettings,
): HostKeyAlgorithm[] {
  return orderHostKeyAlgorithms(allowedAlgorithms(settings), entries, nameInKnownHosts(settings));
}

/**
 * Resolves when the key may be trusted.
 * @throws {DurantError} `host-key-revoked`, `host-key-changed`, `host-unknown`, `connection-unsupported` (a certificate authority).
 */
export async function verifyHostKey(
  blob: Buffer,
  settings: SshSettings,
  entries: readonly KnownHostsEntry[],
  asked: HostKeyPolicy,
  decisions: HostKeyDecisions,
): Promise<void> {
  const policy = { ...asked, hostKeyChecking: effectiveChecking(asked.hostKeyChecking, settings) };
  const name = nameInKnownHosts(settings);
  const key = hostKeyFromBlob(blob);
  const verdict = judgeHostKey(entries, name, key);
  const { server } = policy;
  switch (verdict.kind) {
    case 'trusted':
      return;
    case 'revoked':
      throw new DurantError(
        'host-key-revoked',
        `The ${key.type} key of ${name} (${fingerprint(blob)}) is marked @revoked in ${place(verdict.entry)}. Nothing was sent.`,
        { remedy: "Ask the server's administrator for its new key.", server },
      );
    case 'changed':
      throw new DurantError(
        'host-key-changed',
        `The ${key.type} key of ${name} is not the one in ${place(verdict.entry)}: the server now shows ${fingerprint(blob)}. ` +
          `Someone may be intercepting the connection, or the server was set up again. Nothing was sent.`,
        { remedy: 'If the change is expected, run', command: removal(verdict.entry, name), server },
      );
    case 'certificate-authority':
      throw new DurantError(
        'connection-unsupported',
        `${place(verdict.entry)} trusts ${name} through a certificate authority (@cert-authority), which the built-in client cannot check.`,
        { remedy: 'Set ssh_client: openssh.', server },
      );
    case 'unknown':
      return decide(key, name, verdict.otherTypes, settings, policy, decisions);
  }
}

const place = (entry: KnownHostsEntry): string => `${entry.file}:${entry.line}`;

function removal(entry: KnownHostsEntry, name: string): string {
  const file = /^[\w./~@%+=:,-]+$/.test(entry.file) ? entry.file : `"${entry.file}"`;
  return `ssh-keygen -f ${file} -R ${name.startsWith('[') ? `'${name}'` : name}`;
}

/** Another connection may have written the key down since the entries were read: part of the decision, so that none falls in between. */
async function knownByNowOrAccepted(
  key: HostKey,
  name: string,
  otherTypes: readonly string[],
  settings: SshSettings,
  policy: HostKeyPolicy,
): Promise<boolean> {
  if (judgeHostKey(await readKnownHosts(settings), name, key).kind === 'trusted') return true;
  return accept(key, name, otherTypes, settings, policy);
}

async function decide(
  key: HostKey,
  name: string,
  otherTypes: readonly string[],
  settings: SshSettings,
  policy: HostKeyPolicy,
  decisions: HostKeyDecisions,
): Promise<void> {
  const id = `${name} ${key.type} ${key.blob.toString('base64')}`;
  if (policy.accepted.has(id)) return;
  const underWay = decisions.get(id);
  const decision = underWay ?? knownByNowOrAccepted(key, name, otherTypes, settings, policy);
  if (underWay === undefined) {
    decisions.set(id, decision);
    decision
      .finally(() => {
        decisions.delete(id);
      })
      .catch(() => undefined);
  }
  if (await decision) {
    policy.accepted.add(id);
    return;
  }
  const file = settings.userKnownHostsFiles[0] ?? 'known_hosts';
  const [why, remedy] =
    policy.hostKeyChecking === 'strict'
      ? [
          isStrict(settings)
            ? 'StrictHostKeyChecking of the ssh configuration is yes'
            : 'host_key_checking is strict',
          `add this line to ${file}: ${formatKnownHostsLine(name, key, 'plain')}`,
        ]
      : [
          'it was not accepted',
          `connect once with ssh ${settings.port === 22 ? '' : `-p ${settings.port} `}${settings.originalHost}, or set host_key_checking: accept-new.`,
        ];
  throw new DurantError(
    'host-unknown',
    `The ${key.type} key of ${name} (${fingerprint(key.blob)}) is not in known_hosts, and ${why}.`,
    { remedy: `Compare the fingerprint, then ${remedy}`, server: policy.server },
  );
}

async function accept(
  key: HostKey,
  name: string,
  otherTypes: readonly string[],
  settings: SshSettings,
  policy: HostKeyPolicy,
): Promise<boolean> {
  if (policy.hostKeyChecking === 'strict') return false;
  if (policy.hostKeyChecking === 'ask') {
    const others = otherTypes.length === 0 ? '' : ` Known for it: ${otherTypes.join(', ')}.`;
    const answer = await policy.prompt(
      {
        kind: 'host-key',
        server: policy.server,
        message: `The server ${name} is not known. Its ${key.type} key has the fingerprint ${fingerprint(key.blob)}.${others} Trust it?`,
        keyType: key.type,
        fingerprint: fingerprint(key.blob),
      },
      policy.signal,
    );
    if (answer !== 'yes' && answer !== fingerprint(key.blob)) return false;
  }
  if (policy.mayAddHostKeys) await remember(key, name, settings, policy);
  return true;
}

/** A known_hosts that cannot be written is a notice: ssh goes on too. */
async function remember(
  key: HostKey,
  name: string,
  settings: SshSettings,
  policy: HostKeyPolicy,
): Promise<void> {
  const file = settings.userKnownHostsFiles[0];
  if (file === undefined) return;
  const line = formatKnownHostsLine(name, key, settings.hashKnownHosts ? 'hashed' : 'plain');
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await appendLine(file, line);
    policy.onNotice?.('host-key-added', `The ${key.type} key of ${name} was added to ${file}.`);
  } catch (error) {
    const reason = reasonOf(error);
    policy.onNotice?.('host-key-not-added', `The key of ${name} could not be added to ${file}: ${reason}`);
  }
}

async function appendLine(file: string, line: string): Promise<void> {
  // One write of whole lines, so that parallel writers do not mix.
  const separator = (await endsInMiddleOfLine(file)) ? '\n' : '';
  await appendFile(file, `${separator}${line}\n`, { mode: 0o600 });
}

async function endsInMiddleOfLine(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    if (size === 0) return false;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 0x0a;
  } finally {
    await handle.close();
  }
}
