/** Commands of a goal's section, run here in its working directory. */
import type { RemoteResult } from '../../../remote/target.ts';
import { quote } from '../../../remote/shell.ts';
import { outputLines } from '../../run/outputLines.ts';
import { exports, lastLines } from '../../run/script.ts';
import type { GoalWork } from './goalContext.ts';
import { GoalFailure, TEMPORARY_FAILURE } from './goalFailure.ts';

/** A script for this machine's `sh`. What is secret in it or in `env` travels through standard input. */
export interface LocalScript {
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `shown`: output becomes events. Default: it is only in the result. */
  readonly output?: 'shown';
}

/** Runs a script in the goal's directory, under the stage's `command_timeout`. */
export function runHere(work: GoalWork, { script, env = {}, output }: LocalScript): Promise<RemoteResult> {
  const timeout = work.run.settings.command_timeout;
  const lines = outputLines(work.run.mask, (stream, line) =>
    work.run.emit({ event: 'output', server: null, stream, line }),
  );
  const command = {
    script: `cd -- ${quote(work.directory)} || exit 1\n${exports({ ...work.env, ...env })}\n${script}`,
    signal: work.signal,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
  if (output === undefined) return work.run.local.exec(command);
  return work.run.local.exec({ ...command, onOutput: lines.write }).finally(lines.end);
}

/**
 * Runs the user's commands one after the other, as events.
 * @throws {GoalFailure} with the first that failed, its exit status and the last lines of its output.
 */
export async function runCommandsHere(work: GoalWork, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    work.run.emit({
      event: 'command',
      server: null,
      step: work.name,
      command,
      directory: work.directory,
    });
    const result = await runHere(work, { script: command, output: 'shown' });
    if (result.status !== 0) throw commandFailure(command, result);
  }
}

/** Runs commands that only look, without events, until one does not exit 0; its result, or the last one's. */
export async function askCommands(
  work: GoalWork,
  commands: readonly string[],
): Promise<{ readonly command: string; readonly result: RemoteResult } | undefined> {
  let last: { readonly command: string; readonly result: RemoteResult } | undefined;
  for (const command of commands) {
    last = { command, result: await runHere(work, { script: command }) };
    if (last.result.status !== 0) return last;
  }
  return last;
}

export function commandFailure(command: string, result: RemoteResult): GoalFailure {
  return new GoalFailure(`"${command}" ended with exit status ${String(result.status)} on this machine.`, {
    remedy: 'Fix the cause, then run again.',
    mayPass: result.status === TEMPORARY_FAILURE,
    output: outputOf(result, 8),
    data: { exitStatus: result.status },
  });
}

/** The last lines of what a command said. */
export function outputOf(result: RemoteResult, lines: number): string {
  return lastLines(Buffer.concat([result.stdout, result.stderr]).toString('utf8'), lines);
}

/** Whether a program is on this machine's PATH. */
export async function hasProgram(work: GoalWork, name: string): Promise<boolean> {
  return (await runHere(work, { script: `command -v ${quote(name)} >/dev/null 2>&1` })).status === 0;
}
