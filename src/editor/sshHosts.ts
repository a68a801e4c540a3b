/** Hosts that the ssh configuration of this machine names, to be offered. Only read, nothing is run. No `vscode` here. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse, type Line } from 'ssh-config';
import { matchingFiles } from '../remote/sshConfigFile.ts';

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
