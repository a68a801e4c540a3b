/** Whether tests inside VS Code came to their end: a crash halfway is no success. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenForHostEvents, type HostOutcome } from './rig/hostEvents.ts';
import type { HostEvent } from './rig/hostRunner.ts';

const announced = (tests: number): HostEvent => ({ event: 'announced', tests });
const began = (title: string): HostEvent => ({ event: 'began', title });
const passed = (title: string): HostEvent => ({ event: 'passed', title });
const ended: HostEvent = { event: 'ended' };

describe('the results of tests in VS Code', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-events-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** An extension host that tells this and is gone. */
  async function outcomeOf(told: readonly HostEvent[]): Promise<HostOutcome> {
    const socket = join(folder, 'socket');
    const events = await listenForHostEvents(socket);
    const host = connect(socket);
    await once(host, 'connect');
    host.end(told.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const outcome = await events.outcome;
    events.close();
    return outcome;
  }

  it('are complete where each announced test passed, failed or was skipped, and the end was told', async () => {
    const outcome = await outcomeOf([
      announced(3),
      began('a'),
      passed('a'),
      began('b'),
      { event: 'failed', title: 'b', error: 'no' },
      { event: 'skipped', title: 'c' },
      ended,
    ]);
    assert.equal(outcome.incomplete, undefined);
    assert.deepEqual(outcome.results, [
      { title: 'a', state: 'passed' },
      { title: 'b', state: 'failed', error: 'no' },
      { title: 'c', state: 'skipped' },
    ]);
  });

  const crash = 'The extension host ended before its tests did';
  const rows: readonly (readonly [title: string, told: readonly HostEvent[], incomplete: string])[] = [
    ['nothing was told', [], `${crash}: 0 of unknown tests have a result. Begun last: nothing.`],
    [
      'the host ended halfway',
      [announced(2), began('a'), passed('a'), began('b')],
      `${crash}: 1 of 2 tests have a result. Begun last: b.`,
    ],
    [
      'the host ended between two tests',
      [announced(2), began('a'), passed('a')],
      `${crash}: 1 of 2 tests have a result. Begun last: a.`,
    ],
    [
      'the host ended after its last test, in a hook',
      [announced(1), began('a'), passed('a'), began('after')],
      `${crash}: 1 of 1 tests have a result. Begun last: after.`,
    ],
    [
      'tests had no turn',
      [announced(2), began('a'), passed('a'), ended],
      'The tests ended: 1 of 2 tests have a result. Begun last: a.',
    ],
    [
      'there are no tests',
      [announced(0), ended],
      'The tests ended: 0 of 0 tests have a result. Begun last: nothing.',
    ],
    [
      'the tests began anew',
      [announced(1), began('a'), announced(1), began('a'), passed('a'), ended],
      'The tests began a second time: 1 of 1 tests have a result. Begun last: a.',
    ],
  ];
  for (const [title, told, incomplete] of rows)
    it(`are incomplete where ${title}`, async () =>
      assert.equal((await outcomeOf(told)).incomplete, incomplete));

  it('have the hook that failed, and miss the tests that waited for it', async () => {
    const outcome = await outcomeOf([
      announced(1),
      began('before'),
      { event: 'hook-failed', title: 'before', error: 'no' },
      ended,
    ]);
    assert.deepEqual(outcome.results, [{ title: 'before', state: 'failed', error: 'no' }]);
    assert.match(outcome.incomplete ?? '', /^The tests ended: 0 of 1 tests/);
  });
});
