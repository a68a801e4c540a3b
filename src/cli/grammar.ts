/** The command line's commands and options as data. */
import type { Command } from 'commander';
import { buildParser } from './parser.ts';

/** What may be written on the command line, for completion. */
export interface Grammar {
  readonly options: readonly OptionGrammar[];
  readonly commands: readonly {
    readonly name: string;
    readonly summary: string;
    readonly options: readonly OptionGrammar[];
    /** Names of its arguments, like STAGE. */
    readonly args: readonly string[];
  }[];
}

export interface OptionGrammar {
  /** `--wait` and, where it has one, `-n`. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Name of its value, like FILE; undefined: it has none. */
  readonly value: string | undefined;
}

export function commandGrammar(): Grammar {
  const program = buildParser(
    () => undefined,
    () => undefined,
  );
  const optionsOf = (of: Command): readonly OptionGrammar[] =>
    of
      .createHelp()
      .visibleOptions(of)
      .map(({ short, long, description, flags }) => ({
        names: [short, long].flatMap((name) => (name === undefined || name === null ? [] : [name])),
        summary: description,
        value: /<([^>]+)>/.exec(flags)?.[1],
      }));
  return {
    // A command that has a dry run names it itself.
    options: optionsOf(program).filter(({ names }) => !names.includes('--dry-run')),
    commands: program.commands.map((command) => ({
      name: command.name(),
      summary: command.summary(),
      options: optionsOf(command),
      args: command.registeredArguments.map((arg) => arg.name()),
    })),
  };
}
