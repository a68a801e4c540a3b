/** Where the CLI writes: results on standard output, progress and errors on standard error. */
import { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;

/** As much of a standard stream as the CLI uses. */
export interface TextStream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface Output {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Colours for what goes to standard output; each a no-op where colour is not wanted. */
  readonly color: Colors;
  /** The same for standard error. */
  readonly errorColor: Colors;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Puts the streams and the wish for colour together: https://no-color.org, `--no-color`, `TERM=dumb`, and terminals only. */
export function createOutput(
  streams: Pick<Output, 'stdout' | 'stderr'>,
  env: Environment,
  wanted: { readonly color: boolean },
): Output {
  const allowed = wanted.color && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return {
    ...streams,
    color: createColors(allowed && streams.stdout.isTTY === true),
    errorColor: createColors(allowed && streams.stderr.isTTY === true),
  };
}

/** Whether standard error can show progress that rewrites itself. */
export function canRewrite(output: Output, env: Environment): boolean {
  return output.stderr.isTTY === true && env['TERM'] !== 'dumb' && (env['TERM'] ?? '') !== '';
}

export function printLine(stream: TextStream, line: string): void {
  stream.write(`${line}\n`);
}
