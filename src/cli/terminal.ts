/**
 * The live display: one line a server at the bottom of the terminal, everything that stays above it. Each frame is one write
 * that overwrites the last in place, so nothing flickers.
 */
import type { RunEvent } from '../engine/events.ts';
import type { Output, TextStream } from './output.ts';
import { advance, progressLines, type Progress } from './progress.ts';
import type { Renderer } from './render.ts';

const frameMs = 100;
const clearToEndOfLine = '\u001b[K';
const clearBelow = '\u001b[J';

export interface TerminalParts {
  /** Writes what stays; it gets an output that keeps the live lines out of its way. */
  readonly lasting: (output: Output) => Renderer;
  readonly now: () => number;
}

export function terminalRenderer(output: Output, { lasting, now }: TerminalParts): Renderer {
  let progress: Progress = new Map();
  /** The lines on screen, as they were drawn. */
  let drawn: readonly string[] = [];
  let suspended = false;
  let closed = false;

  const above = (stream: TextStream): TextStream => ({
    isTTY: stream.isTTY,
    write: (text: string) => {
      clear();
      stream.write(text);
    },
  });
  const below = lasting({ ...output, stdout: above(output.stdout), stderr: above(output.stderr) });

  const clear = (): void => {
    if (drawn.length === 0) return;
    output.stderr.write(`${cursorUp(rowsOf(drawn, output.stderr.columns))}${clearBelow}`);
    drawn = [];
  };
  const draw = (): void => {
    if (suspended || closed) return;
    // One column is left free: a line that fills the last one wraps on some terminals.
    const size = {
      width: (output.stderr.columns ?? 80) - 1,
      height: Math.max(1, (output.stderr.rows ?? 24) - 2),
    };
    const lines = progressLines(progress, now(), size);
    if (lines.length === 0 && drawn.length === 0) return;
    const up = drawn.length === 0 ? '' : cursorUp(rowsOf(drawn, output.stderr.columns));
    const body = lines.map((line) => `${line}${clearToEndOfLine}\n`).join('');
    output.stderr.write(`${up}${body}${lines.length < drawn.length ? clearBelow : ''}`);
    drawn = lines;
  };
  const timer = setInterval(draw, frameMs);
  timer.unref();

  const close = (): void => {
    clear();
    closed = true;
    clearInterval(timer);
  };

  return {
    event: (event: RunEvent) => {
      progress = advance(progress, event, now());
      if (event.event === 'run-finished') close();
      below.event(event);
    },
    suspend: () => {
      clear();
      suspended = true;
    },
    resume: () => {
      suspended = false;
    },
    close,
  };
}

function cursorUp(rows: number): string {
  return rows === 0 ? '' : `\u001b[${String(rows)}A\r`;
}

/** How many rows of the terminal these lines take now: after it was made narrower, long ones wrap. */
function rowsOf(lines: readonly string[], columns = 80): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Array.from(line).length / columns)), 0);
}
