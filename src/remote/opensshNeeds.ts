/** When `ssh_client: auto` must take the system's ssh: what the built-in client cannot do. */
import { access, readFile } from 'node:fs/promises';
import { unsupportedHostKeySetting } from './hostKeySettings.ts';
import { certificateAuthority } from './knownHosts.ts';
import { nameInKnownHosts, readKnownHosts } from './knownHostsFiles.ts';
import type { SshSettings } from './sshSettings.ts';

/** Why the settings need OpenSSH's own client; undefined where the built-in one will do. Reads key files and known_hosts, nothing else. */
export async function needsOpenssh(settings: SshSettings): Promise<string | undefined> {
  const { other } = settings;
  const set = (key: string): boolean => {
    const value = other.get(key)?.toLowerCase();
    return value !== undefined && value !== '' && value !== 'none' && value !== 'no' && value !== 'false';
  };
  if (set('pkcs11provider')) return 'keys on a smart card (PKCS11Provider)';
  if (set('proxyusefdpass')) return 'ProxyUseFdpass';
  if (set('knownhostscommand')) return 'KnownHostsCommand';
  if (set('hostbasedauthentication')) return 'host-based authentication';
  if (wantsGssapiFirst(settings)) return 'GSSAPI (Kerberos)';
  const hostKeys = unsupportedHostKeySetting(settings);
  if (hostKeys !== undefined) return hostKeys;
  const authority = certificateAuthority(await readKnownHosts(settings), nameInKnownHosts(settings));
  if (authority !== undefined) return `@cert-authority in ${authority.file}:${authority.line}`;
  const certificates = await existing([
    ...settings.certificateFiles,
    ...settings.identityFiles.map((file) => `${file.replace(/\.pub$/, '')}-cert.pub`),
  ]);
  if (certificates[0] !== undefined) return `the certificate ${certificates[0]}`;
  return needsHardwareKey(settings);
}

function wantsGssapiFirst(settings: SshSettings): boolean {
  if (settings.other.get('gssapiauthentication') !== 'yes') return false;
  const preferred = settings.other.get('preferredauthentications')?.split(',') ?? [];
  return preferred[0] === 'gssapi-with-mic' || settings.disabledMethods.length === 3;
}

/** A default key of that kind counts only where there is nothing else to try: it need not be meant for this host. */
async function needsHardwareKey(settings: SshSettings): Promise<string | undefined> {
  if (settings.disabledMethods.includes('publickey')) return undefined;
  const kinds = await Promise.all(settings.identityFiles.map(keyKind));
  const hardware = settings.identityFiles.find((_, index) => kinds[index] === 'hardware');
  if (hardware === undefined) return undefined;
  const others = kinds.includes('software') || settings.agent !== undefined;
  return settings.identityFilesChosen || !others ? `the hardware key ${hardware}` : undefined;
}

async function keyKind(file: string): Promise<'hardware' | 'software' | undefined> {
  const texts = await Promise.all(
    [file, `${file}.pub`].map((name) => readFile(name, 'latin1').catch(() => undefined)),
  );
  const known = texts.filter((text) => text !== undefined);
  if (known.length === 0) return undefined;
  return known.some(mentionsHardwareKey) ? 'hardware' : 'software';
}

/** Both a public key and the header of an OpenSSH private key name the type in clear. */
function mentionsHardwareKey(text: string): boolean {
  const body = text.replace(/-----[^-]*-----/g, '').replace(/\s+/g, '');
  const types = ['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'];
  const decoded = Buffer.from(body, 'base64').toString('latin1');
  return types.some((type) => text.includes(type) || decoded.includes(type));
}

async function existing(files: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_, index) => there[index]);
}
