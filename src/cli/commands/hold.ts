/** `durant hold` and `durant unhold`. */
import { InvalidArgumentError } from 'commander';
import { parseUntil, type Until } from '../../config/values/until.ts';
import { printable, printableLines } from '../../printable.ts';
import { defineCommand } from '../command.ts';
import { printJson } from '../json.ts';
import { nonEmpty, text } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { holdText } from '../reports.ts';

export const hold = defineCommand({
  name: 'hold',
  summary: 'Keep everybody from deploying to a stage, and say why.',
  help: `
Deploy, rollback and promote end with exit status 3 and the reason, on every machine, until the
hold is lifted with durant unhold, or its time is over by the server's clock. A second hold
replaces the first.

Examples:
  durant hold production -m 'the database is being moved'
  durant hold production -m 'demo for the board' --until 2h
  durant hold production -m 'holidays' --until 2027-01-04T08:00`,
  args: '<STAGE>',
  options: [
    ['-m, --message <WHY>', 'the reason, which everybody is shown', nonEmpty],
    ['--until <TIME>', 'when it ends by itself: a duration (2h) or a time (2027-01-04T08:00)', nonEmpty],
  ],
  read([stage = ''], options) {
    const why = text(options, 'message');
    if (why === undefined) throw new InvalidArgumentError('Give the reason: -m WHY');
    return { stage, why, until: untilOf(text(options, 'until')) };
  },
  async run({ stage, why, until }, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const request = await stageRequest(project, stage);
    const result = await engine.hold({ ...request, why, until }, host, emit, signal);
    if (options.json) printJson(output, result);
    else
      for (const { server, hold: held, error } of result.servers)
        if (held !== null)
          printLine(output.stdout, `${printable(server)}: held by ${holdText(held, host.now())}`);
        else printLine(output.stderr, `${printable(server)}: ${printableLines(error ?? '')}`);
    return result.servers.some(({ error }) => error !== null) ? 1 : 0;
  },
});

export const unhold = defineCommand({
  name: 'unhold',
  summary: 'Let a stage be deployed to again.',
  help: `
Example:
  durant unhold production`,
  args: '<STAGE>',
  read([stage = '']) {
    return { stage };
  },
  async run({ stage }, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const result = await engine.unhold(await stageRequest(project, stage), host, emit, signal);
    if (options.json) printJson(output, result);
    else
      for (const { server, was, error } of result.servers) {
        const told = was === null ? 'was not held' : `lifted; held by ${holdText(was, host.now())}`;
        if (error === null) printLine(output.stdout, `${printable(server)}: ${told}`);
        else printLine(output.stderr, `${printable(server)}: ${printableLines(error)}`);
      }
    return result.servers.some(({ error }) => error !== null) ? 1 : 0;
  },
});

/** @throws {InvalidArgumentError} */
function untilOf(value: string | undefined): Until {
  const until: Until | undefined = value === undefined ? { kind: 'lifted' } : parseUntil(value);
  if (until === undefined)
    throw new InvalidArgumentError(
      'A time for --until is a duration (30m, 2h) or ISO 8601 (2027-01-04, 2027-01-04T08:00Z).',
    );
  return until;
}
