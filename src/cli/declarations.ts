/** Every command with its arguments and options, in the order of the help. */
import type { Command as Parser } from 'commander';
import { APP_ACTIONS, SHELLS, type Command, type CommandName } from './invocation.ts';
import { collect, duration, flag, kept, list, nonEmpty, number, text, type Options } from './optionValues.ts';

/** Declares one command; `read` turns its arguments and options into data. */
export type Declare = (
  name: CommandName,
  args: string,
  takesDryRun: 'takes a dry run' | 'no dry run',
  read: (args: readonly (string | undefined)[], options: Options) => Command,
) => Parser;

export function declareCommands(command: Declare): void {
  declareDeploy(command);
  declareStageCommands(command);
  declareApp(command);
  declareOthers(command);
}

function declareDeploy(command: Declare): void {
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
}

function declareStageCommands(command: Declare): void {
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
}

function declareApp(command: Declare): void {
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
}

function declareOthers(command: Declare): void {
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
}
