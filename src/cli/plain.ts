/** Plain lines: progress and errors on standard error, the result on standard output. */
import type { RunEvent } from '../engine/events.ts';
import { eventLines, isAchievedGoal, transferLine } from './lines.ts';
import { printLine, type Output } from './output.ts';
import type { Renderer } from './renderer.ts';
import { collectFindings, isPending } from '../report/findings.ts';
import { reviewLines } from './reviewLines.ts';
import { failureLines, resultLines, type RunStarted } from './summary.ts';

export interface PlainOptions {
  readonly verbose: boolean;
  /** `elsewhere` where the live display shows steps and transfers. */
  readonly steps: 'lines' | 'elsewhere';
  /** Milliseconds, for the time that the run took and the pace of the transfer's lines. */
  readonly now: () => number;
}

/** At most one line in this time about a server's transfer. */
const transferPaceMs = 5000;

export function plainRenderer(output: Output, options: PlainOptions): Renderer {
  const begun = options.now();
  const { color, errorColor } = output;
  let started: RunStarted | undefined;
  const { take, findings } = collectFindings([]);
  let goals = 0;
  const lastTransfer = new Map<string, number>();

  const show = (event: RunEvent): void => {
    if (event.event === 'run-started') started = event;
    const dryRun = started?.dry_run === true;
    if (dryRun) take(event);
    // What a dry run finds is told at its end.
    if (dryRun && (event.event === 'step' || event.event === 'command' || event.event === 'change')) return;
    if (isAchievedGoal(event)) goals++;
    for (const line of eventLines(event, { ...options, color: errorColor })) printLine(output.stderr, line);
    if (event.event === 'transfer' && options.steps === 'lines') transfer(event);
    if (event.event !== 'run-finished') return;
    const found = findings();
    const pending = isPending(found);
    const ending = { started, finished: event, pending, goals, ms: options.now() - begun };
    if (dryRun)
      for (const line of reviewLines(found, { verbose: options.verbose, color }))
        printLine(output.stdout, line);
    for (const line of resultLines(ending, color)) printLine(output.stdout, line);
    for (const line of failureLines(ending, errorColor)) printLine(output.stderr, line);
  };

  const transfer = (event: Extract<RunEvent, { event: 'transfer' }>): void => {
    const now = options.now();
    const last = lastTransfer.get(event.server) ?? begun;
    if (now - last < transferPaceMs) return;
    lastTransfer.set(event.server, now);
    printLine(output.stderr, transferLine(event, errorColor));
  };

  return { event: show, suspend: () => undefined, resume: () => undefined, close: () => undefined };
}
