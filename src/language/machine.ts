/** What this machine knows that durant.conf may name: hosts of `~/.ssh/config`, private keys, files. Only read, nothing is run. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { glob, parse, type Line } from 'ssh-config';

type Environment = Readonly<Record<string, string | undefined>>;

/** Hosts named in `~/.ssh/config` and what it includes, without patterns, in the order of the files. */
export async function sshHosts(directory: string = join(homedir(), '.ssh')): Promise<readonly string[]> {
  const hosts = await hostsOf(join(directory, 'config'), directory, 0);
  return [...new Set(hosts)];
}

/** As ssh: relative names lie in `~/.ssh`, missing files are skipped, at most 16 levels. */
async function hostsOf(file: string, directory: string, depth: number): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '' || depth >= 16) return [];
  const found = await Promise.all(
    linesOf(text).map(async (line): Promise<readonly string[]> => {
      if (!('param' in line)) return [];
      const words = wordsOf(line.value);
      const param = line.param.toLowerCase();
      if (param === 'host') {
        const inside = 'config' in line ? await includesOf(line.config, directory, depth) : [];
        return [...words.filter((word) => !/[*?!]/.test(word)), ...inside];
      }
      if (param === 'match' && 'config' in line) return await includesOf(line.config, directory, depth);
      return param === 'include' ? await included(words, directory, depth) : [];
    }),
  );
  return found.flat();
}

async function includesOf(
  lines: readonly Line[],
  directory: string,
  depth: number,
): Promise<readonly string[]> {
  const found = await Promise.all(
    lines.map(async (line) =>
      'param' in line && line.param.toLowerCase() === 'include'
        ? await included(wordsOf(line.value), directory, depth)
        : [],
    ),
  );
  return found.flat();
}

async function included(
  names: readonly string[],
  directory: string,
  depth: number,
): Promise<readonly string[]> {
  const files = await Promise.all(names.map((name) => matchingFiles(name, directory)));
  const found = await Promise.all(files.flat().map((file) => hostsOf(file, directory, depth + 1)));
  return found.flat();
}

/** A file that the library cannot read has no hosts. */
function linesOf(text: string): readonly Line[] {
  try {
    return parse(text);
  } catch {
    return [];
  }
}

function wordsOf(value: string | readonly { readonly val: string }[]): readonly string[] {
  return typeof value === 'string' ? value.split(/\s+/) : value.map(({ val }) => val);
}

/** Wildcards in the last component only, which is how Include is used. */
async function matchingFiles(name: string, directory: string): Promise<readonly string[]> {
  const tilde = name.startsWith('~/') ? join(homedir(), name.slice(2)) : name;
  const full = isAbsolute(tilde) ? tilde : join(directory, tilde);
  if (!/[*?]/.test(full)) return [full];
  const entries = await readdir(dirname(full)).catch(() => []);
  return entries
    .filter((entry) => glob(basename(full), entry))
    .sort()
    .map((entry) => join(dirname(full), entry));
}

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
  return process.platform === 'win32'
    ? { exists: true, isFolder }
    : { exists: true, isFolder, mode: found.mode & 0o777 };
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
