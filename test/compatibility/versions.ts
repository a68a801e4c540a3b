/** Of what the matrix was played with. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Axis, Cell } from './kinds.ts';

type Packages = { readonly [A in Axis]: { readonly [Value in Cell[A]]: string } };

/** Debian's packages. */
const packages: Packages = {
  tools: {
    system: 'coreutils',
    busybox: 'busybox-static',
    uutils: 'rust-coreutils',
    toybox: 'toybox',
    bsdtar: 'libarchive-tools',
  },
  sshd: { OpenSSH: 'openssh-server', dropbear: 'dropbear-bin', tinysshd: 'tinysshd' },
  shell: {
    dash: 'dash',
    bash: 'bash',
    busybox: 'busybox-static',
    fish: 'fish',
    tcsh: 'tcsh',
    zsh: 'zsh',
    mksh: 'mksh',
  },
  client: { ssh2: '', openssh: 'openssh-client' },
};

/** For each value of each axis: package and version. */
export type Versions = ReadonlyMap<string, string>;

export function readVersions(): Versions {
  const versions = new Map<string, string>();
  for (const [axis, values] of Object.entries(packages))
    for (const [value, name] of Object.entries(values)) versions.set(`${axis}=${value}`, versionOf(name));
  return versions;
}

function versionOf(name: string): string {
  if (name === '') {
    const file = new URL('../../node_modules/ssh2/package.json', import.meta.url);
    return `ssh2 ${String(JSON.parse(readFileSync(file, 'utf8')).version)} (npm)`;
  }
  try {
    return `${name} ${execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' })}`;
  } catch {
    return `${name}, version unknown`;
  }
}
