/**
 * The live display: one line a server at the bottom of the terminal, everything that stays above it. Each frame is one write
 * that overwrites the last in place, so nothing flickers.
 */
import type { RunEvent } from '../engine/events.ts';
import type { Output, TextStream } from './output.ts';
import { advance, newProgress } from '../report/progress.ts';
import { progressLines } from './progressLines.ts';
import type { Renderer } from './renderer.ts';

const clearToEndOfLine = '\u001b[K';
const clearBelow = '\u001b[J';

export interface TerminalParts {
  /** Writes what stays; it gets an output that keeps the live lines out of its way. */
  readonly lasting: (output: Output) => Renderer;
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls `draw` again and again; gives what ends that. */
  readonly frames: (draw: () => void) => () => void;
}

/** Ten frames a second: enough to look alive, little enough to cost nothing on a slow line. */
export function tenFramesASecond(draw: () => void): () => void {
  const timer = setInterval(draw, 100);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

export function terminalRenderer(output: Output, { lasting, now, frames }: TerminalParts): Renderer {
  const screen = output.stderr;
  let progress = newProgress;
  /** The lines on screen, as they were drawn. */
  let drawn: readonly string[] = [];
  let state: 'live' | 'suspended' | 'closed' = 'live';

  /** Goes to where the live lines begin. */
  const home = (): string => (drawn.length === 0 ? '' : cursorUp(rowsOf(drawn, widthOf(screen))));
  const clear = (): void => {
    if (drawn.length === 0) return;
    screen.write(`${home()}${clearBelow}`);
    drawn = [];
  };
  /** Writes `text` above the live lines, and these anew, in one go. */
  const draw = (text: string): void => {
    if (state !== 'live') {
      if (text !== '') screen.write(text);
      return;
    }
    // One column is left free: a line that fills the last one wraps on some terminals.
    const size = { width: widthOf(screen) - 1, height: Math.max(1, (screen.rows ?? 24) - 2) };
    const lines = progressLines(progress, now(), size);
    if (text === '' && lines.length === 0 && drawn.length === 0) return;
    const body = lines.map((line) => `${line}${clearToEndOfLine}\n`).join('');
    const above = text === '' ? '' : `${drawn.length === 0 ? '' : clearBelow}${text}`;
    screen.write(`${home()}${above}${body}${lines.length < drawn.length ? clearBelow : ''}`);
    drawn = lines;
  };
  const above = (stream: TextStream): TextStream => ({
    isTTY: stream.isTTY,
    write: (text: string) => {
      if (stream === screen) draw(text);
      else {
        clear();
        stream.write(text);
      }
    },
  });
  const below = lasting({ ...output, stdout: above(output.stdout), stderr: above(screen) });
  const stopFrames = frames(() => {
    draw('');
  });
  const close = (): void => {
    clear();
    state = 'closed';
    stopFrames();
  };

  return {
    event: (event: RunEvent) => {
      progress = advance(progress, event, now());
      if (event.event === 'run-finished') close();
      below.event(event);
    },
    suspend: () => {
      clear();
      if (state === 'live') state = 'suspended';
    },
    resume: () => {
      if (state === 'suspended') state = 'live';
    },
    close,
  };
}

function cursorUp(rows: number): string {
  return `\u001b[${String(rows)}A\r`;
}

/** How many rows of the terminal these lines take now: after it was made narrower, long ones wrap. */
/** A terminal that does not know its size says 0. */
function widthOf({ columns = 0 }: Output['stderr']): number {
  return columns > 0 ? columns : 80;
}

function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Array.from(line).length / columns)), 0);
}
