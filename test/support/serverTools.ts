/** Folders of tools for a server's PATH: whose `mv`, `tar`, `find` and so on its scripts get. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `system`: this machine's, GNU's on Debian. `busybox`: busybox's alone. `uutils-0.0.17`, `toybox`: theirs, and the system's where they
 * have none. `uutils`: the same without its cp, dd, sort and tr, which fail in that version, and with `mv`, `stat` and `sha256sum` that answer
 * as those of uutils 0.1 and newer do. `bsdtar`: the system's with libarchive's tar alone, under its own name.
 */
export type ServerTools = (typeof serverTools)[number];
export const serverTools = ['system', 'busybox', 'uutils', 'uutils-0.0.17', 'toybox', 'bsdtar'] as const;

const systemPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
const places = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Makes the folder of these tools in `directory`, where they need one, and gives the PATH. */
export function makeToolsPath(directory: string, tools: ServerTools): string {
  if (tools === 'system') return systemPath;
  const bin = join(directory, tools);
  mkdirSync(bin);
  if (tools === 'busybox') {
    execFileSync('busybox', ['--install', '-s', bin]);
    return bin;
  }
  if (tools === 'uutils-0.0.17') linkAll(bin, programOf('coreutils'), appletsOfUutils());
  if (tools === 'uutils') {
    const others = ['cp', 'dd', 'sort', 'tr', ...Object.keys(NEW_UUTILS)];
    linkAll(
      bin,
      programOf('coreutils'),
      appletsOfUutils().filter((name) => !others.includes(name)),
    );
    for (const [name, script] of Object.entries(NEW_UUTILS))
      writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  if (tools === 'toybox')
    linkAll(bin, programOf('toybox'), words(execFileSync(programOf('toybox'), { encoding: 'utf8' })));
  if (tools === 'bsdtar') {
    // No folder of the system is on the PATH, as its tar would be found there.
    for (const place of places)
      for (const name of readdirSync(place))
        if (name !== 'tar' && !existsSync(join(bin, name))) symlinkSync(join(place, name), join(bin, name));
    return bin;
  }
  return `${bin}:${systemPath}`;
}

/** What they print of a name that is no UTF-8 is other bytes. */
const LOSSY = `python3 -c 'import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().decode("utf-8", "replace").encode())'`;

const NEW_UUTILS = {
  sha256sum: `#!/bin/sh\nPATH=${systemPath}; sha256sum "$@" | ${LOSSY}\n`,
  stat: `#!/bin/sh\nPATH=${systemPath}; stat "$@" | ${LOSSY}\n`,
  // Both ends are looked at through links, so a link that dangles where it lies is not moved onto one that leads to a folder.
  mv: `#!/bin/sh
case " $* " in
*" -T "*)
  for to; do :; done
  for from; do [ "$from" = "$to" ] || last=$from; done
  if [ -d "$to" ] && ! [ -d "$last" ]; then echo "mv: cannot overwrite directory '$to' with non-directory" >&2; exit 1; fi;;
esac
PATH=${systemPath} exec mv "$@"
`,
};

function linkAll(bin: string, program: string, names: readonly string[]): void {
  for (const name of names) symlinkSync(program, join(bin, name));
}

function programOf(name: string): string {
  const found = places.map((place) => join(place, name)).find((file) => existsSync(file));
  if (found === undefined)
    throw new Error(`There is no ${name}: npm test installs it, see scripts/setup.mjs.`);
  return found;
}

/** Its list of names ends the help, between commas. */
function appletsOfUutils(): readonly string[] {
  const help = execFileSync(programOf('coreutils'), ['--help'], { encoding: 'utf8' });
  return words((help.split('functions:')[1] ?? '').replaceAll(',', ' '));
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
