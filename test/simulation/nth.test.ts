/** A sample of the N-th failures. All of them: `npm run simulate -- --nth`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { prepareTrial, TRIALS, type TrialWorld } from './nth.ts';
import { closeSurroundings, openSurroundings, type Surroundings } from './surroundings.ts';

/** Calls that fail; a run that makes fewer is then untouched. */
const SAMPLE = [11, 24, 52, 93, 112, 134];

describe('the N-th command on a server fails', function () {
  let surroundings: Surroundings;
  before(() => {
    surroundings = openSurroundings();
  });
  after(() => closeSurroundings(surroundings));

  for (const [index, trial] of TRIALS.entries())
    describe(trial.name, () => {
      let world: TrialWorld;
      before(async () => {
        world = await prepareTrial(trial, {
          ...surroundings,
          folder: join(surroundings.folder, String(index)),
        });
      });
      after(() => world.remove());

      for (const n of SAMPLE)
        it(`at call ${n}: nothing is half live, and the same again succeeds`, async () => {
          const { failed, violation, ended } = await world.attempt(n);
          assert.equal(violation, undefined, `${failed ?? 'nothing failed'}: ended ${ended}`);
          assert.ok(n !== 11 || failed !== undefined, 'no command failed');
        });
    });
});
