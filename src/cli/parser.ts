/** The parser of the command line, and its help. */
import { Command as Parser, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { declareCommands } from './declarations.ts';
import { afterHelp, commandHelp } from './help.ts';
import type { GlobalOptions, Invocation } from './invocation.ts';
import { flag, text, type Options } from './optionValues.ts';

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
    .addOption(new Option('-n, --dry-run').hideHelp())
    .version(`durant ${manifest.version}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help; durant COMMAND --help for one command')
    .helpCommand('help [COMMAND]', 'Print help for a command.')
    .configureHelp({
      subcommandTerm: (sub) =>
        [
          sub.name(),
          ...sub.registeredArguments.map((arg) => (arg.required ? arg.name() : `[${arg.name()}]`)),
        ].join(' '),
    })
    .addHelpText('after', afterHelp);

  declareCommands((name, args, takesDryRun, read) => {
    const { summary, text } = commandHelp[name];
    const sub = program.command(`${name}${args === '' ? '' : ` ${args}`}`);
    sub
      .summary(summary)
      .description(summary)
      .addHelpText('after', text)
      .helpOption('-h, --help', 'print this help')
      .allowExcessArguments(false);
    if (takesDryRun === 'takes a dry run')
      sub.option('-n, --dry-run', 'change nothing; say what would be done and why');
    sub.action((...passed: unknown[]) => {
      const options: Options = sub.optsWithGlobals();
      if (takesDryRun === 'no dry run' && flag(options, 'dryRun'))
        sub.error(`error: '${name}' has no dry run: leave -n out`, {
          code: 'durant.option',
        });
      const values = passed
        .slice(0, -2)
        .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
        .map((value: unknown) => (typeof value === 'string' ? value : undefined));
      done({ global: globalOptions(options), command: read(values, options) });
    });
    return sub;
  });
  return program;
}

function globalOptions(options: Options): GlobalOptions {
  return {
    config: text(options, 'config'),
    json: flag(options, 'json'),
    color: options['color'] !== false,
    verbose: flag(options, 'verbose'),
  };
}
