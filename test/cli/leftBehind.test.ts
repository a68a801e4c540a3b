import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { exitStatus } from '../../src/cli/exitStatus.ts';
import { listenForInterrupts } from '../../src/cli/interrupt.ts';
import { abandoned, leftBehind, noTraces, trace } from '../../src/cli/leftBehind.ts';
import type { RunEvent, StepState } from '../../src/engine/events.ts';

const started: RunEvent = {
  event: 'run-started',
  action: 'deploy',
  run: 'r',
  stage: 'production',
  dry_run: false,
  servers: ['web1', 'web2'],
};
const step = (server: string, name: string, state: StepState): RunEvent => ({
  event: 'step',
  server,
  step: name,
  state,
  reason: null,
  ms: null,
});
const after = (...events: readonly RunEvent[]) => events.reduce(trace, noTraces);

describe('what a run that was stopped at once left behind', () => {
  it('is nothing before the lock and after the unlock', () => {
    assert.match(leftBehind(after(started, step('web1', 'prepare', 'done'))), /Nothing was left/);
    const unlocked = after(started, step('web1', 'lock', 'done'), step('web1', 'unlock', 'done'));
    assert.match(leftBehind(unlocked), /Nothing was left/);
    assert.match(
      leftBehind(after({ ...started, dry_run: true }, step('web1', 'lock', 'running'))),
      /Nothing/,
    );
  });

  it('is the lock and the unfinished release before the switch', () => {
    const text = leftBehind(after(started, step('web1', 'lock', 'running'), step('web2', 'lock', 'done')));
    assert.match(text, /left on web1, web2\. The switch had not begun\./);
    assert.match(text, /durant deploy production.*durant unlock production/);
  });

  it('is not known once the switch was begun', () => {
    const traces = after(started, step('web1', 'lock', 'done'), step('web1', 'symlink', 'running'));
    assert.match(leftBehind(traces), /switch was under way on web1: durant status production/);
    const event = abandoned(traces);
    assert.deepEqual(
      event.servers.map(({ state }) => state),
      ['unknown', 'unchanged'],
    );
    assert.equal(event.error?.changed, true);
  });
});

describe('interrupts', () => {
  it('ask first and stop at the second; SIGTERM only asks', () => {
    const source = new EventEmitter();
    const said: string[] = [];
    const interruption = listenForInterrupts(source, {
      first: () => said.push('first'),
      again: () => said.push('again'),
    });
    source.emit('SIGTERM');
    source.emit('SIGTERM');
    assert.equal(interruption.signal.aborted, true);
    source.emit('SIGINT');
    assert.deepEqual(said, ['first', 'again']);
    interruption.dispose();
    assert.deepEqual(source.eventNames(), []);
  });
});

describe('the exit status', () => {
  it('follows the error', () => {
    const codes = ['config-invalid', 'usage', 'locked', 'cancelled', 'disk-full', 'internal'] as const;
    assert.deepEqual(codes.map(exitStatus), [2, 2, 3, 130, 1, 1]);
  });
});
