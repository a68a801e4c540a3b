/** `durant app`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { flag, kept, number } from '../optionValues.ts';
import { serverChoice, serverOptions, type ServerChoice } from '../serverOptions.ts';

/** What `app` does. */
const ACTIONS = ['info', 'start', 'stop', 'restart', 'run', 'logs', 'exec', 'shell'] as const;

/** What `durant app` is asked for. */
export interface AppCommand {
  readonly stage: string;
  readonly action: (typeof ACTIONS)[number];
  /** A process, or the words of a command. */
  readonly words: readonly string[];
  readonly follow: boolean;
  readonly lines: number;
  readonly on: ServerChoice;
}

export const app = defineCommand<AppCommand>({
  name: 'app',
  summary: 'Inspect and control the processes of a stage, or run a command in its live release.',
  help: `
ACTION is info, start, stop, restart or logs (of all processes, or of the one that is named), run
(what a timer starts: now, once, until it has ended), or exec or shell: a command in the live release, with its environment, on the stage's first server.
exec takes the words as they are; shell has a shell read them, or without any leaves you in one.
Both hand their standard input on, and show no secret.

Examples:
  durant app production info
  durant app production restart worker
  durant app production run nightly
  durant app production logs -f web
  durant app production exec -- ./manage.py createsuperuser
  durant app production exec -- ./manage.py loaddata --format=json - < users.json
  durant app production shell -- 'du -sh * | sort -h'`,
  args: '<STAGE> <ACTION> [WORDS...]',
  options: [
    ['-f, --follow', 'with logs: go on until Ctrl+C'],
    ['--lines <N>', 'with logs: how many of the last lines (50)', kept],
    ...serverOptions,
  ],
  read([stage = '', wanted, ...rest], options) {
    const words = rest.filter((word) => word !== undefined);
    const action = ACTIONS.find((each) => each === wanted);
    const refuse = (message: string): never => {
      throw new InvalidArgumentError(message);
    };
    if (action === undefined) return refuse(`there is no '${wanted ?? ''}', only ${ACTIONS.join(', ')}`);
    if (action === 'exec' && words.length === 0)
      refuse('exec needs a command: durant app STAGE exec -- COMMAND');
    if (action !== 'exec' && action !== 'shell' && words.length > (action === 'info' ? 0 : 1))
      refuse(`'${action}' takes ${action === 'info' ? 'no name' : 'the name of one process'}`);
    if (flag(options, 'follow') && action !== 'logs') refuse('-f belongs to logs');
    return {
      stage,
      action,
      words,
      follow: flag(options, 'follow'),
      lines: number(options, 'lines') ?? 50,
      on: serverChoice(options),
    };
  },
  run: async (wanted, context) => (await import('../appActions.ts')).appAction(wanted, context),
});
