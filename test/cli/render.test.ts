import assert from 'node:assert/strict';
import fc from 'fast-check';
import picocolors from 'picocolors';
import { jsonRenderer } from '../../src/cli/json.ts';
import { formatAge, formatBytes, formatDuration } from '../../src/format.ts';
import { transferLine } from '../../src/cli/lines.ts';
import { createOutput, canRewrite } from '../../src/cli/output.ts';
import { plainRenderer } from '../../src/cli/plain.ts';
import { fit, progressLines } from '../../src/cli/progressLines.ts';
import type { RunEvent, RunFinished } from '../../src/engine/events.ts';
import { printable } from '../../src/printable.ts';
import { advance, newProgress, type RunProgress } from '../../src/report/progress.ts';
import { captureOutput } from './capture.ts';

const started = {
  event: 'run-started',
  action: 'deploy',
  run: 'r1',
  stage: 'production',
  dry_run: false,
  servers: ['web1', 'web2'],
} as const satisfies RunEvent;

const finished: RunFinished = {
  event: 'run-finished',
  ok: true,
  dry_run: false,
  release: '20261121101500-ab12cd3',
  commit: 'ab12cd3000000000000000000000000000000000',
  servers: [
    { server: 'web1', state: 'live', current: '20261121101500-ab12cd3', error: null },
    { server: 'web2', state: 'live', current: '20261121101500-ab12cd3', error: null },
  ],
  error: null,
};

function plain(events: readonly RunEvent[], verbosity: 'quiet' | 'verbose' = 'quiet') {
  const captured = captureOutput();
  const renderer = plainRenderer(captured.output, {
    verbose: verbosity === 'verbose',
    steps: 'lines',
    now: () => 0,
  });
  for (const event of events) renderer.event(event);
  return captured;
}

function step(server: string | null, name: string, state: 'already' | 'pending', reason: string): RunEvent {
  return { event: 'step', step: name, server, state, reason, ms: null };
}

describe('measures', () => {
  it('sizes, times and ages', () => {
    assert.deepEqual([0, 999, 1000, 1536, 12_345_678, 999_999].map(formatBytes), [
      '0 B',
      '999 B',
      '1.0 kB',
      '1.5 kB',
      '12 MB',
      '1.0 MB',
    ]);
    assert.deepEqual([80, 1234, 42_000, 185_000, 7_800_000].map(formatDuration), [
      '80 ms',
      '1.2 s',
      '42 s',
      '3 min 5 s',
      '2 h 10 min',
    ]);
    const now = Date.parse('2026-11-21T12:00:00Z');
    assert.equal(formatAge('2026-11-21T11:55:00Z', now), '5 min ago');
    assert.equal(formatAge('2026-11-09T11:55:00Z', now), '12 days ago');
    assert.equal(formatAge('never', now), 'never');
  });
});

describe('text from servers', () => {
  it('cannot drive the terminal', () => {
    assert.equal(printable('a\u001b]0;owned\u0007b\u009bc\u202ed'), 'a\\x1b]0;owned\\x07b\\x9bc\\u202ed');
    assert.equal(printable('\u001b[31mred\u001b[0m\r'), 'red');
  });

  it('holds no control character whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(printable(text), /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      }),
    );
  });

  it('is cut to the width', () => {
    assert.equal(fit('abcdef', 4), 'abc…');
    assert.equal(fit('abcd', 4), 'abcd');
  });
});

describe('plain lines', () => {
  it('put progress on standard error and the result on standard output', () => {
    const { stdout, stderr } = plain([
      started,
      { event: 'step', step: 'prepare', server: 'web1', state: 'running', reason: null, ms: null },
      { event: 'step', step: 'prepare', server: 'web1', state: 'done', reason: null, ms: 1234 },
      { event: 'output', server: 'web2', stream: 'stdout', line: 'hi\u001b[2J' },
      { event: 'warning', code: 'w', message: 'low space', server: 'web1' },
      finished,
    ]);
    assert.match(stderr(), /^Deploy production on web1, web2 /);
    assert.match(stderr(), /^\[web1\] prepare done \(1\.2 s\)$/m);
    assert.match(stderr(), /^\[web2\] hi\\x1b\[2J$/m);
    assert.match(stderr(), /^\[web1\] warning: low space$/m);
    assert.match(
      stdout(),
      /^production is live: release 20261121101500-ab12cd3 \(commit ab12cd300000\) on 2 servers/,
    );
  });

  it('say of a failed step what the last lines of its output do not', () => {
    const reason = 'a command ended with exit status 3.\nits last line';
    const { stderr } = plain([
      started,
      { event: 'output', server: 'web1', stream: 'stderr', line: 'its last line' },
      { event: 'step', step: 'vendors', server: 'web1', state: 'failed', reason, ms: 1234 },
    ]);
    assert.match(stderr(), /^\[web1\] vendors failed: a command ended with exit status 3\. \(1\.2 s\)$/m);
    assert.equal(stderr().split('its last line').length, 2);
  });

  it('say that nothing had to be done', () => {
    const servers = finished.servers.map((server) => ({ ...server, state: 'unchanged' as const }));
    assert.match(plain([started, { ...finished, servers }]).stdout(), /was live already on 2 servers/);
  });

  it('say what failed and how each server stands, on standard error only', () => {
    const { stdout, stderr } = plain([
      started,
      {
        ...finished,
        ok: false,
        servers: [
          { server: 'web1', state: 'reverted', current: 'old', error: null },
          { server: 'web2', state: 'failed', current: 'old', error: 'disk full' },
        ],
        error: { code: 'disk-full', message: 'web2: no space left. Free some.', changed: false },
      },
    ]);
    assert.equal(stdout(), '');
    assert.match(stderr(), /^durant: web2: no space left\. Free some\.$/m);
    assert.match(stderr(), /^ {2}web1: switched back, current is old$/m);
    assert.match(stderr(), /^ {2}web2: failed, current is old: disk full$/m);
    assert.match(stderr(), /The previous release is still live\./);
  });

  it('say once why the only server failed', () => {
    const message = 'web1: no space left. Free some.';
    const { stderr } = plain([
      started,
      {
        ...finished,
        ok: false,
        servers: [{ server: 'web1', state: 'failed', current: null, error: message }],
        error: { code: 'disk-full', message, changed: false },
      },
    ]);
    assert.match(stderr(), /^ {2}web1: failed$/m);
    assert.equal(stderr().split(message).length, 2);
  });
});

describe('the review of a dry run', () => {
  const change = (server: string, kind: 'added' | 'changed' | 'deleted', path: string): RunEvent => ({
    event: 'change',
    server,
    kind,
    path,
    bytes: 1500,
  });
  const both = (event: (server: string) => RunEvent): RunEvent[] => ['web1', 'web2'].map(event);
  const run: readonly RunEvent[] = [
    { ...started, dry_run: true },
    step(null, 'fetch', 'already', 'ab12cd3 is here'),
    ...both((server) => step(server, 'update_code', 'pending', '2 files to send')),
    ...both((server) => change(server, 'added', 'new.txt')),
    ...both((server) => change(server, 'deleted', 'old\u001b.txt')),
    ...both((server) => ({ event: 'command', server, step: 'vendors', command: 'composer install' })),
    { ...finished, dry_run: true },
  ];

  it('goes to standard output: deletions first, then steps and commands, equal servers together', () => {
    const text = plain(run).stdout();
    const order = [
      'Files on web1, web2',
      '1 file deleted, 1.5 kB',
      '- old\\x1b.txt  1.5 kB',
      '1 file added',
      '+ new.txt',
      'fetch        already achieved: ab12cd3 is here',
      'Steps on web1, web2',
      'update_code  pending: 2 files to send',
      'Commands on web1, web2',
      'vendors: composer install',
      'Nothing was changed (dry run). production would have release',
    ].map((part) => [part, text.indexOf(part)] as const);
    for (const [part, at] of order) assert.notEqual(at, -1, `${part} is missing in\n${text}`);
    assert.deepEqual(
      order,
      order.toSorted(([, a], [, b]) => a - b),
    );
  });

  it('is the same whichever server answered first', () => {
    const of = (name: string) => run.filter((event) => 'server' in event && event.server === name);
    const text = plain([...run.slice(0, 2), ...of('web2'), ...of('web1'), ...run.slice(-1)]).stdout();
    for (const what of ['Files', 'Steps', 'Commands'])
      assert.deepEqual(text.match(new RegExp(`^${what} on .*$`, 'gm')), [`${what} on web1, web2`]);
  });

  it('lists each server of its own with --verbose', () => {
    const text = plain(run, 'verbose').stdout();
    assert.match(text, /^Steps on web1$/m);
    assert.match(text, /^Steps on web2$/m);
  });

  it('lists every deletion, and of the other files as many as can be read', () => {
    const many = (kind: 'added' | 'deleted') =>
      Array.from({ length: 150 }, (_, index) => change('web1', kind, `${kind}${String(index)}`));
    const events = [
      { ...started, dry_run: true },
      ...many('added'),
      ...many('deleted'),
      { ...finished, dry_run: true },
    ];
    const text = plain(events).stdout();
    assert.match(text, /deleted149/);
    assert.match(text, /… and 50 more/);
    assert.doesNotMatch(text, /added149/);
    assert.match(plain(events, 'verbose').stdout(), /added149/);
  });
});

describe('live progress', () => {
  const after = (...events: readonly (readonly [now: number, event: RunEvent])[]): RunProgress =>
    events.reduce((progress, [now, event]) => advance(progress, event, now), newProgress);
  const sent = (bytes: number): RunEvent => ({
    event: 'transfer',
    server: 'web1',
    files: 3,
    bytes,
    total_files: 9,
    total_bytes: 8_000_000,
  });
  const running: RunEvent = {
    event: 'step',
    step: 'update_code',
    server: 'web1',
    state: 'running',
    reason: null,
    ms: null,
  };

  it('says 100 % only when all is sent', () => {
    for (const [bytes, share] of [
      [7_999_999, '99 %'],
      [8_000_000, '100 %'],
    ] as const) {
      const event = sent(bytes);
      assert.ok(
        event.event === 'transfer' &&
          transferLine(event, picocolors.createColors(false)).includes(`(${share})`),
      );
    }
  });

  it('shows bytes, rate and time left', () => {
    const progress = after(
      [0, started],
      [0, running],
      [0, sent(0)],
      [1000, sent(2_000_000)],
      [2000, sent(4_000_000)],
    );
    const [web1, web2] = progressLines(progress, 2000, { width: 120, height: 10 });
    assert.match(
      web1 ?? '',
      /^web1 {2}update_code {2}█{8}░{8} {2}4\.0 MB of 8\.0 MB .* 2\.0 MB\/s {2}2\.0 s left$/,
    );
    assert.equal(web2, 'web2  waiting');
  });

  it('fits the window', () => {
    const many = { ...started, servers: Array.from({ length: 30 }, (_, index) => `server-${String(index)}`) };
    const lines = progressLines(after([0, many], [0, running], [0, sent(0)]), 0, { width: 20, height: 5 });
    assert.equal(lines.length, 5);
    for (const line of lines) assert.ok(Array.from(line).length <= 20);
    assert.match(lines.at(-1) ?? '', /^… and 27 more/);
  });

  it('is for terminals that can rewrite', () => {
    const { output } = captureOutput({ columns: 80, rows: 24 });
    assert.equal(canRewrite(output, { TERM: 'xterm' }), true);
    assert.equal(canRewrite(output, { TERM: 'dumb' }), false);
    assert.equal(canRewrite(captureOutput().output, { TERM: 'xterm' }), false);
  });
});

describe('colour', () => {
  const terminal = { write: () => true, isTTY: true };
  const painted = (env: Record<string, string>, color: boolean, stream = terminal): boolean =>
    createOutput({ stdout: stream, stderr: stream }, env, { color }).color.red('x') !== 'x';
  it('is for terminals, unless NO_COLOR, --no-color or TERM=dumb', () => {
    assert.equal(painted({}, true), true);
    assert.equal(painted({ NO_COLOR: '1' }, true), false);
    assert.equal(painted({ NO_COLOR: '' }, true), true);
    assert.equal(painted({ TERM: 'dumb' }, true), false);
    assert.equal(painted({}, false), false);
    assert.equal(painted({}, true, { ...terminal, isTTY: false }), false);
  });
});

describe('--json', () => {
  it('is one object a line on standard output, with nothing a terminal would act on', () => {
    const { output, stdout, stderr } = captureOutput();
    const renderer = jsonRenderer(output);
    const line = 'a\u001b\u009b\u2028\nb';
    renderer.event({ event: 'output', server: 'web1', stream: 'stdout', line });
    renderer.event(finished);
    const lines = stdout().trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.equal(JSON.parse(lines[0] ?? '').line, line);
    assert.doesNotMatch(stdout(), /[\u001b\u007f-\u009f\u2028]/);
    assert.equal(stderr(), '');
  });
});
