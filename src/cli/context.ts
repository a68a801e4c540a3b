/** What every command is run with. */
import type { Time } from '../engine/ports.ts';
import type { Interruption } from './interrupt.ts';
import type { Output } from './output.ts';
import type { TerminalInput } from './prompts.ts';

export interface GlobalOptions {
  /** Path of durant.conf as given with `--config`; undefined: durant.conf of the current folder. */
  readonly config: string | undefined;
  /** One JSON object a line on standard output, no prompts. */
  readonly json: boolean;
  /** False after `--no-color`. */
  readonly color: boolean;
  readonly verbose: boolean;
}

export interface Context {
  readonly options: GlobalOptions;
  readonly output: Output;
  readonly input: TerminalInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Program and arguments that start the command line anew. */
  readonly program: readonly string[];
  readonly time: Time;
  /** Aborted by the first Ctrl+C. */
  readonly interruption: Interruption;
  /** Sets what the second Ctrl+C says before it ends the process. */
  readonly onAbandon: (say: () => void) => void;
}
