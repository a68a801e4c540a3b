import assert from 'node:assert/strict';
import { createOutput } from '../../src/cli/output.ts';
import { plainRenderer } from '../../src/cli/plain.ts';
import { terminalRenderer } from '../../src/cli/terminal.ts';
import type { RunEvent } from '../../src/engine/events.ts';

/** A terminal that understands what the live display writes, wide enough that nothing wraps. */
function screenOf(columns: number) {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  const writes: string[] = [];
  const apply = (text: string): void => {
    const parts = text.matchAll(/\u001b\[(\d*)([AJK])|([\r\n])|([^\u001b\r\n])/gu);
    for (const [, number, command, move, character] of parts) {
      if (command === 'A') row = Math.max(0, row - Number(number));
      else if (command === 'J') rows.splice(row, rows.length, (rows[row] ?? '').slice(0, column));
      else if (command === 'K') rows[row] = (rows[row] ?? '').slice(0, column);
      else if (move === '\r') column = 0;
      else if (move === '\n') {
        row += 1;
        column = 0;
        rows[row] ??= '';
      } else if (character !== undefined) {
        const line = (rows[row] ?? '').padEnd(column);
        rows[row] = line.slice(0, column) + character + line.slice(column + 1);
        column += 1;
      }
    }
  };
  return {
    stream: {
      isTTY: true,
      columns,
      rows: 24,
      write: (text: string) => {
        writes.push(text);
        apply(text);
      },
    },
    shown: () =>
      rows.map((line) => line.trimEnd()).filter((line, index) => line !== '' || index < rows.length - 1),
    writes,
  };
}

function liveDisplay() {
  const screen = screenOf(100);
  const output = createOutput({ stdout: screen.stream, stderr: screen.stream }, {}, { color: false });
  let frame = (): void => undefined;
  const renderer = terminalRenderer(output, {
    lasting: (above) => plainRenderer(above, { verbose: false, steps: 'elsewhere', now: () => 0 }),
    now: () => 0,
    frames: (draw) => {
      frame = draw;
      return () => {
        frame = () => undefined;
      };
    },
  });
  return { screen, renderer, frame: () => frame() };
}

const started: RunEvent = {
  event: 'run-started',
  action: 'deploy',
  run: 'r1',
  stage: 'production',
  dry_run: false,
  servers: ['web1', 'web2'],
};
const running = (server: string, step: string): RunEvent => ({
  event: 'step',
  step,
  server,
  state: 'running',
  reason: null,
  ms: null,
});
const finished: RunEvent = {
  event: 'run-finished',
  ok: true,
  dry_run: false,
  release: 'r',
  commit: null,
  servers: [{ server: 'web1', state: 'live', current: 'r', error: null }],
  error: null,
};

describe('the live display', () => {
  it('keeps one line a server below what stays', () => {
    const { screen, renderer, frame } = liveDisplay();
    renderer.event(started);
    frame();
    renderer.event(running('web1', 'prepare'));
    renderer.event({ event: 'output', server: 'web2', stream: 'stdout', line: 'hello' });
    frame();
    assert.deepEqual(screen.shown(), [
      'Deploy production on web1, web2 (run r1)',
      '[web2] hello',
      'web1  prepare',
      'web2  waiting',
    ]);
  });

  it('writes a frame, and a line above it, in one go: nothing is ever seen half', () => {
    const { screen, renderer, frame } = liveDisplay();
    renderer.event(started);
    frame();
    const before = screen.writes.length;
    renderer.event({ event: 'output', server: 'web2', stream: 'stdout', line: 'hello' });
    frame();
    assert.equal(screen.writes.length, before + 2);
    for (const write of screen.writes.slice(before)) assert.match(write, /web1 .*\n.*web2 /s);
  });

  it('is gone when a question is asked, and after the end', () => {
    const { screen, renderer, frame } = liveDisplay();
    renderer.event(started);
    frame();
    renderer.suspend();
    assert.deepEqual(screen.shown(), ['Deploy production on web1, web2 (run r1)']);
    frame();
    assert.equal(screen.shown().length, 1);
    renderer.resume();
    frame();
    assert.equal(screen.shown().length, 3);
    renderer.event(finished);
    frame();
    assert.deepEqual(screen.shown(), [
      'Deploy production on web1, web2 (run r1)',
      'production is live: release r on 1 server, 0 ms',
    ]);
  });
});
