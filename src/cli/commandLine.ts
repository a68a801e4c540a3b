/** One command line, from its words to its exit status. What it reads, writes and hears comes from outside, so that it runs in any process. */
import { asDurantError, DurantError, type ErrorCode } from '../errors.ts';
import { errorText } from './errorText.ts';
import { parseArgs, type ParsedArgs } from './args.ts';
import type { Context, GlobalOptions } from './context.ts';
import { exitStatus } from './exitStatus.ts';
import { listenForInterrupts, type SignalSource } from './interrupt.ts';
import { printJson } from './json.ts';
import { publicError } from '../report/publicError.ts';
import { createOutput, printLine, type Output, type TextStream } from './output.ts';
import { printableLines } from '../printable.ts';
import type { TerminalInput } from './prompts.ts';

/** Where a command line runs. */
export interface ProcessHost extends Pick<Context, 'env' | 'cwd' | 'program' | 'time'> {
  readonly stdin: TerminalInput;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly signals: SignalSource;
  /** Ends the process at once, for the second Ctrl+C. */
  readonly exit: (status: number) => void;
}

const quietly: GlobalOptions = { config: undefined, json: false, color: true, verbose: false };

/** Commands whose `--json` output is the events of a run. */
const printsEvents: readonly string[] = ['deploy', 'rollback', 'promote', 'verify', 'run'];

/** Runs it to its end. Resolves with the exit status; never rejects, as every failure is shown. */
export async function runCommandLine(argv: readonly string[], host: ProcessHost): Promise<number> {
  const { env, cwd, program, time } = host;
  const parsed = parseArgs(argv);
  const options = parsed.kind === 'run' ? parsed.invocation.global : { ...quietly, json: wantsJson(parsed) };
  const output = createOutput(host, env, options);
  if (parsed.kind === 'text') {
    output.stdout.write(parsed.text);
    return 0;
  }
  if (parsed.kind === 'usage-error')
    return showError(new DurantError('usage', parsed.message), parsed.command, options, output);

  let sayAbandoned = (): void => undefined;
  const interruption = listenForInterrupts(host.signals, {
    first: () => {
      if (!options.json)
        printLine(
          output.stderr,
          `${endingWords(parsed.invocation.command.name)} (Ctrl+C again stops at once)`,
        );
    },
    again: () => {
      sayAbandoned();
      host.exit(exitStatus('cancelled'));
    },
  });
  const context: Context = {
    options,
    output,
    input: host.stdin,
    env,
    cwd,
    program,
    time,
    interruption,
    onAbandon: (say) => {
      sayAbandoned = say;
    },
  };
  try {
    return await parsed.invocation.command.run(context);
  } catch (error) {
    const told = asDurantError(error);
    if (told.code === 'internal' && options.verbose && error instanceof Error)
      printLine(output.stderr, printableLines(error.stack ?? ''));
    return showError(told, parsed.invocation.command.name, options, output);
  } finally {
    interruption.dispose();
  }
}

/** `run` puts nothing back: what its command has done stays done. */
function endingWords(command: string): string {
  return command === 'run'
    ? 'Ending the command on every server …'
    : 'Ending the run and putting things back …';
}

function wantsJson(parsed: ParsedArgs): boolean {
  return parsed.kind === 'usage-error' && parsed.json;
}

/** Shows an error that no run reported, in the form that the command's output has. */
function showError(
  error: DurantError,
  command: string | undefined,
  { json }: GlobalOptions,
  output: Output,
): number {
  const shown = publicError(error);
  if (!json) printLine(output.stderr, `${output.errorColor.red('durant:')} ${errorText(error)}`);
  else if (command !== undefined && printsEvents.includes(command))
    // These promise events, so what waits for the last one gets it even where nothing was begun.
    printJson(output, {
      event: 'run-finished',
      ok: false,
      dry_run: false,
      release: null,
      commit: null,
      servers: [],
      error: shown,
    });
  else printJson(output, { error: shown });
  return exitStatus(error.code satisfies ErrorCode);
}
