/** What this machine knows that durant.conf may name: private keys, files. Only read, nothing is run. */
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { platform } from '../platform.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Private keys in `~/.ssh`, as they would be written: files beside their `.pub`, and those with ssh's usual names. */
export async function keyFiles(directory: string = join(homedir(), '.ssh')): Promise<readonly string[]> {
  const entries = await readdir(directory).catch(() => []);
  const names = new Set(entries);
  return entries
    .filter((name) => names.has(`${name}.pub`) || /^id_\w+$/.test(name))
    .sort()
    .map((name) => `~/.ssh/${name}`);
}

export interface FileState {
  readonly exists: boolean;
  /** Permission bits, where the system has them. */
  readonly mode?: number;
  readonly isFolder?: boolean;
}

/** What is at a path of this machine. */
export async function fileState(path: string): Promise<FileState> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { exists: false };
  const isFolder = found.isDirectory();
  return platform.hasModes
    ? { exists: true, isFolder, mode: found.mode & 0o777 }
    : { exists: true, isFolder };
}

/**
 * A path of durant.conf as a path of this machine: `~`, `$VAR` and `${VAR}` expand, relative ones lie in the folder of durant.conf.
 * Undefined for network shares: looking at one already sends credentials there.
 */
export function localPath(path: string, folder: string, env: Environment): string | undefined {
  const home = env['HOME'] ?? homedir();
  const tilde = path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
  const expanded = tilde.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, bare: string | undefined) => env[braced ?? bare ?? ''] ?? whole,
  );
  if (/^(?:\\\\|\/\/|\\\/|\/\\)/.test(expanded) || expanded.includes('\0')) return undefined;
  return isAbsolute(expanded) ? expanded : join(folder, expanded);
}
