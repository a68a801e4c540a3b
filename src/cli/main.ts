/** The `durant` command: arguments, the command, its exit status. */
import { setFlagsFromString } from 'node:v8';
import { asDurantError, DurantError, type ErrorCode } from '../errors.ts';
import { rsyncShellCommand } from '../transfer/rsyncDoor.ts';
import { parseArgs, type ParsedArgs } from './args.ts';
import type { Context, GlobalOptions } from './context.ts';
import { exitStatus } from './exitStatus.ts';
import { listenForInterrupts } from './interrupt.ts';
import { errorObject, printJson } from './json.ts';
import { createOutput, printLine, type Output } from './output.ts';
import { printableLines } from '../printable.ts';
import { rsyncShell } from './rsyncShell.ts';

const quietly: GlobalOptions = { config: undefined, json: false, color: true, verbose: false };

async function main(argv: readonly string[]): Promise<number> {
  // A deploy reads many small things once: a young generation that grows for them would hold 30 MB more to the end.
  setFlagsFromString('--semi-space-growth-factor=1');
  if (argv[0] === rsyncShellCommand) return rsyncShell(argv.slice(1), process.env);
  const parsed = parseArgs(argv);
  const options = parsed.kind === 'run' ? parsed.invocation.global : { ...quietly, json: wantsJson(parsed) };
  const output = createOutput(process, process.env, options);
  if (parsed.kind === 'text') {
    output.stdout.write(parsed.text);
    return 0;
  }
  if (parsed.kind === 'usage-error')
    return showError(new DurantError('usage', parsed.message), parsed.command, options, output);

  let sayAbandoned = (): void => undefined;
  const interruption = listenForInterrupts(process, {
    first: () => {
      if (!options.json)
        printLine(output.stderr, 'Ending the run and putting things back … (Ctrl+C again stops at once)');
    },
    again: () => {
      sayAbandoned();
      process.exit(exitStatus('cancelled'));
    },
  });
  const context: Context = {
    options,
    output,
    input: process.stdin,
    env: process.env,
    cwd: process.cwd(),
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
  const shown = errorObject(error);
  if (!json) printLine(output.stderr, `${output.errorColor.red('durant:')} ${printableLines(error.message)}`);
  else if (command === 'deploy' || command === 'rollback')
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

// A reader that goes away (`durant releases | head`) is no failure of ours, and a deploy goes on without one.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
  });

void main(process.argv.slice(2)).then((status) => {
  // Nothing that is still open may hold the command back; what was written has to be out first.
  process.exitCode = status;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(status)));
});
