/** The system's ssh with the settings of durant.conf, on this process's own terminal: for `durant ssh` and `durant app`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { expandLocalPath } from '../config/values/localPath.ts';
import { createMaskStream } from '../config/values/maskStream.ts';
import { DurantError } from '../errors.ts';
import type { StageRequest } from '../engine/index.ts';
import { effectiveChecking } from '../remote/hostKeySettings.ts';
import { destination, strictness } from '../remote/openssh/arguments.ts';
import { jumpArguments } from '../remote/openssh/jumps.ts';
import { readRoute } from '../remote/route.ts';
import type { Output } from './output.ts';
import { quote, quotePath } from '../remote/shell.ts';
import { readSettings } from '../remote/sshSettings.ts';
import type { ServerAddress } from '../remote/target.ts';

/**
 * The command line, as words; host keys are checked as durant.conf and the ssh configuration say, the stricter of both.
 * @throws {DurantError} `usage` for a host or user that could be taken for an option; `connection-unsupported`.
 */
export async function sshCommand(
  { settings }: Pick<StageRequest, 'settings'>,
  address: ServerAddress,
  surroundings: {
    /** Whether somebody sits at a terminal. */
    readonly terminal: boolean;
    /** What runs there instead of a login shell in the live release. No secret may be in it: it is an argument. */
    readonly script?: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
  },
): Promise<readonly [string, ...string[]]> {
  const script = surroundings.script ?? enterScript(settings);
  if (address.local) return ['/bin/sh', '-c', script];
  const identity =
    settings.ssh_identity === undefined
      ? undefined
      : expandLocalPath(settings.ssh_identity, surroundings.env);
  const { arguments: where, host } = destination({
    address,
    user: settings.user,
    port: settings.ssh_port,
    identity,
  });
  const query = {
    host,
    user: address.user ?? settings.user,
    port: address.port ?? settings.ssh_port,
    identity,
    sshPath: undefined,
  };
  const route = await readRoute(query, readSettings, surroundings.signal);
  const checking = settings.host_key_checking;
  return [
    'ssh',
    surroundings.terminal ? '-t' : '-T',
    '-o',
    `StrictHostKeyChecking=${strictness(effectiveChecking(checking, route[0]))}`,
    ...jumpArguments({ route, checking, sshPath: undefined, log: 'quiet', knownHosts: undefined }),
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
  return endOf(program, spawn(program, args, { stdio: 'inherit' }), 'exit');
}

/** How long output may stay away before what was held back of it is shown. */
const IDLE_MS = 30;

/** The same, with secrets masked in what it prints; the terminal's input is its own. */
export function runMasked(
  program: string,
  args: readonly string[],
  {
    secrets,
    output,
    masks,
  }: {
    readonly secrets: readonly string[];
    readonly output: Pick<Output, 'stdout' | 'stderr'>;
    /** ssh has all that a terminal of the server shows on its standard output; the other is its own, and its master's that stays. */
    readonly masks: 'stdout' | 'both';
  },
): Promise<number> {
  const child = spawn(program, args, {
    stdio: ['inherit', 'pipe', masks === 'both' ? 'pipe' : 'inherit'],
  });
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name];
    if (stream === null) continue;
    const mask = createMaskStream(secrets);
    const show = (bytes: Buffer): void => {
      if (bytes.length > 0) output[name].write(bytes);
    };
    let timer: NodeJS.Timeout | undefined;
    stream.on('data', (chunk: Buffer) => {
      clearTimeout(timer);
      show(mask.write(chunk));
      timer = setTimeout(() => show(mask.idle()), IDLE_MS);
    });
    stream.once('end', () => {
      clearTimeout(timer);
      show(mask.end());
    });
  }
  return endOf(program, child, 'close');
}

function endOf(program: string, child: ChildProcess, event: 'exit' | 'close'): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(
        new DurantError('local-tool-missing', `${program} could not be started (${error.message}).`, {
          remedy: "Install OpenSSH's client, or put it on the PATH.",
          cause: error,
        }),
      );
    });
    child.on(event, (status: number | null, signal: NodeJS.Signals | null) =>
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]),
    );
  });
}
