/** An agent of this run, where OpenSSH's `ssh` finds it to forward it; and what its log tells of a login. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DurantError } from '../../errors.ts';
import { platform } from '../../platform.ts';
import { fingerprint, matchesName, parseKnownHosts } from '../knownHosts.ts';
import { nameInKnownHosts, readKnownHosts } from '../knownHostsFiles.ts';
import type { SshSettings } from '../sshSettings.ts';
import { collectKeys } from '../ssh2/keys.ts';
import { identityOf } from '../ssh2/agent.ts';
import type { ConnectRequest, Login } from '../target.ts';

/** Its socket in the connection's private folder. */
export function agentSocket(directory: string): string {
  return join(directory, 'f');
}

/**
 * Answers at the socket; undefined where no agent is to be forwarded.
 * @throws {DurantError} `connection-unsupported` where `ssh` forwards none from a socket.
 */
export async function serveAgent(
  { agent, address }: ConnectRequest,
  directory: string,
): Promise<Server | undefined> {
  if (agent === undefined) return undefined;
  if (!platform.socketsAreFiles)
    throw new DurantError(
      'connection-unsupported',
      `OpenSSH forwards no agent of Durant's from this system to ${address.entry}; set ssh_client: ssh2 for fan_out.`,
      { server: address.entry },
    );
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const stream = agent.open();
    socket.once('close', () => stream.destroy());
    stream.once('close', () => socket.destroy());
    socket.pipe(stream).pipe(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(agentSocket(directory), resolve);
  });
  server.unref();
  return server;
}

/**
 * How `ssh` has logged in, by its debug lines; those of jump hosts stand before the server's own.
 * @param ownKnownHosts a known_hosts file beside those of the settings; it need not be there.
 */
export async function loginByLog(
  request: ConnectRequest,
  settings: SshSettings,
  log: string,
  ownKnownHosts: string,
): Promise<Login | { readonly cannot: string }> {
  const last = (pattern: RegExp): string | undefined => [...log.matchAll(pattern)].at(-1)?.[1];
  const method = last(/^Authenticated to .* using "([^"]*)"/gm);
  const keyPrint = last(/^debug1: Server accepts key: .*(SHA256:\S+)/gm);
  if (method !== 'publickey' || keyPrint === undefined || log.includes('with partial success'))
    return { cannot: 'a key alone was not enough to log in there' };
  const hostPrint = last(/^debug1: Server host key: \S+ (SHA256:\S+)/gm);
  const own = await readFile(ownKnownHosts, 'utf8').catch(() => '');
  const known = [...parseKnownHosts(own, ownKnownHosts), ...(await readKnownHosts(settings))];
  const name = nameInKnownHosts(settings);
  const entry = known.find(
    ({ names, key, marker }) =>
      marker === undefined &&
      matchesName(names, name) &&
      fingerprint(Buffer.from(key, 'base64')) === hostPrint,
  );
  if (entry === undefined) return { cannot: 'its host key is in no known_hosts file' };
  const { candidates } = await collectKeys(settings, {
    server: request.address.entry,
    prompt: () => Promise.resolve(undefined),
    signal: request.signal,
    opened: new Map(),
  });
  const used = candidates.find(({ publicKey }) => fingerprint(publicKey.getPublicSSH()) === keyPrint);
  if (used === undefined)
    return { cannot: 'the key that it was logged in to with cannot be used by an agent' };
  const { user, hostname, port } = settings;
  return {
    user,
    host: hostname,
    port,
    hostKey: { type: entry.keyType, blob: Buffer.from(entry.key, 'base64') },
    identity: identityOf(used),
  };
}
