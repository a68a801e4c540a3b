/** The command line: text in, an invocation, a usage error or a help text out. Nothing is read, printed or exited here. */
import { CommanderError } from 'commander';
import type { ReadCommand } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { buildParser, type Invocation } from './parser.ts';

export type ParsedArgs =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  /** Help or the version, for standard output. */
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'usage-error';
      readonly message: string;
      /** Whether `--json` was among the arguments, and which command, so that the error is shown in kind. */
      readonly json: boolean;
      readonly command: string | undefined;
    };

/** How long `--wait` waits when it is given without a duration. */
const defaultWaitMs = 15 * 60_000;

/** Parses the arguments after the program's name. Options may stand before or after the command. */
export function parseArgs(argv: readonly string[]): ParsedArgs {
  // Any words at all may follow it: none of them is an option of this call.
  if (argv[0] === '__complete')
    return {
      kind: 'run',
      invocation: {
        global: { config: undefined, json: false, color: false, verbose: false },
        command: completing(argv.slice(1)),
      },
    };
  const output: string[] = [];
  let parsed: Invocation | undefined;
  const parser = buildParser(
    (text) => output.push(text),
    (invocation) => {
      parsed = invocation;
    },
  );
  try {
    parser.parse(spellOutWait(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text: output.join('') };
    return {
      kind: 'usage-error',
      message: usageMessage(error, argv),
      json: beforeSeparator(argv).includes('--json'),
      command: commandNamed(argv),
    };
  }
  if (parsed === undefined) return { kind: 'text', text: output.join('') };
  return { kind: 'run', invocation: parsed };
}

/** Not for people: what the scripts of `durant completion` ask. The words so far, the last one unfinished. */
function completing(words: readonly string[]): ReadCommand {
  return {
    name: '__complete',
    wanted: { words },
    run: async (context) => (await import('./commands/complete.ts')).complete(words, context),
  };
}

/** `--wait` alone must not take the stage that follows for its duration. */
function spellOutWait(argv: readonly string[]): string[] {
  const options = beforeSeparator(argv).map((arg) =>
    arg === '--wait' ? `--wait=${String(defaultWaitMs / 1000)}` : arg,
  );
  return [...options, ...argv.slice(options.length)];
}

function beforeSeparator(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

/** The command that the arguments seem to mean, found without parsing: a stage or server may have a command's name. */
function commandNamed(argv: readonly string[]): string | undefined {
  return argv.find((arg) => COMMANDS.some(({ name }) => name === arg));
}

/** One or two sentences out of commander's message, ending with where to look. */
function usageMessage(error: CommanderError, argv: readonly string[]): string {
  const name = commandNamed(argv);
  if (error.code === 'commander.help') {
    const asked = argv[argv.indexOf('help') + 1];
    const unknown =
      argv.includes('help') && asked !== undefined ? `Unknown command '${asked}'` : 'No command given';
    return `${unknown}. The commands are ${COMMANDS.map(({ name }) => name).join(', ')}. See durant --help.`;
  }
  const help = name === undefined ? 'durant --help' : `durant ${name} --help`;
  const [sentence = '', hint] = error.message.replace(/^error: /, '').split(/\n(?=\()/);
  const said = sentence.replace(/\.$/, '');
  const suggestion = hint === undefined ? '' : ` ${hint.replace(/^\(|\)$/g, '')}`;
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.${suggestion} See ${help}.`;
}
