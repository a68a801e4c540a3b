/** A fixed set of seeds. Thousands: `npm run simulate`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { closeSurroundings, openSurroundings, type Surroundings } from './surroundings.ts';
import { live, type Life } from './simulation.ts';

/** Seeds that have found something, as the simulation is now. */
const FOUND: readonly number[] = [120];

describe('simulated clients, lines and servers', function () {
  let surroundings: Surroundings;
  before(() => {
    surroundings = openSurroundings();
  });
  after(() => closeSurroundings(surroundings));
  const liveOnce = (seed: number): Promise<Life> =>
    live(seed, { ...surroundings, folder: join(surroundings.folder, String(seed)) });

  it('a seed decides all that happens', async () => {
    const [first, second] = [await liveOnce(7), await liveOnce(7)];
    assert.ok(first.trace.length > 20);
    assert.deepEqual(second.trace, first.trace);
  });

  for (const seed of [...Array.from({ length: 24 }, (_, index) => index + 1), ...FOUND])
    it(`seed ${seed} breaks no invariant`, async () => {
      const { violation, trace } = await liveOnce(seed);
      assert.equal(violation, undefined, `${trace.join('\n')}\nAgain: npm run simulate -- --seed ${seed}`);
    });
});
