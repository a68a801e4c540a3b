/** The command line: text in, an invocation, a usage error or a help text out. Nothing is read, printed or exited here. */
import { Command as Parser, CommanderError, InvalidArgumentError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { parseDuration } from '../config/kinds.ts';
import { afterHelp, commandHelp } from './help.ts';
import {
  APP_ACTIONS,
  SHELLS,
  type Command,
  type CommandName,
  type GlobalOptions,
  type Invocation,
} from './invocation.ts';

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
        command: { name: '__complete', words: argv.slice(1) },
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

  /** Declares one command; `read` turns its arguments and options into data. */
  const command = (
    name: CommandName,
    args: string,
    takesDryRun: 'takes a dry run' | 'no dry run',
    read: (args: readonly (string | undefined)[], options: Options) => Command,
  ): Parser => {
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
  };

  const deploy = command('deploy', '<STAGE>', 'takes a dry run', ([stage = ''], options) => {
    const dryRun = flag(options, 'dryRun');
    for (const name of ['build', 'detailedExitcode'] as const)
      if (flag(options, name) && !dryRun)
        deploy.error(
          `error: --${name === 'build' ? 'build' : 'detailed-exitcode'} belongs to a dry run: add -n`,
          {
            code: 'durant.option',
          },
        );
    return {
      name: 'deploy',
      stage,
      dryRun,
      build: flag(options, 'build'),
      detailedExitcode: flag(options, 'detailedExitcode'),
      ref: text(options, 'ref'),
      servers: list(options, 'server'),
      again: flag(options, 'again'),
      waitMs: number(options, 'wait'),
      yes: flag(options, 'yes'),
    };
  });
  deploy
    .option('--build', 'with -n: run before_deploy in a scratch work tree and list exactly')
    .option('--detailed-exitcode', 'with -n: exit 0 when nothing would change, 4 when something would')
    .option('--ref <REF>', "branch, tag or commit to deploy instead of the stage's", nonEmpty)
    .option('--server <HOST>', 'only this server of the stage (may be given again)', collect)
    .option('--again', 'make a new release even if this commit is live already')
    .option(
      '--wait <DURATION>',
      'wait for a lock held by someone else (30, 30s, 5m, 1h; alone: 15m)',
      duration,
    )
    .option('--yes', 'confirm the deploy of a protected stage');

  command('rollback', '<STAGE> [RELEASE]', 'takes a dry run', ([stage = '', release], options) => ({
    name: 'rollback',
    stage,
    release,
    dryRun: flag(options, 'dryRun'),
    yes: flag(options, 'yes'),
  })).option('--yes', 'confirm the rollback of a protected stage');
  command('releases', '<STAGE>', 'no dry run', ([stage = '']) => ({ name: 'releases', stage }));
  command('status', '[STAGE]', 'no dry run', ([stage]) => ({ name: 'status', stage }));
  command('unlock', '<STAGE>', 'no dry run', ([stage = ''], options) => ({
    name: 'unlock',
    stage,
    force: flag(options, 'force'),
  })).option('--force', 'do not ask');
  command('adopt', '<STAGE>', 'takes a dry run', ([stage = ''], options) => ({
    name: 'adopt',
    stage,
    dryRun: flag(options, 'dryRun'),
  }));
  command('check', '[STAGE]', 'no dry run', ([stage], options) => ({
    name: 'check',
    stage,
    connect: flag(options, 'connect'),
  })).option('--connect', 'also look at the servers as a deploy would, changing nothing');
  command('config', '[STAGE]', 'no dry run', ([stage], options) => ({
    name: 'config',
    stage,
    raw: flag(options, 'raw'),
  })).option('--raw', "the file as Python's configparser reads it");
  command('goals', '<STAGE>', 'no dry run', ([stage = '']) => ({ name: 'goals', stage }));
  command('prune', '<STAGE>', 'takes a dry run', ([stage = ''], options) => ({
    name: 'prune',
    stage,
    keep: number(options, 'keep'),
    dryRun: flag(options, 'dryRun'),
    yes: flag(options, 'yes'),
  }))
    .option('-k, --keep <N>', "finished releases to keep, the live one counted, instead of the stage's", kept)
    .option('--yes', 'confirm for a protected stage');
  const ssh = command('ssh', '<STAGE> [SERVER]', 'no dry run', ([stage = '', server], options) => {
    if (flag(options, 'json'))
      ssh.error("error: 'ssh' is for people: leave --json out", { code: 'durant.option' });
    return { name: 'ssh', stage, server };
  });
  const app = command(
    'app',
    '<STAGE> <ACTION> [WORDS...]',
    'no dry run',
    ([stage = '', wanted, ...rest], options) => {
      const words = rest.filter((word) => word !== undefined);
      const action = APP_ACTIONS.find((each) => each === wanted);
      const refuse = (message: string): never => app.error(`error: ${message}`, { code: 'durant.option' });
      if (action === undefined)
        return refuse(`there is no '${wanted ?? ''}', only ${APP_ACTIONS.join(', ')}`);
      if (action === 'exec' && words.length === 0)
        refuse('exec needs a command: durant app STAGE exec -- COMMAND');
      if (action !== 'exec' && action !== 'shell' && words.length > (action === 'info' ? 0 : 1))
        refuse(`'${action}' takes ${action === 'info' ? 'no name' : 'the name of one process'}`);
      if (flag(options, 'follow') && action !== 'logs') refuse('-f belongs to logs');
      return {
        name: 'app',
        stage,
        action,
        words,
        follow: flag(options, 'follow'),
        lines: number(options, 'lines') ?? 50,
        servers: list(options, 'server'),
      };
    },
  );
  app
    .option('-f, --follow', 'with logs: go on until Ctrl+C')
    .option('--lines <N>', 'with logs: how many of the last lines (50)', kept)
    .option('--server <HOST>', 'only this server of the stage (may be given again)', collect);
  command('templates', '', 'no dry run', (_, options) => ({
    name: 'templates',
    export: flag(options, 'export'),
  })).option('--export', 'write the built-in ones into templates_dir, to be changed there');
  const completion = command('completion', '<SHELL>', 'no dry run', ([wanted = '']) => {
    const shell = SHELLS.find((each) => each === wanted);
    if (shell !== undefined) return { name: 'completion', shell };
    return completion.error(`error: there is no completion for '${wanted}', only for ${SHELLS.join(', ')}`, {
      code: 'durant.option',
    });
  });
  command('stages', '', 'no dry run', () => ({ name: 'stages' }));
  command('init', '', 'no dry run', () => ({ name: 'init' }));

  return program;
}

type Options = Readonly<Record<string, unknown>>;

function globalOptions(options: Options): GlobalOptions {
  return {
    config: text(options, 'config'),
    json: flag(options, 'json'),
    color: options['color'] !== false,
    verbose: flag(options, 'verbose'),
  };
}

function flag(options: Options, name: string): boolean {
  return options[name] === true;
}

function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function number(options: Options, name: string): number | undefined {
  const value = options[name];
  return typeof value === 'number' ? value : undefined;
}

function list(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nonEmpty(value)];
}

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw new InvalidArgumentError('A duration is 30, 30s, 5m or 1h.');
  return ms;
}

function kept(value: string): number {
  if (!/^(-1|[1-9]\d{0,5})$/.test(value))
    throw new InvalidArgumentError('Give a number from 1 up, or -1 for all.');
  return Number(value);
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
function commandNamed(argv: readonly string[]): CommandName | undefined {
  return argv.find((arg): arg is CommandName => Object.hasOwn(commandHelp, arg));
}

/** One or two sentences out of commander's message, ending with where to look. */
function usageMessage(error: CommanderError, argv: readonly string[]): string {
  const name = commandNamed(argv);
  if (error.code === 'commander.help') {
    const asked = argv[argv.indexOf('help') + 1];
    const unknown =
      argv.includes('help') && asked !== undefined ? `Unknown command '${asked}'` : 'No command given';
    return `${unknown}. The commands are ${Object.keys(commandHelp).join(', ')}. See durant --help.`;
  }
  const help = name === undefined ? 'durant --help' : `durant ${name} --help`;
  const [sentence = '', hint] = error.message.replace(/^error: /, '').split(/\n(?=\()/);
  const said = sentence.replace(/\.$/, '');
  const suggestion = hint === undefined ? '' : ` ${hint.replace(/^\(|\)$/g, '')}`;
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.${suggestion} See ${help}.`;
}
