/**
 * known_hosts as sshd(8) describes it: hashed names, `[host]:port`, wildcards and negation, `@revoked`, `@cert-authority`. Pure text and
 * data; reading, asking and writing is in ssh2/hostKey.ts.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** One line that names a key. */
export interface KnownHostsEntry {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** First field as written. */
  readonly names: string;
  readonly keyType: string;
  /** Base64, as written. */
  readonly key: string;
}

/** A server's key as it came over the wire. */
export interface HostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  readonly type: string;
  readonly blob: Buffer;
}

/** What known_hosts says of a key. */
export type HostKeyVerdict =
  | { readonly kind: 'trusted'; readonly entry: KnownHostsEntry }
  | { readonly kind: 'revoked'; readonly entry: KnownHostsEntry }
  /** Another key of the same type is known. */
  | { readonly kind: 'changed'; readonly entry: KnownHostsEntry }
  /** Nothing but a certificate authority is known for the name. */
  | { readonly kind: 'certificate-authority'; readonly entry: KnownHostsEntry }
  /** `otherTypes`: keys of other types that are known for the name. */
  | { readonly kind: 'unknown'; readonly otherTypes: readonly string[] };

/** Reads a file's text; comments, empty and malformed lines are skipped, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const fields = line.split(/[ \t]+/);
    const first = fields[0] ?? '';
    const marker =
      first === '@revoked' ? 'revoked' : first === '@cert-authority' ? 'cert-authority' : undefined;
    if (marker === undefined && first.startsWith('@')) return [];
    const [names, keyType, key] = marker === undefined ? fields : fields.slice(1);
    if (names === undefined || keyType === undefined || key === undefined) return [];
    return [{ file, line: index + 1, marker, names, keyType, key }];
  });
}

/**
 * The name under which a host is looked up: its alias, else the host, with its port where that is not 22.
 * Taken from ssh's `get_hostfile_hostname_ipaddr`.
 */
export function knownHostsName(host: string, port: number, alias: string | undefined): string {
  if (alias !== undefined) return alias.toLowerCase();
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Whether the first field of an entry stands for the name. */
export function matchesName(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHash(names, name);
  let found = false;
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern((negated ? pattern.slice(1) : pattern).toLowerCase(), name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function matchesHash(names: string, name: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

/**
 * Judges a key. `@revoked` wins over everything; a key of the same type that differs means "changed" only where no line has the right
 * one. A host on a port of its own is also trusted by a line for the plain host name, as in ssh.
 */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  name: string,
  key: HostKey,
): HostKeyVerdict {
  const same = (entry: KnownHostsEntry): boolean =>
    entry.keyType === key.type && Buffer.from(entry.key, 'base64').equals(key.blob);
  const forName = entries.filter((entry) => matchesName(entry.names, name));
  const plain = /^\[(.*)\]:\d+$/.exec(name)?.[1];
  const forPlain = plain === undefined ? [] : entries.filter((entry) => matchesName(entry.names, plain));

  const revoked = [...forName, ...forPlain].find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const keys = forName.filter((entry) => entry.marker === undefined);
  const trusted = keys.find(same);
  if (trusted !== undefined) return { kind: 'trusted', entry: trusted };
  const changed = keys.find((entry) => entry.keyType === key.type);
  if (changed !== undefined) return { kind: 'changed', entry: changed };
  const byPlain = forPlain.find((entry) => entry.marker === undefined && same(entry));
  if (byPlain !== undefined) return { kind: 'trusted', entry: byPlain };
  const authority = forName.find((entry) => entry.marker === 'cert-authority');
  if (authority !== undefined && keys.length === 0)
    return { kind: 'certificate-authority', entry: authority };
  return { kind: 'unknown', otherTypes: [...new Set(keys.map((entry) => entry.keyType))] };
}

/** Signature algorithms for a host key in the order to offer them: those whose keys are known for the name first. */
export function orderHostKeyAlgorithms<Algorithm extends string>(
  algorithms: readonly Algorithm[],
  entries: readonly KnownHostsEntry[],
  name: string,
): Algorithm[] {
  const known = new Set(
    entriesFor(entries, name)
      .filter((entry) => entry.marker === undefined)
      .map((entry) => entry.keyType),
  );
  const isKnown = (algorithm: Algorithm): boolean =>
    known.has(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))];
}

/** The line that lets a certificate authority vouch for the name. */
export function certificateAuthority(
  entries: readonly KnownHostsEntry[],
  name: string,
): KnownHostsEntry | undefined {
  return entriesFor(entries, name).find((entry) => entry.marker === 'cert-authority');
}

/** Entries for the name, then, for a host on a port of its own, those for its plain name: ssh takes both. */
function entriesFor(entries: readonly KnownHostsEntry[], name: string): KnownHostsEntry[] {
  const plain = /^\[(.*)\]:\d+$/.exec(name)?.[1];
  return [name, plain].flatMap((one) =>
    one === undefined ? [] : entries.filter((entry) => matchesName(entry.names, one)),
  );
}

/** The key of a wire-format blob; its type is the first string in it. */
export function hostKeyFromBlob(blob: Buffer): HostKey {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return { type: blob.toString('latin1', 4, 4 + length), blob };
}

/** `SHA256:…` as ssh shows it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** A line for known_hosts, without line end. */
export function formatKnownHostsLine(name: string, key: HostKey, names: 'plain' | 'hashed'): string {
  return `${names === 'plain' ? name : hashName(name)} ${key.type} ${key.blob.toString('base64')}`;
}

function hashName(name: string): string {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}
