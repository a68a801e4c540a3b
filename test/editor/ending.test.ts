/** How a run ends in the editor, and what its log says, without an editor. */
import assert from 'node:assert/strict';
import { failureOf } from '../../src/editor/ending.ts';
import { createLines } from '../../src/editor/log.ts';
import type { Translate } from '../../src/format.ts';

const t: Translate = (text, ...args) =>
  text.replace(/\{(\d)\}/g, (_, index: string) => String(args[Number(index)]));

describe('the end of a run', () => {
  for (const [changed, level, words] of [
    [true, 'warning', /Something was changed and not put back/],
    [false, 'info', /No release was made live/],
  ] as const)
    it(`that was cancelled is ${level} where ${changed ? 'something' : 'nothing'} was changed`, () => {
      const error = { code: 'cancelled', message: 'Cancelled.', changed } as const;
      const ending = failureOf(error, { stage: 'production' }, t);
      assert.equal(ending.level, level);
      assert.match(ending.message, words);
    });

  it('offers to sign in where the host of the repository wants that, and only there', () => {
    const error = {
      code: 'repository-unreachable',
      message: 'It cannot be fetched.',
      changed: false,
    } as const;
    const origin = 'https://git.example.org';
    const wanted = failureOf({ ...error, data: { signIn: origin } }, { stage: 'production' }, t);
    assert.deepEqual([wanted.remedies[0], wanted.origin], ['sign-in', origin]);
    assert.ok(!failureOf(error, { stage: 'production' }, t).remedies.includes('sign-in'));
  });

  it('does not say again in the log what its commands have printed', () => {
    const line = createLines('production');
    for (const text of ['first', 'second'])
      line({ event: 'output', server: 'web1', stream: 'stderr', line: text });
    const failed = line({
      event: 'step',
      step: 'vendors',
      server: 'web1',
      state: 'failed',
      reason: 'composer failed.\nfirst\nsecond\nthird',
      ms: null,
    });
    assert.equal(failed?.text, 'production · web1 │ vendors failed: composer failed.\n      third');
  });
});
