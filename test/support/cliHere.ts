/** Runs a command line in this process, as its user: no process, no start of node, and pauses that are short. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { machineTime } from '../../src/engine/thisMachine.ts';
import { runCommandLine } from '../../src/cli/commandLine.ts';
import { cliBundle, cliResult, type CliOptions, type CliResult } from './cli.ts';

/** Runs the CLI to its end. Runs at the same time need the same environment, as a process has only one. */
export async function runCliHere(
  args: readonly string[],
  { home, cwd, env }: CliOptions,
): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const nobody = {
    on: () => undefined,
    off: () => undefined,
    resume: () => undefined,
    pause: () => undefined,
  };
  const leave = home.enter({ ...home.env, ...env });
  try {
    const status = await runCommandLine(args, {
      stdin: nobody,
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      env: { ...process.env },
      cwd,
      program: [process.execPath, cliBundle()],
      time,
      signals: new EventEmitter(),
      exit: () => assert.fail('Nobody interrupted it twice.'),
    });
    return cliResult(status, written);
  } finally {
    leave();
  }
}

const time = {
  ...machineTime,
  sleep: (ms: number, signal: AbortSignal) => machineTime.sleep(ms / 20, signal),
};
