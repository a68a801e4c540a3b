/** What a disk may hold after a power cut. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { cutPower, POWER_CUTS } from './powerCut.ts';
import { closeSurroundings, openSurroundings, type Surroundings } from './surroundings.ts';

describe('a power cut before any command', function () {
  let surroundings: Surroundings;
  before(() => {
    surroundings = openSurroundings();
  });
  after(() => closeSurroundings(surroundings));

  for (const [index, { name, conf, operations }] of POWER_CUTS.entries())
    it(`${name}: current leads to a whole release that is on disk`, async () => {
      const folder = join(surroundings.folder, String(index));
      const { moments, syncs, flaws } = await cutPower({ ...surroundings, folder }, conf, operations);
      assert.deepEqual([...new Set(flaws)], []);
      assert.ok(moments > 50 && syncs >= 3, `only ${moments} commands and ${syncs} syncs were seen`);
    });
});
