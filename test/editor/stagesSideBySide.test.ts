/** Two stages side by side: which options differ, without a secret. */
import assert from 'node:assert/strict';
import { english } from '../../src/format.ts';
import { optionDifferences, sideBySideText } from '../../src/views/stagesSideBySide.ts';

const conf = `[DEFAULT]
repository: https://ada:hunter2@git.test/shop.git
[staging]
server: web1
env:
    MODE=test
    API_KEY=abc123
[production]
server:
    web1
    web2
repository: https://git.test/shop.git
env:
    MODE=live
    API_KEY=def456
`;

describe('two stages side by side', () => {
  const found = optionDifferences(conf, 'staging', 'production');

  it('have the options that differ, in the order of the reference, and no secret', () => {
    const values = new Map(found.map(({ key, left, right }) => [key, [left, right]]));
    assert.deepEqual(values.get('server'), ['web1', 'web1\nweb2']);
    assert.deepEqual(values.get('env'), ['MODE=test\nAPI_KEY=***', 'MODE=live\nAPI_KEY=***']);
    assert.deepEqual(values.get('repository'), [
      'https://ada:***@git.test/shop.git',
      'https://git.test/shop.git',
    ]);
    assert.equal(found.length, 3);
  });

  it('are a table whose cells are text, and say what is not known', () => {
    const side = { live: undefined, commits: undefined };
    const text = sideBySideText(
      { left: { name: 'a|b', ...side }, right: { name: 'production', ...side }, files: [], options: found },
      { now: 0, t: english, localTime: (date) => date },
    );
    assert.match(text, /\n\| \| a\\\|b \| production \|\n/);
    assert.match(text, /\n\| `server` \| web1 \| web1<br>web2 \|\n/);
    assert.match(text, /The clone here does not have both commits/);
    assert.doesNotMatch(text, /hunter2|abc123|def456/);
  });
});
