import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { redrawAges } from '../../src/editor/ageClock.ts';

describe('ages that are shown', () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it('are drawn again each minute, while they can be seen, and not once what shows them is gone', () => {
    let shown = true;
    let drawn = 0;
    const ages = redrawAges(
      () => shown,
      () => (drawn += 1),
    );
    mock.timers.tick(59_999);
    assert.equal(drawn, 0);
    mock.timers.tick(60_001);
    assert.equal(drawn, 2);
    shown = false;
    mock.timers.tick(180_000);
    assert.equal(drawn, 2);
    shown = true;
    mock.timers.tick(60_000);
    assert.equal(drawn, 3);
    ages.dispose();
    mock.timers.tick(180_000);
    assert.equal(drawn, 3);
  });
});
