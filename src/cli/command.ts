/** What a command of the command line is: its grammar, its help, and what carries it out. Each file of `commands/` defines one. */
import type { Context } from './context.ts';
import type { OptionReader, Options } from './optionValues.ts';

/** An option as commander takes it: `-k, --keep <N>`, what it is for, and what checks and reads its value. */
export type OptionDefinition = readonly [flags: string, description: string, parse?: OptionReader];

export interface CommandDefinition<Wanted extends object> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says below the options. */
  readonly help: string;
  /** `<STAGE> [RELEASE]`; undefined: it takes no words. */
  readonly args?: string;
  /** Whether `-n` is one of its options. */
  readonly dryRun?: true;
  readonly options?: readonly OptionDefinition[];
  /** Words and options as data. @throws {InvalidArgumentError} where they do not go together. */
  readonly read: (words: readonly (string | undefined)[], options: Options) => Wanted;
  /**
   * Resolves with the exit status. What it needs of the engine it imports here, so that `--help` and `check` load no ssh.
   * @throws {DurantError} what the command could not do.
   */
  readonly run: (wanted: Wanted, context: Context) => Promise<number>;
}

/** A command line that was understood. */
export interface ReadCommand {
  readonly name: string;
  /** What the command's `read` made of the words. */
  readonly wanted: object;
  readonly run: (context: Context) => Promise<number>;
}

/** A command whose own type of data is nobody else's concern. */
export interface CliCommand extends Omit<CommandDefinition<object>, 'read' | 'run'> {
  readonly read: (words: readonly (string | undefined)[], options: Options) => ReadCommand;
}

export function defineCommand<Wanted extends object>(definition: CommandDefinition<Wanted>): CliCommand {
  const { read, run, ...rest } = definition;
  return {
    ...rest,
    read(words, options) {
      const wanted = read(words, options);
      return { name: rest.name, wanted, run: (context) => run(wanted, context) };
    },
  };
}
