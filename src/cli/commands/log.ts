/** `durant log`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import type { HistoryEntry, StageLog } from '../../engine/index.ts';
import { formatAge, formatDuration } from '../../format.ts';
import { printable, printableLines } from '../../printable.ts';
import { printJson } from '../json.ts';
import { number } from '../optionValues.ts';
import { printLine, type Output } from '../output.ts';
import { chosenStages, openProject } from '../project.ts';
import { tableLines } from '../table.ts';

/** How many runs are shown where nobody says. */
const DEFAULT_LIMIT = 20;

export const log = defineCommand({
  name: 'log',
  summary: 'List every run of a stage, newest first: who, when, from where, what, and how it ended.',
  help: `
Put together from what the servers have noted, so the runs of all machines are in it, those that
failed included. With --json one object for each stage.

Examples:
  durant log production
  durant log -k 100 --json production | jq '.runs[] | select(.ok | not)'`,
  args: '[STAGE]',
  options: [['-k, --keep <N>', `how many runs, the newest (${DEFAULT_LIMIT})`, positive]],
  read([stage], options) {
    return { stage, limit: number(options, 'keep') ?? DEFAULT_LIMIT };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const logs = await Promise.all(
      chosenStages(project, wanted.stage).map(async ({ name }) =>
        engine.stageLog(await stageRequest(project, name), host, emit, signal, wanted.limit),
      ),
    );
    if (options.json) for (const each of logs) printJson(output, each);
    else for (const each of logs) show(each, host.now(), output);
    return logs.some(({ errors }) => errors.length > 0) ? 1 : 0;
  },
});

function positive(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError('Give a number from 1 up.');
  return Number(value);
}

function show(
  { stage, runs, errors }: StageLog,
  now: Date,
  { stdout, stderr, color, errorColor }: Output,
): void {
  printLine(stdout, `${color.bold(printable(stage))}${runs.length === 0 ? '  nothing was run yet' : ''}`);
  const rows = runs.map((run) => [
    formatAge(run.started, now.getTime()),
    `${run.user}@${run.host}`,
    run.action,
    commitsOf(run),
    run.release ?? '',
    run.ms === null ? '' : formatDuration(run.ms),
    run.ok ? { text: 'ok', paint: color.green } : { text: run.error?.code ?? 'failed', paint: color.red },
    run.servers.join(', '),
  ]);
  for (const line of tableLines(rows)) printLine(stdout, `  ${line}`);
  for (const { server, error } of errors)
    printLine(stderr, `${printable(server)}: ${errorColor.red(printableLines(error))}`);
}

function commitsOf({ commit, from_commit }: HistoryEntry): string {
  const short = (id: string | null): string => (id ?? '').slice(0, 7);
  return from_commit === null || from_commit === commit
    ? short(commit)
    : `${short(from_commit)} → ${short(commit)}`;
}
