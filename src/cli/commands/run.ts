/** `durant run`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { serverChoice, serverOptions } from '../serverOptions.ts';
import { printable, printableLines } from '../../printable.ts';
import { quote } from '../../remote/shell.ts';

export const run = defineCommand({
  name: 'run',
  summary: 'Run a command in the live release of every server of a stage, at once.',
  help: `
With the environment of the release: env, env_file and DURANT_* as durant app exec has them. Several
words are a program and its arguments, as they are; a single one is read by a shell, with its pipes
and variables. Standard input is empty. Each line of output has its server before it. At most as
many servers as "parallel" says are worked on at once; a failure on one ends it on no other, Ctrl+C
ends it on all. It takes no lock, and shows no secret.

Examples:
  durant run production -- ./manage.py clear_cache
  durant run production -- 'df -h . | tail -n 1'
  durant run --role worker production -- uptime
  durant --json run production -- php --version    events; the last has each exit_status

Exit status: 0 where it ended with 0 on every server, else 1.`,
  args: '<STAGE> <COMMAND...>',
  options: serverOptions,
  read([stage = '', ...rest], options) {
    const words = rest.filter((word) => word !== undefined);
    const [only = ''] = words;
    if (words.every((word) => word.trim() === '')) throw new InvalidArgumentError('the command is empty');
    return {
      stage,
      command: words.length === 1 ? only : words.map(quote).join(' '),
      on: serverChoice(options),
    };
  },
  async run({ stage, command, on }, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { output, options } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const session = openSession(context, 'shown');
    try {
      const request = await session.stageRequest(project, stage, on);
      const finished = await engine.runCommand(
        { ...request, command },
        session.host,
        (event) => {
          if (options.json || event.event === 'warning' || event.event === 'prompt') session.emit(event);
          else if (event.event === 'output') {
            const color = event.stream === 'stdout' ? output.color : output.errorColor;
            printLine(
              output[event.stream],
              `${color.cyan(`[${printable(event.server ?? '')}]`)} ${printable(event.line)}`,
            );
          }
        },
        session.signal,
      );
      for (const { server, error } of options.json ? [] : finished.servers) {
        const told = error === null ? 'exit status 0' : output.errorColor.red(printableLines(error));
        printLine(output.stderr, `${printable(server)}: ${told}`);
      }
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
