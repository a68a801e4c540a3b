/** `durant setup`. */
import { InvalidArgumentError } from 'commander';
import { DurantError } from '../../errors.ts';
import { printable, printableLines } from '../../printable.ts';
import { defineCommand } from '../command.ts';
import { exitStatus } from '../exitStatus.ts';
import { printJson } from '../json.ts';
import { flag, nonEmpty, text } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { canAsk } from '../prompts.ts';

export const setup = defineCommand({
  name: 'setup',
  summary: 'Print the script that makes a bare server ready for a stage.',
  help: `
For root, on each server: login user, project_dir, the lines of sudoers that the options of the
stage need, Caddy and its import, lingering. What is there already is left alone, so it may be run
again after durant.conf was changed. Nothing is connected to without --run.

Examples:
  durant setup production                                   read it
  durant setup production | ssh root@web1 sh                run it
  durant setup production --run                             the same: shown, asked, run as root
  durant setup production --run --as admin@web1             by sudo, on this server`,
  args: '<STAGE>',
  options: [
    ['--run', 'show it, ask, and run it on the servers'],
    ['--as <LOGIN>', 'with --run: root, another login that may use sudo, or LOGIN@HOST', nonEmpty],
    ['--yes', 'with --run: do not ask'],
  ],
  read([stage = ''], options) {
    const run = flag(options, 'run');
    for (const name of ['as', 'yes'])
      if (options[name] !== undefined && !run) throw new InvalidArgumentError(`--${name} belongs to --run`);
    return { stage, run, login: text(options, 'as') ?? 'root', yes: flag(options, 'yes') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const request = await stageRequest(project, wanted.stage);
    const script = await engine.stageSetup(request, host, signal);
    if (!wanted.run) {
      if (options.json) printJson(output, { stage: wanted.stage, script });
      else output.stdout.write(printableLines(script));
      return 0;
    }
    if (!options.json) output.stderr.write(`${printableLines(script)}\n`);
    if (!wanted.yes) {
      const message = `This script is run as ${wanted.login} on ${request.servers.map(({ entry }) => entry).join(', ')}.`;
      if (!canAsk({ input: context.input, screen: output.stderr, mayAsk: !options.json }))
        throw new DurantError('confirmation-needed', message, {
          remedy: 'Read it, then run this again with --yes.',
        });
      const answer = await host.prompt({ kind: 'confirm', server: null, message, expect: undefined }, signal);
      if (answer !== 'yes') return exitStatus('cancelled');
    }
    const { servers } = await engine.runSetup(request, script, wanted.login, host, emit, signal);
    if (options.json) printJson(output, { stage: wanted.stage, script, servers });
    else
      for (const { server, changed, error } of servers)
        if (error === null)
          printLine(
            output.stdout,
            `${printable(server)}: ${changed ? 'ready' : 'was ready, nothing was changed'}`,
          );
        else
          printLine(output.stderr, `${printable(server)}: ${output.errorColor.red(printableLines(error))}`);
    return servers.some(({ error }) => error !== null) ? 1 : 0;
  },
});
