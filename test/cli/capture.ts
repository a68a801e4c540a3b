/** An `Output` that remembers what was written, for tests of what the CLI shows. */
import { createOutput, type Output } from '../../src/cli/output.ts';

export interface Captured {
  readonly output: Output;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export function captureOutput(
  terminal: { readonly columns: number; readonly rows: number } | undefined = undefined,
): Captured {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    ...(terminal === undefined ? { isTTY: false } : { isTTY: true, ...terminal }),
    write: (text: string) => {
      written[name] += text;
    },
  });
  return {
    output: createOutput({ stdout: stream('stdout'), stderr: stream('stderr') }, {}, { color: false }),
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  };
}
