/** One plain line for each event worth one, for standard error: pure, so that every wording is tested. */
import type { RunEvent } from '../engine/events.ts';
import { NEWLY_ACHIEVED, PASSED } from '../engine/pipeline/goalReasons.ts';
import { count, formatBytes, formatDuration } from '../format.ts';
import type { Colors } from './output.ts';
import { printable, printableLines } from '../printable.ts';

export interface LineOptions {
  readonly verbose: boolean;
  /** Whether ended steps get a line each, or are shown live by someone else. */
  readonly steps: 'lines' | 'elsewhere';
  readonly color: Colors;
}

/** Warnings that tell what was asked for, rather than warn. */
const toldPlainly: readonly string[] = ['undoes-commit', 'restores-commit'];

export function eventLines(event: RunEvent, options: LineOptions): string[] {
  const { color, verbose } = options;
  switch (event.event) {
    case 'run-started':
      return [startLine(event, color)];
    case 'step':
      return stepLines(event, options);
    case 'command':
      return verbose ? [`${prefix(event.server, color)}${color.dim(`$ ${commandText(event.command)}`)}`] : [];
    case 'output':
      return [`${prefix(event.server, color)}${printable(event.line)}`];
    case 'warning':
      if (toldPlainly.includes(event.code))
        return [`${prefix(event.server, color)}${printableLines(event.message)}`];
      return [`${prefix(event.server, color)}${color.yellow('warning:')} ${printableLines(event.message)}`];
    case 'drift':
      return [driftLine(event, color)];
    case 'change':
    case 'plan':
      return [];
    case 'transfer':
    case 'prompt':
    case 'run-finished':
      return [];
  }
}

const driftWords = { changed: 'changed', added: 'added', deleted: 'deleted', mode: 'mode changed' } as const;

function driftLine({ server, path, kind }: Extract<RunEvent, { event: 'drift' }>, color: Colors): string {
  return `${prefix(server, color)}${color.yellow(driftWords[kind])}: ${printable(path)}`;
}

function startLine(event: Extract<RunEvent, { event: 'run-started' }>, color: Colors): string {
  const what = event.dry_run ? `Dry run of ${event.action}` : capitalised(event.action);
  const where = event.servers.map(printable).join(', ');
  return `${color.bold(`${what} ${printable(event.stage)}`)} on ${where} ${color.dim(`(run ${printable(event.run)})`)}`;
}

function stepLines(
  event: Extract<RunEvent, { event: 'step' }>,
  { color, steps, verbose }: LineOptions,
): string[] {
  const reason = event.reason === null ? '' : `: ${printableLines(event.reason)}`;
  const time = event.ms === null ? '' : color.dim(` (${formatDuration(event.ms)})`);
  const name = `${prefix(event.server, color)}${printable(event.step)}`;
  switch (event.state) {
    case 'failed':
      // The error at the end of the run repeats the last lines of output; here they have just been seen.
      return [`${name} ${color.red('failed')}${reason.split('\n', 1).join('')}${time}`];
    case 'done':
      return steps === 'lines' || verbose || isAchievedGoal(event)
        ? [`${name} ${color.green('done')}${reason}${time}`]
        : [];
    case 'already':
      // Steps of this machine always have something to do: it is a goal.
      return verbose || event.server === null ? [`${name} ${color.green('already achieved')}${reason}`] : [];
    case 'skipped':
      return verbose ? [`${name} ${color.dim('skipped')}${reason}`] : [];
    case 'running':
    case 'pending':
      return [];
  }
}

/** Whether an event tells that a goal of the pipeline beside `deploy` was worked on with success. */
export function isAchievedGoal(event: RunEvent): boolean {
  return (
    event.event === 'step' &&
    event.server === null &&
    event.state === 'done' &&
    event.step !== 'deploy' &&
    (event.reason === PASSED || event.reason === NEWLY_ACHIEVED)
  );
}

/** `[web1] ` before what a server says; nothing before what happens here. */
function prefix(server: string | null, color: Colors): string {
  return server === null ? '' : `${color.cyan(`[${printable(server)}]`)} `;
}

/** A command of several lines keeps them, indented. */
export function commandText(command: string): string {
  return command.split(/\r?\n/).map(printable).join('\n    ');
}

/** One line on how far a transfer is, for where nothing can be rewritten. */
export function transferLine(event: Extract<RunEvent, { event: 'transfer' }>, color: Colors): string {
  const share = event.total_bytes === 0 ? 100 : Math.floor((event.bytes / event.total_bytes) * 100);
  return (
    `${prefix(event.server, color)}${formatBytes(event.bytes)} of ${formatBytes(event.total_bytes)} sent` +
    ` (${String(share)} %), ${String(event.files)}/${count(event.total_files, 'file')}`
  );
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
