/** What the ssh configuration says of host keys: ssh_config(5), StrictHostKeyChecking, HostKeyAlgorithms, RevokedHostKeys. Pure. */
import { matchesName } from './knownHosts.ts';
import type { SshSettings } from './sshSettings.ts';
import type { ConnectRequest } from './target.ts';

/** ssh2's defaults without SHA-1 signatures of host keys, in its order. */
const builtInAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

export type HostKeyAlgorithm = (typeof builtInAlgorithms)[number];

type HostKeyChecking = ConnectRequest['hostKeyChecking'];

/** The stricter of durant.conf and the ssh configuration: only `StrictHostKeyChecking yes` can change what durant.conf says. */
export function effectiveChecking(asked: HostKeyChecking, settings: SshSettings): HostKeyChecking {
  return isStrict(settings) ? 'strict' : asked;
}

/** `ssh -G` prints true for yes. */
export function isStrict({ other }: SshSettings): boolean {
  return ['yes', 'true'].includes(other.get('stricthostkeychecking')?.toLowerCase() ?? '');
}

/** The setting that the built-in client cannot follow; undefined where there is none. */
export function unsupportedHostKeySetting(settings: SshSettings): string | undefined {
  const revoked = settings.other.get('revokedhostkeys') ?? 'none';
  if (revoked.toLowerCase() !== 'none') return `RevokedHostKeys ${revoked}`;
  if (allowedAlgorithms(settings).length === 0)
    return `HostKeyAlgorithms ${settings.other.get('hostkeyalgorithms') ?? ''}`;
  return undefined;
}

/**
 * Those of the built-in client that HostKeyAlgorithms allows, in its order. `ssh -G` prints a plain list; `+`, `-` and `^` are what the
 * configuration file has where there is no ssh.
 */
export function allowedAlgorithms({ other }: SshSettings): readonly HostKeyAlgorithm[] {
  const value = other.get('hostkeyalgorithms') ?? '+';
  const form = /^[-+^]/.exec(value)?.[0];
  const patterns = (form === undefined ? value : value.slice(1)).toLowerCase().split(',');
  const named = patterns.flatMap((pattern) => builtInAlgorithms.filter((name) => matchesName(pattern, name)));
  const others = builtInAlgorithms.filter((name) => !named.includes(name));
  switch (form) {
    case '+':
      return builtInAlgorithms;
    case '-':
      return others;
    case '^':
      return [...new Set([...named, ...others])];
    default:
      return [...new Set(named)];
  }
}
