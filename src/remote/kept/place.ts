/** Where the socket of a kept connection is: a folder that only the user may enter, and a name that stands for all that the login depended on. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { SshSettings } from '../sshSettings.ts';
import type { ConnectRequest } from '../target.ts';
import { PROTOCOL } from './frames.ts';

/** `sun_path` of the strictest systems, its NUL included. */
const socketPathBytes = 104;

/**
 * Path of the socket; undefined where there can be none (Windows, a folder that is not the user's alone, a path that is too long).
 * Another host key file, identity, agent or ssh configuration is another connection.
 * @param folder made where it is missing, 0700.
 */
export async function socketOf(
  folder: string,
  request: ConnectRequest,
  route: readonly SshSettings[],
): Promise<string | undefined> {
  if (process.getuid === undefined) return undefined;
  const { address, user, port, identity, client, hostKeyChecking, sshPath } = request;
  const files = route.flatMap((host) => [
    ...host.identityFiles,
    ...host.certificateFiles,
    ...host.userKnownHostsFiles,
    ...host.globalKnownHostsFiles,
    ...(host.agent === undefined ? [] : [host.agent]),
    ...(identity === undefined ? [] : [identity]),
  ]);
  const login = [
    PROTOCOL,
    hostname(),
    [address.host, address.user, address.port, user, port, identity, client, hostKeyChecking, sshPath],
    route.map(({ other, ...settings }) => [settings, [...other]]),
    await Promise.all([...new Set(files)].map(stateOf)),
  ];
  const name = createHash('sha256').update(JSON.stringify(login)).digest('hex').slice(0, 24);
  const path = join(folder, name);
  if (Buffer.byteLength(path) >= socketPathBytes || !(await makeOwnFolder(folder))) return undefined;
  return path;
}

/** Whether the socket can only have been made by this user. */
export async function isOwnSocket(path: string): Promise<boolean> {
  try {
    const { uid, mode } = await lstat(path);
    return uid === process.getuid?.() && (mode & 0o077) === 0;
  } catch {
    return false;
  }
}

async function makeOwnFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await lstat(folder);
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

async function stateOf(path: string): Promise<readonly unknown[]> {
  try {
    const { dev, ino, size, mtimeMs, uid } = await stat(path);
    return [path, dev, ino, size, mtimeMs, uid];
  } catch {
    return [path];
  }
}
