/** Events on their way from the engine's process to the editor. */
import assert from 'node:assert/strict';
import type { RunEvent } from '../../src/engine/index.ts';
import { createOutbox } from '../../src/engineProcess/eventBatcher.ts';

describe('events on their way to the editor', () => {
  it('of a command that writes faster than they are taken: 20,000 lines wait, and how many are not shown is said', async () => {
    const sent: RunEvent[] = [];
    const { add, flush } = createOutbox((batch) => {
      sent.push(...batch);
      return Promise.resolve();
    });
    for (let line = 1; line <= 20_003; line += 1)
      add({ event: 'output', server: null, stream: 'stdout', line: String(line) });
    await flush();
    assert.deepEqual(
      sent.map((event) =>
        event.event === 'output' ? event.line : event.event === 'warning' && event.message,
      ),
      [
        ...Array.from({ length: 20_000 }, (_, index) => String(index + 1)),
        '3 lines of output came too fast and are not shown.',
      ],
    );
  });
});
