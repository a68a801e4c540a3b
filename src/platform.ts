/**
 * What differs between the systems that Durant runs on: paths, names, modes, processes, sockets. Each such decision is a field here, and
 * nobody else asks which system it is. Pure, so that those of every system are tested on one.
 */
import { posix, win32 } from 'node:path';

export interface Platform {
  /** Paths as this system writes them. */
  readonly path: typeof posix;
  /** A character after which another part of a path begins. */
  readonly separator: RegExp;
  /** Whether `C:` in front of a path is a drive, not a host. */
  readonly hasDrives: boolean;
  /** Whether files have permission bits that mean something. */
  readonly hasModes: boolean;
  /** Whether git may make symbolic links; where it may not, a tracked link is a file that holds its target. */
  readonly makesLinks: boolean;
  /** Whether names that differ in case alone are one name. */
  readonly ignoresCase: boolean;
  /** Whether a file system may give a name back in another composition than it got: é as e and an accent. */
  readonly recomposesNames: boolean;
  /** The POSIX shell; see `localShell`. */
  readonly shell: string;
  /** Whether a child that is started `detached` leads a group, which can be signalled as one. */
  readonly hasProcessGroups: boolean;
  /** How it is told when a process started: `signal` tells only whether it runs. */
  readonly processStart: 'proc' | 'ps' | 'signal';
  /** What a program's file name may end with. */
  readonly programEndings: readonly string[];
  /** What a script of the system's own kind ends with. */
  readonly scriptEnding: '' | '.cmd';
  /** Whether several `ssh` can share one connection. */
  readonly sharesSshConnections: boolean;
  /** Whether `ssh` has a POSIX shell start a ProxyCommand. */
  readonly sshUsesShell: boolean;
  /** Whether rsync here takes the paths that other programs here have. */
  readonly offersRsync: boolean;
  /** Where the agent listens if nobody says otherwise. */
  readonly agentSocket: string | undefined;
  /** Whether a local socket is a file of `sun_path`'s length. */
  readonly socketsAreFiles: boolean;
  /** A local socket's address: in a folder of the user's own, or a pipe with a name that nobody guesses. */
  socket(directory: string, name: string, random: string): string;
  /** Folders of the user's: for what may be lost and for what may not. The XDG Base Directory specification, elsewhere the system's own. */
  userFolders(env: Readonly<Record<string, string | undefined>>, home: string): UserFolders;
}

export interface UserFolders {
  readonly cacheDir: string;
  readonly stateDir: string;
}

/** @param name as `process.platform` has it. */
export function platformOf(name: NodeJS.Platform): Platform {
  if (name === 'win32') return windows;
  if (name === 'darwin') return macos;
  return name === 'linux' ? { ...unix, processStart: 'proc' } : unix;
}

const unix: Platform = {
  path: posix,
  separator: /\//,
  hasDrives: false,
  hasModes: true,
  makesLinks: true,
  ignoresCase: false,
  recomposesNames: false,
  shell: '/bin/sh',
  hasProcessGroups: true,
  processStart: 'ps',
  programEndings: [''],
  scriptEnding: '',
  sharesSshConnections: true,
  sshUsesShell: true,
  offersRsync: true,
  agentSocket: undefined,
  socketsAreFiles: true,
  socket: (directory, name) => posix.join(directory, name),
  userFolders: (env, home) => xdgFolders(env, home, ['.cache']),
};

const macos: Platform = {
  ...unix,
  ignoresCase: true,
  recomposesNames: true,
  userFolders: (env, home) => xdgFolders(env, home, ['Library', 'Caches']),
};

const windows: Platform = {
  path: win32,
  separator: /[/\\]/,
  hasDrives: true,
  hasModes: false,
  makesLinks: false,
  ignoresCase: true,
  recomposesNames: false,
  shell: 'sh',
  hasProcessGroups: false,
  processStart: 'signal',
  // Node starts no batch file without a shell. An ending may have been given with the name.
  programEndings: ['.exe', ''],
  scriptEnding: '.cmd',
  sharesSshConnections: false,
  sshUsesShell: false,
  offersRsync: false,
  agentSocket: '\\\\.\\pipe\\openssh-ssh-agent',
  socketsAreFiles: false,
  socket: (_directory, name, random) => `\\\\.\\pipe\\durant-${name}-${random}`,
  userFolders: (env, home) => {
    const local = given(env['LOCALAPPDATA']) ?? win32.join(home, 'AppData', 'Local');
    return { cacheDir: win32.join(local, 'durant', 'cache'), stateDir: win32.join(local, 'durant', 'state') };
  },
};

function xdgFolders(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  caches: readonly string[],
): UserFolders {
  const cache = given(env['XDG_CACHE_HOME']) ?? posix.join(home, ...caches);
  const state = given(env['XDG_STATE_HOME']) ?? posix.join(home, '.local', 'state');
  return { cacheDir: posix.join(cache, 'durant'), stateDir: posix.join(state, 'durant') };
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/**
 * The key under which two names are one for the system; undefined where every name is its own.
 * @param path bytes as a latin1 string.
 */
export function nameKey(
  platform: Pick<Platform, 'ignoresCase' | 'recomposesNames'>,
): ((path: string) => string) | undefined {
  const { ignoresCase, recomposesNames } = platform;
  if (!ignoresCase && !recomposesNames) return undefined;
  return (path) => {
    const text = Buffer.from(path, 'latin1').toString('utf8');
    const composed = recomposesNames ? text.normalize('NFC') : text;
    return ignoresCase ? composed.toLowerCase() : composed;
  };
}

/**
 * The program that runs POSIX shell scripts here. Git for Windows brings one, but puts only its own folder `cmd` on the PATH: where there is
 * no other `sh`, it is looked for beside `git`.
 * @param exists whether there is such a file.
 */
export function localShell(
  system: Pick<Platform, 'shell' | 'path'>,
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean,
): string {
  if (system.path.isAbsolute(system.shell)) return system.shell;
  const path = Object.entries(env).find(([name]) => name.toUpperCase() === 'PATH')?.[1] ?? '';
  const folders = path.split(system.path.delimiter).filter((folder) => folder !== '');
  const gits = folders.filter((folder) => exists(system.path.join(folder, 'git.exe')));
  const places = [
    ...folders,
    ...gits.flatMap((folder) =>
      ['../bin', '../usr/bin', '../../bin'].map((up) => system.path.join(folder, up)),
    ),
  ];
  return places.map((folder) => system.path.join(folder, 'sh.exe')).find(exists) ?? system.shell;
}

/** The system that this process runs on. */
export const platform = platformOf(process.platform);
