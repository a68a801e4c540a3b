/** Which servers are switched together. */
import assert from 'node:assert/strict';
import { inGroups } from '../../src/engine/run/waves.ts';

describe('waves', () => {
  const sizes = (count: number, ...waves: string[]) =>
    inGroups(
      Array.from({ length: count }, (_, index) => index),
      waves,
    ).map((group) => group.length);

  for (const [count, waves, expected] of [
    [5, [], [5]],
    [5, ['1', '25%', 'rest'], [1, 2, 2]],
    [10, ['1', '25%', 'rest'], [1, 3, 6]],
    [7, ['2'], [2, 2, 2, 1]],
    [3, ['1%'], [1, 1, 1]],
    [2, ['5', '1'], [2]],
    [6, ['50%', '100%'], [3, 3]],
    [4, ['rest', '1'], [4]],
    [0, ['1'], []],
  ] as const)
    it(`${count} servers by "${waves.join(', ')}"`, () => {
      assert.deepEqual(sizes(count, ...waves), expected);
    });
});
