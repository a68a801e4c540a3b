/** A sample of the N-th failures. All of them: `npm run simulate -- --nth`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { prepareTrial, TRIALS } from './nth.ts';
import { closeSurroundings, openSurroundings, type Surroundings } from './surroundings.ts';

const FIRST = 11;
const EVERY = 41;

describe('the N-th command on a server fails', function () {
  this.timeout(60_000);
  let surroundings: Surroundings;
  before(() => {
    surroundings = openSurroundings();
  });
  after(() => closeSurroundings(surroundings));

  for (const [index, trial] of TRIALS.entries())
    it(`${trial.name}: nothing is half live, and the same again succeeds`, async () => {
      const world = await prepareTrial(trial, {
        ...surroundings,
        folder: join(surroundings.folder, String(index)),
      });
      let met = 0;
      for (let n = FIRST; ; n += EVERY) {
        const { failed, violation, ended } = await world.attempt(n);
        assert.equal(violation, undefined, `call ${n} (${failed ?? 'none'}): ended ${ended}`);
        if (failed === undefined) break;
        met += 1;
      }
      assert.ok(met > 0, 'no command failed');
      world.remove();
    });
});
