/** Starting `ssh`: apart from the terminal's Ctrl+C, and never outliving Durant where it holds a connection. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { platform } from '../../platform.ts';

export type SshProcess = ChildProcessWithoutNullStreams;

/** Starts `ssh`. Its own session: Ctrl+C does not reach it, and it finds no terminal to ask on past SSH_ASKPASS. */
export function startSsh(
  sshPath: string,
  sshArguments: readonly string[],
  env: NodeJS.ProcessEnv = {},
): SshProcess {
  const child = spawn(sshPath, sshArguments, {
    env: { ...process.env, ...env },
    detached: platform.hasProcessGroups,
    windowsHide: true,
  });
  child.stdin.on('error', () => undefined);
  return child;
}

/**
 * Runs beside `ssh` and ends it as soon as standard input is closed, as it is when Durant ends, however it ends; then removes the
 * folder. Arguments: the folder, then the command.
 */
const guard = `directory=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & ssh=$!
exec >/dev/null 2>&1
{ read -r _ <&3; kill $ssh; } & reader=$!
trap 'kill $ssh' HUP INT TERM
wait $ssh; status=$?
kill $reader
rm -rf -- "$directory"
exit $status`;

/** Starts an `ssh` that ends when its standard input is closed; `directory` is then removed. */
export function startGuardedSsh(
  sshPath: string,
  sshArguments: readonly string[],
  env: NodeJS.ProcessEnv,
  directory: string,
): SshProcess {
  return startSsh(platform.shell, ['-c', guard, 'durant-ssh', directory, sshPath, ...sshArguments], env);
}

export interface ProcessLog {
  /** The last 32 KiB that were written. */
  text(): string;
  /** How many characters were written in all. */
  written(): number;
}

/** Collects what a process writes to standard error. */
export function keepLog(child: SshProcess): ProcessLog {
  let log = '';
  let written = 0;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-32_768);
    written += chunk.length;
  });
  return { text: () => log, written: () => written };
}
