import assert from 'node:assert/strict';
import {
  formatRecord,
  parseLock,
  parseRecord,
  formatLock,
  type ReleaseRecord,
} from '../../src/engine/server/record.ts';
import {
  newestFirst,
  nextOrder,
  releaseName,
  removableReleases,
  rollbackCandidate,
  type ServerReleases,
} from '../../src/engine/server/releases.ts';
import * as fc from 'fast-check';

function record(name: string, state: ReleaseRecord['state'] = 'finished', started = name): ReleaseRecord {
  return {
    name,
    commit: 'c'.repeat(40),
    branch: 'main',
    subject: '',
    author: '',
    recipe: 'r',
    deployed_by: 'me',
    from_host: 'here',
    started,
    finished: started,
    state,
    files: 1,
    bytes: 1,
    env_names: '',
    env_looked_up: '',
    env_digest: '',
    roles: ['web', 'db'],
    wave: '',
    order: 0,
    promoted_from: '',
  };
}

/** `live: a b! c?` → records oldest first; `!` bad, `?` prepared, `x` failed. */
function server(live: string | null, names: string): ServerReleases {
  const records = names.split(' ').map((text) => {
    const state = text.endsWith('!')
      ? 'bad'
      : text.endsWith('?')
        ? 'prepared'
        : text.endsWith('x')
          ? 'failed'
          : 'finished';
    return record(text.replace(/[!?x]$/, ''), state);
  });
  return { records, live };
}

describe('release names', () => {
  const parts = {
    template: '{date}-{commit}',
    date: new Date('2026-11-21T10:15:00Z'),
    commit: 'ab12cd3f'.padEnd(40, '0'),
    branch: 'feature/x y',
    version: '1.2',
  };
  for (const [template, taken, expected] of [
    ['{date}-{commit}', [], '20261121101500-ab12cd3'],
    ['{date}-{commit}', ['20261121101500-ab12cd3'], '20261121101500-ab12cd3-2'],
    ['{version}', ['1.2', '1.2-2'], '1.2-3'],
    ['{branch}', [], 'feature-x-y'],
    ['../../etc', [], 'etc'],
    ['.hidden', [], 'hidden'],
    ['-rf', [], 'rf'],
  ] as const)
    it(`${template} with ${taken.length} taken is ${expected}`, () => {
      assert.equal(releaseName({ ...parts, template }, new Set(taken)), expected);
    });
});

describe('the rollback candidate', () => {
  for (const [title, servers, expected] of [
    ['is the newest older than the live one', [server('3', '1 2 3')], '2'],
    ['is older than live although newer ones exist', [server('2', '1 2 3!')], '1'],
    ['is never bad', [server('3', '1 2! 3')], '1'],
    ['is never failed or prepared', [server('4', '1 2x 3? 4')], '1'],
    ['is on every server', [server('3', '1 2 3'), server('3', '1 3')], '1'],
    [
      'is older than the newest live one where servers differ',
      [server('3', '1 2 3'), server('2', '1 2')],
      '2',
    ],
    ['is none for the only release', [server('1', '1')], undefined],
    ['is the newest where nothing is live', [server(null, '1 2')], '2'],
  ] as const)
    it(title, () => assert.equal(rollbackCandidate(servers)?.name, expected));
});

describe('the order of releases', () => {
  const names = (records: readonly ReleaseRecord[]) => newestFirst(records).map(({ name }) => name);

  it("is the servers', whatever the clocks of clients said", () => {
    const early = { ...record('b', 'finished', '2026-01-01'), order: 2 };
    const late = { ...record('a', 'finished', '2026-01-02'), order: 1 };
    assert.deepEqual(names([late, early]), ['b', 'a']);
    assert.equal(nextOrder([late, early]), 3);
  });

  it('of older records is by started, then name, and before all that have one', () => {
    const numbered = { ...record('new', 'finished', '2025-01-01'), order: 1 };
    const old = [
      record('x', 'finished', '2026-01-02'),
      record('z', 'finished', '2026-01-01'),
      record('y', 'finished', '2026-01-01'),
    ];
    assert.deepEqual(names([...old, numbered]), ['new', 'x', 'z', 'y']);
    assert.equal(nextOrder(old), 1);
  });
});

describe('what a cleanup removes', () => {
  for (const [title, own, others, keep, expected] of [
    ['finished ones beyond keep, the live one counted', server('5', '1 2 3 4 5'), [], 2, ['1', '2', '3']],
    ['nothing with -1', server('3', '1 2 3'), [], -1, []],
    ['never the rollback candidate', server('2', '1 2'), [], 1, []],
    ['never the live one, however old', server('1', '1 2! 3!'), [], 1, ['2', '3']],
    ['bad ones that are newer than the live one', server('2', '1 2 3! 4!'), [], 2, ['3', '4']],
    ['bad ones older than what is kept', server('4', '1! 2 3 4'), [], 2, ['1', '2']],
    ['not the newest that all servers share', server('4', '1 2 3 4'), [server('2', '1 2')], 1, ['1', '3']],
    ['not what all share and another server has live', server('1', '1 2'), [server('2', '1 2')], 1, []],
    ['what dead runs left', server('4', '2 3? 4'), [], 5, ['3']],
  ] as const)
    it(title, () => {
      const removed = removableReleases(own, [own, ...others], keep);
      assert.deepEqual(removed.sort(), [...expected]);
    });
});

describe('records', () => {
  it('survive any text in any field, one line each', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'grapheme' }), (subject, author) => {
        const whole: ReleaseRecord = {
          ...record('a'),
          subject,
          author,
          order: 7,
        };
        const text = formatRecord(whole);
        assert.equal(text.split('\n').length, 16);
        assert.deepEqual(parseRecord(text, 'a'), whole);
      }),
    );
  });

  for (const value of [
    'true',
    'null',
    '%h',
    '; x',
    '# x',
    '"quoted"',
    "'single'",
    '[section]',
    'a = b',
    '\u001b[31m',
    '__proto__',
  ])
    it(`keep ${JSON.stringify(value)} as text`, () => {
      const lock = {
        run: 'r-1',
        stage: value,
        user: value,
        host: 'h',
        started: '',
        action: 'deploy',
        message: value,
      };
      assert.deepEqual(parseLock(formatLock(lock)), lock);
    });

  it('are read unquoted too', () => {
    assert.equal(parseRecord('state = finished\ncommit = abc\nfiles = 3\n', 'x').state, 'finished');
    assert.equal(parseRecord('files = 3\n', 'x').files, 3);
  });

  it('of an unknown or cut-off kind are never taken for finished', () => {
    assert.equal(parseRecord('state = "fini', 'x').state, 'failed');
    assert.equal(parseRecord('', 'x').state, 'failed');
  });
});
