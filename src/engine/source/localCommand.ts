/** One command on this machine, for `sh!` and `gpg`: output is collected, and it ends when the signal is aborted. */
import { spawn } from 'node:child_process';
import { platform } from '../../platform.ts';
import { cancelled, DurantError } from '../../errors.ts';
import type { ShellResult } from '../../config/values/settings.ts';

export interface LocalCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** @throws {DurantError} `local-tool-missing` where the program cannot be started, `cancelled`. */
export function runLocally(command: LocalCommand): Promise<ShellResult> {
  const { program, signal } = command;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(cancelled());
      return;
    }
    const child = spawn(program, command.args, {
      cwd: command.cwd,
      env: command.env,
      stdio: 'pipe',
      // A group of its own, so that what the command started ends with it. Windows has no such groups.
      detached: platform.hasProcessGroups,
      windowsHide: true,
    });
    const end = (): void => {
      try {
        if (child.pid !== undefined && platform.hasProcessGroups) process.kill(-child.pid, 'SIGTERM');
        else child.kill();
      } catch {
        // It has ended by itself meanwhile.
      }
    };
    signal.addEventListener('abort', end, { once: true });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
    // A command that does not read its input to the end is not at fault.
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input ?? '');
    child.on('error', (error) => {
      signal.removeEventListener('abort', end);
      reject(
        new DurantError('local-tool-missing', `${program} could not be started (${error.message}).`, {
          remedy: 'Install it on this machine, or put it on the PATH.',
          cause: error,
        }),
      );
    });
    child.on('close', (status, killedBy) => {
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(cancelled());
      else
        resolve({
          status: status ?? (killedBy === null ? 1 : 128),
          stdout: Buffer.concat(output.stdout).toString('utf8'),
          stderr: Buffer.concat(output.stderr).toString('utf8'),
        });
    });
  });
}
