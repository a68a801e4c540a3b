/** The parser of the command line, and its help. */
import { Command as Parser, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { ReadCommand } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import type { GlobalOptions } from './context.ts';
import { flag, text, type Options } from './optionValues.ts';

/** What a command line asks for. */
export interface Invocation {
  readonly global: GlobalOptions;
  readonly command: ReadCommand;
}

/** The parser of the command line; `done` gets what it reads. */
export function buildParser(write: (text: string) => void, done: (invocation: Invocation) => void): Parser {
  const program = new Parser('durant');
  program
    .exitOverride()
    .configureOutput({
      writeOut: write,
      writeErr: write,
      outputError: () => undefined,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .usage('[options] COMMAND')
    .description('Deploys git projects to your own servers over SSH: atomic releases, dry run, rollback.')
    .option('--config <FILE>', 'durant.conf to use; the project is the folder it lies in')
    .option('--json', 'print one JSON object a line on standard output, never ask')
    .option('--no-color', 'no colours (also when NO_COLOR is set)')
    .option('--verbose', 'every step, reason and command')
    .option('-n, --dry-run', 'of a command that changes something: only say what it would do')
    .version(`durant ${manifest.version}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help; durant COMMAND --help for one command')
    .helpCommand('help [COMMAND]', 'Print help for a command.')
    .configureHelp({
      showGlobalOptions: true,
      // Each command has its own -n and -h, or none.
      visibleGlobalOptions: ({ parent }) =>
        parent?.options.filter(({ long }) => COMMON.includes(long ?? '')) ?? [],
      subcommandTerm: (sub) =>
        [
          sub.name(),
          ...sub.registeredArguments.map((arg) => (arg.required ? arg.name() : `[${arg.name()}]`)),
        ].join(' '),
    })
    .addHelpText('after', afterHelp);

  for (const { name, summary, help, args, dryRun, options = [], read } of COMMANDS) {
    const sub = program.command(`${name}${args === undefined ? '' : ` ${args}`}`);
    sub
      .summary(summary)
      .description(summary)
      .addHelpText('after', help)
      .helpOption('-h, --help', 'print this help')
      .allowExcessArguments(false);
    if (dryRun === true) sub.option('-n, --dry-run', 'change nothing; say what would be done and why');
    for (const [flags, description, parse] of options) {
      const option = new Option(flags, description);
      sub.addOption(parse === undefined ? option : option.argParser(parse));
    }
    sub.action((...passed: unknown[]) => {
      const given: Options = sub.optsWithGlobals();
      if (dryRun !== true && flag(given, 'dryRun'))
        sub.error(`error: '${name}' has no dry run: leave -n out`, { code: 'durant.option' });
      const words = passed
        .slice(0, -2)
        .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
        .map((value: unknown) => (typeof value === 'string' ? value : undefined));
      done({ global: globalOptions(given), command: read(words, given) });
    });
  }
  return program;
}

/** Options that every command takes. */
const COMMON: readonly string[] = ['--config', '--json', '--no-color', '--verbose'];

function globalOptions(options: Options): GlobalOptions {
  return {
    config: text(options, 'config'),
    json: flag(options, 'json'),
    color: options['color'] !== false,
    verbose: flag(options, 'verbose'),
  };
}

const afterHelp = `
A first deploy:
  durant init                     write a durant.conf to fill in
  durant check                    look for mistakes in it, no network
  durant check --connect          look at the servers too, changing nothing
  durant -n deploy production     say what a deploy would do, changing nothing
  durant deploy production        do it
  durant rollback production      and take it back

Results go to standard output, progress and errors to standard error. With --json everything goes
to standard output, one object a line, and nothing is ever asked.

Exit status:
  0    done, or already so
  1    the run failed; what was live before is live
  2    the command line or durant.conf is wrong; nothing was contacted
  3    someone else holds the lock, or the stage is held
  4    deploy -n --detailed-exitcode: changes are pending; verify: something differs
  130  cancelled`;
