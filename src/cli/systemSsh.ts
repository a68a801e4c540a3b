/** The system's ssh with the settings of durant.conf, on this process's own terminal: for `durant ssh` and `durant app`. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { expandLocalPath } from '../config/values/localPath.ts';
import { DurantError } from '../errors.ts';
import type { StageRequest } from '../engine/index.ts';
import { destination } from '../remote/openssh/arguments.ts';
import { quote, quotePath } from '../remote/shell.ts';
import type { ServerAddress } from '../remote/target.ts';

/** The command line, as words. @throws {DurantError} `usage` for a host or user that could be taken for an option. */
export function sshCommand(
  { settings }: Pick<StageRequest, 'settings'>,
  address: ServerAddress,
  surroundings: {
    /** Whether somebody sits at a terminal. */
    readonly terminal: boolean;
    /** What runs there instead of a login shell in the live release. No secret may be in it: it is an argument. */
    readonly script?: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): readonly [string, ...string[]] {
  const script = surroundings.script ?? enterScript(settings);
  if (address.local) return ['/bin/sh', '-c', script];
  const { arguments: where, host } = destination({
    address,
    user: settings.user,
    port: settings.ssh_port,
    identity:
      settings.ssh_identity === undefined
        ? undefined
        : expandLocalPath(settings.ssh_identity, surroundings.env),
  });
  const checking = { ask: 'ask', strict: 'yes', 'accept-new': 'accept-new' }[settings.host_key_checking];
  return [
    'ssh',
    surroundings.terminal ? '-t' : '-T',
    '-o',
    `StrictHostKeyChecking=${checking}`,
    '-o',
    'RemoteCommand=none',
    ...where,
    '--',
    host,
    // In one word for whatever login shell there is.
    `exec /bin/sh -c ${quote(script)}`,
  ];
}

/** Goes into the live release, else as near as can be, and leaves a login shell there. */
function enterScript({
  project_dir: project,
  current_path: current,
  strategy,
}: Pick<StageRequest['settings'], 'project_dir' | 'current_path' | 'strategy'>): string {
  const folders = strategy === 'inplace' ? [project] : [`${project}/${current}`, project];
  const enter = folders.map((folder) => `cd -- ${quotePath(folder)} 2>/dev/null`).join(' || ');
  const missing = quote(`project_dir ${project} is not there yet`);
  return `${enter} || echo ${missing} >&2; exec "\${SHELL:-/bin/sh}" -l`;
}

/** Runs it with this process's own terminal, and ends as it ends. */
export function runInTerminal(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', (error) => {
      reject(
        new DurantError(
          'local-tool-missing',
          `${program} could not be started (${error.message}). Install OpenSSH's client, or put it on the PATH.`,
          { cause: error },
        ),
      );
    });
    child.on('exit', (status, signal) =>
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]),
    );
  });
}
