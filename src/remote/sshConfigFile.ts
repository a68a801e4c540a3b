/** `~/.ssh/config` read by a library, for machines without OpenSSH. Gives the lines that `ssh -G` would. */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { glob, parse } from 'ssh-config';

/** Lines `key value` that apply to the host; '' where there is no configuration. `Match exec` is not run. */
export async function readSshConfigFile(
  host: string,
  user: string | undefined,
  directory: string = join(homedir(), '.ssh'),
): Promise<string> {
  const text = await withIncludes(join(directory, 'config'), directory, 0);
  if (text.trim() === '') return '';
  const query = user === undefined ? { Host: host } : { Host: host, User: user };
  const found = parse(text).compute(query, { ignoreCase: true, matchExec: false });
  return Object.entries(found)
    .flatMap(([key, value]) => [value].flat().map((item) => `${key.toLowerCase()} ${item}`))
    .join('\n');
}

/** As ssh: relative names lie in `~/.ssh`, missing files are skipped, at most 16 levels. */
async function withIncludes(file: string, directory: string, depth: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (depth >= 16) return '';
  const lines = await Promise.all(
    text.split(/\r?\n/).map(async (line) => {
      const names = /^\s*include\s*[\s=]\s*(.+?)\s*$/i.exec(line)?.[1];
      if (names === undefined) return line;
      const files = await Promise.all(
        names.split(/\s+/).map((name) => matchingFiles(name.replace(/^"(.*)"$/, '$1'), directory)),
      );
      const texts = await Promise.all(
        files.flat().map((included) => withIncludes(included, directory, depth + 1)),
      );
      return texts.join('\n');
    }),
  );
  return lines.join('\n');
}

/** The files that an `Include` names; relative ones lie in `directory`. Wildcards in the last component only, which is how it is used. */
export async function matchingFiles(name: string, directory: string): Promise<string[]> {
  const tilde = name.startsWith('~/') ? join(homedir(), name.slice(2)) : name;
  const full = isAbsolute(tilde) ? tilde : join(directory, tilde);
  if (!/[*?]/.test(full)) return [full];
  const entries = await readdir(dirname(full)).catch(() => []);
  return entries
    .filter((entry) => glob(basename(full), entry))
    .sort()
    .map((entry) => join(dirname(full), entry));
}
