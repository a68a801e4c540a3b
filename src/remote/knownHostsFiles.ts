/** The known_hosts files of a host's settings, and the name under which they know it. */
import { readFile } from 'node:fs/promises';
import { knownHostsName, parseKnownHosts, type KnownHostsEntry } from './knownHosts.ts';
import type { SshSettings } from './sshSettings.ts';

/** All entries of the user's and the global files; a file that is missing or unreadable counts as empty, as in ssh. */
export async function readKnownHosts(settings: SshSettings): Promise<KnownHostsEntry[]> {
  const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.flatMap((text, index) => parseKnownHosts(text, files[index] ?? ''));
}

export function nameInKnownHosts(settings: SshSettings): string {
  return knownHostsName(settings.hostname, settings.port, settings.hostKeyAlias);
}
