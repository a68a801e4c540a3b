/** What every command is run with. */
import type { Interruption } from './interrupt.ts';
import type { GlobalOptions } from './invocation.ts';
import type { Output } from './output.ts';
import type { TerminalInput } from './prompts.ts';

export interface Context {
  readonly options: GlobalOptions;
  readonly output: Output;
  readonly input: TerminalInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by the first Ctrl+C. */
  readonly interruption: Interruption;
  /** Sets what the second Ctrl+C says before it ends the process. */
  readonly onAbandon: (say: () => void) => void;
}
