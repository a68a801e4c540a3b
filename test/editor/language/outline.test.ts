import assert from 'node:assert/strict';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { untranslated } from '../../../src/language/languageFacts.ts';
import { lensesOf } from '../../../src/language/lenses.ts';
import { linksOf } from '../../../src/language/links.ts';
import { foldsOf, outlineOf } from '../../../src/language/outline.ts';
import { textAt } from './marked.ts';

const TEXT = `# Two lines
# of comment
[DEFAULT]
user: x

[production]
server:
    a
    b

env: A=b
[goal t]
type: shell
[process web]
command: x

[production]
branch: y
`;

describe('the outline', () => {
  it('has sections with their keys', () => {
    const nodes = outlineOf(parseConf(TEXT), untranslated);
    assert.deepEqual(
      nodes.map(({ name, kind, children }) => [
        name,
        kind,
        children.map((child) => `${child.name} ${child.detail}`),
      ]),
      [
        ['DEFAULT', 'DEFAULT', ['user x']],
        ['production', 'stage', ['server a +1', 'env ']],
        ['goal t', 'goal', ['type shell']],
        ['process web', 'process', ['command x']],
        ['production', 'stage', ['branch y']],
      ],
    );
  });

  it('covers what belongs to each section, without blank lines at the end', () => {
    const doc = parseConf(TEXT);
    const [first] = outlineOf(doc, untranslated);
    assert.ok(first);
    assert.equal(textAt(doc, first.range), '[DEFAULT]\nuser: x');
    assert.equal(textAt(doc, first.selection), 'DEFAULT');
  });
});

describe('folding', () => {
  it('folds sections, long values and comments', () => {
    assert.deepEqual(foldsOf(parseConf(TEXT)), [
      { first: 0, last: 1, kind: 'comment' },
      { first: 2, last: 3, kind: 'region' },
      { first: 5, last: 10, kind: 'region' },
      { first: 6, last: 8, kind: 'region' },
      { first: 11, last: 12, kind: 'region' },
      { first: 13, last: 14, kind: 'region' },
      { first: 16, last: 17, kind: 'region' },
    ]);
  });
});

describe('CodeLens', () => {
  it('stands above each stage once', () => {
    const doc = parseConf(TEXT);
    const lenses = lensesOf(doc, () => undefined, untranslated);
    assert.deepEqual(
      lenses.map(({ stage, action, title }) => `${stage} ${action} ${title}`),
      [
        'production deploy Deploy',
        'production dry-run Dry run',
        'production roll-back Roll back',
        'production unlock Unlock',
        'production check Check connection',
      ],
    );
    assert.ok(lenses.every(({ range }) => textAt(doc, range) === '[production]'));
  });

  it('says what is live', () => {
    const live = {
      release: '20261121101500-ab12cd3',
      commit: 'ab12cd3',
      ageText: '3 hours ago',
      behind: 2,
      locked: 'ann',
    };
    const title = (facts: Partial<typeof live>): string | undefined =>
      lensesOf(parseConf('[a]\n'), () => ({ ...live, ...facts }), untranslated).at(-1)?.title;
    assert.equal(title({}), 'live: 20261121101500-ab12cd3 · 3 hours ago · 2 behind · locked by ann');
    assert.equal(title({ release: 'v1', behind: 0 }), 'live: v1 · ab12cd3 · 3 hours ago · locked by ann');
  });
});

describe('document links', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    [
      'repository: https://u:p@github.com/a/b.git',
      [['https://u:p@github.com/a/b.git', 'https://github.com/a/b']],
    ],
    ['repository: git@github.com:a/b.git', [['git@github.com:a/b.git', 'https://github.com/a/b']]],
    [
      'repository: ssh://git@example.com:22/a/b',
      [['ssh://git@example.com:22/a/b', 'https://example.com/a/b']],
    ],
    ['repository: ../shop', [['../shop', '../shop']]],
    ['repository: javascript:alert(1)', []],
    ['repository: file:///etc/passwd', []],
    ['repository: //host/share', []],
    ['ssh_identity: ~/.ssh/id', [['~/.ssh/id', '~/.ssh/id']]],
    ['ssh_identity: \\\\host\\share\\id', []],
    ['ssh_identity: env!KEY', []],
    [
      'shared_files:\n  .env\n  var!x\n  a/b.txt',
      [
        ['.env', '.env'],
        ['a/b.txt', 'a/b.txt'],
      ],
    ],
    [
      'health_check:\n  https://example.com/up\n  ./check',
      [['https://example.com/up', 'https://example.com/up']],
    ],
    ['health_check: local! https://example.com/up', []],
    ['domain_name: shop.example.com', [['shop.example.com', 'https://shop.example.com/']]],
    ['project_dir: /var/www', []],
    ['env_file: %(x)s', []],
    ['exclude: /docs', []],
  ];
  for (const [line, expected] of cases)
    it(`of ${JSON.stringify(line)}`, () => {
      const doc = parseConf(`[a]\n${line}\n`);
      assert.deepEqual(
        linksOf(doc).map(({ range, target }) => [
          textAt(doc, range),
          target.kind === 'url' ? target.url : target.path,
        ]),
        expected,
      );
    });

  it('of goals lead to their module', () => {
    const doc = parseConf('[goal x]\ntype: ./goals/x.mjs\n');
    assert.deepEqual(
      linksOf(doc).map(({ target }) => target),
      [{ kind: 'path', path: './goals/x.mjs' }],
    );
  });
});
