/** How the real rsync is called: the arguments of the client, its remote shell's command, and what its version must be. Pure. */

/** The oldest rsync that has `--info=progress2` and `--protect-args` as they are used here. */
const oldest = [3, 1] as const;

/** What a transfer of listed paths asks of rsync. */
export interface RsyncCall {
  /** Absolute folder here that the listed paths are relative to. */
  readonly root: string;
  /** Absolute folder on the server that takes them; it exists. */
  readonly destination: string;
  /** Absolute folder on the server with files to build on: unchanged ones are copied or hard-linked from it, others start from its. */
  readonly basis: { readonly how: 'copy' | 'link'; readonly folder: string } | undefined;
  /** Program and arguments that rsync runs as its remote shell. */
  readonly shell: readonly string[];
  readonly compress: 'yes' | 'no';
}

/**
 * The client's arguments. The list of paths goes to its standard input, NUL-terminated: what is sent is Durant's own list, so that the
 * exclude patterns mean the same in every transfer. Content decides (`--checksum`), because a deploy's times are the commit's.
 */
export function rsyncArguments(call: RsyncCall): string[] {
  return [
    '--links',
    '--perms',
    '--times',
    '--omit-dir-times',
    '--checksum',
    '--no-recursive',
    '--dirs',
    '--from0',
    '--files-from=-',
    // Folders are 755 in every transfer, and setuid is never sent.
    '--chmod=D0755,Fug-s,F-t',
    '--protect-args',
    '--8-bit-output',
    '--no-human-readable',
    '--outbuf=Line',
    '--itemize-changes',
    '--out-format=%i %n',
    '--info=progress2',
    ...(call.compress === 'yes' ? ['--compress'] : []),
    ...(call.basis === undefined
      ? []
      : [`--${call.basis.how === 'link' ? 'link-dest' : 'copy-dest'}=${call.basis.folder}`]),
    `--rsh=${call.shell.map(shellWord).join(' ')}`,
    '--',
    `${call.root.replace(/\/+$/, '')}/`,
    // The connection is open already: the name says nothing, and only the remote shell sees it.
    `durant:${call.destination.replace(/\/+$/, '')}/`,
  ];
}

/** rsync splits its remote shell's command at blanks; inside quotes it keeps them, and a doubled quote is one. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}

/** What `rsync --version` told. */
export type RsyncVersion =
  { readonly kind: 'fit'; readonly version: string } | { readonly kind: 'too-old'; readonly version: string };

/** Reads the first line of `rsync --version`; undefined where it is no rsync's. macOS's openrsync names the 2.6.9 that it is like. */
export function parseRsyncVersion(text: string): RsyncVersion | undefined {
  const match = /rsync\s+version\s+v?(\d+)\.(\d+)(\.\d+)?/.exec(text);
  if (match === null) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const version = `${String(major)}.${String(minor)}${match[3] ?? ''}`;
  const isFit = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  return { kind: isFit ? 'fit' : 'too-old', version };
}

/** The remote command that rsync asks its shell for, without the host's name; undefined where it is not a server of rsync's. */
export function serverArguments(argv: readonly string[]): readonly string[] | undefined {
  const [, program, first, ...rest] = argv;
  return program === 'rsync' && first === '--server' ? [first, ...rest] : undefined;
}
