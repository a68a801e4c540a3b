import assert from 'node:assert/strict';
import { positionAt } from '../../src/config/syntax/document.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { rawConfig } from '../../src/config/values/stage.ts';
import { marked } from './marked.ts';

/** A row of the grammar: what the sections hold, DEFAULT's keys included. */
const VALUES: readonly (readonly [name: string, text: string, sections: Readonly<Record<string, object>>])[] =
  [
    ['both delimiters', '[a]\nx = 1\ny: 2\nz=3\nw:4', { a: { x: '1', y: '2', z: '3', w: '4' } }],
    ['the first delimiter splits', '[a]\nx:=1\ny = a:b=c', { a: { x: '=1', y: 'a:b=c' } }],
    ['keys are lower-cased and trimmed, with inner blanks', '[a]\nMy Key  = V', { a: { 'my key': 'V' } }],
    ['section names are verbatim', '[ Pro duction ]\nx=1\n[pro]', { ' Pro duction ': { x: '1' }, pro: {} }],
    ['the last ] closes', '[a]b]\nx=1\n[]]\ny=2', { 'a]b': { x: '1' }, ']': { y: '2' } }],
    ['a value is trimmed', '[a]\nx =   v  \t ', { a: { x: 'v' } }],
    ['an empty value', '[a]\nx =\ny:', { a: { x: '', y: '' } }],
    ['continuation', '[a]\nx = 1\n  2\n\t3', { a: { x: '1\n2\n3' } }],
    ['continuation after an empty first line', '[a]\nx:\n  1\n  2\n', { a: { x: '\n1\n2' } }],
    [
      'blank lines inside are kept, trailing ones dropped',
      '[a]\nx = 1\n\n \n  2\n\n\ny=3',
      { a: { x: '1\n\n\n2', y: '3' } },
    ],
    ['deeper than its key, not than the margin', '[a]\n  x = 1\n  y = 2\n   3', { a: { x: '1', y: '2\n3' } }],
    ['an indented section', '[a]\n  [b]\n x = 1', { a: {}, b: { x: '1' } }],
    ['an indented header after a key is a value', '[a]\nx = 1\n  [b]', { a: { x: '1\n[b]' } }],
    ['a comment between continuation lines', '[a]\nx = 1\n  # no\n; no\n  2', { a: { x: '1\n2' } }],
    ['comments', '# a\n[a]\n; b\nx=1\n   # c\n', { a: { x: '1' } }],
    ['no inline comments', '[a] \nx = 1 ; c\ny = 2 # c', { a: { x: '1 ; c', y: '2 # c' } }],
    ['a comment sign in a key', '[a]\nx#y = 1', { a: { 'x#y': '1' } }],
    ['CRLF', '[a]\r\nx = 1\r\n  2\r\n', { a: { x: '1\n2' } }],
    ['CR', '[a]\rx = 1\r  2\r', { a: { x: '1\n2' } }],
    ['BOM', '\uFEFF[a]\nx = 1', { a: { x: '1' } }],
    [
      'no other line ends',
      '[a]\nx = 1\u20282\x0b3\x0c4\x1c5\x856',
      { a: { x: '1\u20282\x0b3\x0c4\x1c5\x856' } },
    ],
    ["Python's white space", '[a]\n\u00a0\x1cx\u3000=\x1d1\x85', { a: { x: '1' } }],
    ['a zero-width no-break space is no white space', '[a]\nx = \uFEFF1', { a: { x: '\uFEFF1' } }],
    ['DEFAULT is inherited', '[DEFAULT]\nx=1\ny=2\n[a]\ny=3', { a: { x: '1', y: '3' } }],
    ['DEFAULT below and again', '[a]\n[DEFAULT]\nx=1\n[DEFAULT]\ny=2', { a: { x: '1', y: '2' } }],
    ['[default] is a section', '[default]\nx=1\n[a]', { default: { x: '1' }, a: {} }],
    [
      'interpolation',
      '[DEFAULT]\nd=/srv\n[a]\nx=%(D)s/%(y)s\ny=z',
      { a: { d: '/srv', x: '/srv/z', y: 'z' } },
    ],
    ['the section before DEFAULT', '[DEFAULT]\nn=1\nx=%(n)s\n[a]\nn=2', { a: { n: '2', x: '2' } }],
    ['percent', '[a]\nx=100%%\ny=%%(x)s', { a: { x: '100%', y: '%(x)s' } }],
    ['a lone percent is kept', '[a]\nx=--format=%h %\ny=%(x', { a: { x: '--format=%h %', y: '%(x' } }],
    ['interpolation over lines', '[a]\nx=\n 1\n %(y)s\ny=\n 2\n 3', { a: { x: '\n1\n\n2\n3', y: '\n2\n3' } }],
    [
      'keys of Object',
      '[__proto__]\n__proto__=1\nconstructor=2',
      { ['__proto__']: { ['__proto__']: '1', constructor: '2' } },
    ],
  ];

/** A row of what is wrong; « and » mark where. */
const PROBLEMS: readonly (readonly [code: string, text: string])[] = [
  ['no-section', '\n«x = 1»\ny = 2\n[a]'],
  ['no-delimiter', '[a]\n«just text»\nx=1'],
  ['empty-key', '[a]\n«= 1»'],
  ['empty-key', '[a]\nx=1\n«: 1»'],
  ['unclosed-section', '[a]\n«[b»\n'],
  ['empty-section', '[a]\n«[]»\n'],
  ['section-like-key', '[a]\n«[b» = 1\n'],
  ['section-like-key', '[a]\n«[]» = 1\n'],
  ['text-after-section', '[a] «; no comment»\n'],
  ['duplicate-key', '[a]\nx=1\n«X»=2'],
  ['duplicate-key', '[DEFAULT]\nx=1\n[DEFAULT]\n«x»=2'],
  ['duplicate-section', '[a]\n«[a]»\n'],
  ['interpolation-unknown', '[a]\nx = 1 «%(nope)s»\n'],
  ['interpolation-unknown', '[a]\nx =\n  1\n\n  2 «%(nope)s»\n'],
  ['interpolation-unknown', '[DEFAULT]\nx = «%(nope)s»\n[a]'],
  ['interpolation-cycle', '[a]\nx = %(y)s\ny = «%(x)s»\n'],
  ['interpolation-cycle', '[a]\nx = «%(x)s»\n'],
  ['lone-percent', '[a]\nx = «%»h'],
  ['lone-percent', '[a]\nx = «%»(h)'],
  ['lone-percent', '[a]\nx = «%»()s'],
];

describe('config: grammar', () => {
  for (const [name, text, sections] of VALUES)
    it(name, () => {
      assert.deepEqual({ ...rawConfig(parseConf(text)).sections }, sections);
    });

  for (const [code, source] of PROBLEMS)
    it(`${code}: ${JSON.stringify(source)}`, () => {
      const { text, ranges } = marked(source);
      const { problems } = parseConf(text);
      assert.deepEqual(
        problems.map((found) => ({ code: found.code, ...found.range })),
        ranges.map((range) => ({ code, ...range })),
      );
    });

  it('of repeated keys the first counts, repeated sections merge', () => {
    const raw = rawConfig(parseConf('[a]\nx=1\nx=2\n  3\n[b]\n[a]\ny=4\nx=5'));
    assert.deepEqual(raw.sections, { a: { x: '1', y: '4' }, b: {} });
    assert.deepEqual(
      raw.problems.map(({ code, line }) => [code, line]),
      [
        ['duplicate-key', 3],
        ['duplicate-section', 6],
        ['duplicate-key', 8],
      ],
    );
  });

  it('a value that cannot be interpolated is given as written', () => {
    const { sections } = rawConfig(parseConf('[a]\nx = %%%(y)s%(nope)s\ny=1\nz=%(x)s'));
    assert.deepEqual(sections, { a: { x: '%%%(y)s%(nope)s', y: '1', z: '%(x)s' } });
  });

  it('references nest ten deep and no deeper', () => {
    const chain = (length: number): string =>
      [
        '[a]',
        ...Array.from({ length }, (_, n) => `k${String(n)} = %(k${String(n + 1)})s`),
        `k${String(length)} = end`,
      ].join('\n');
    assert.deepEqual(parseConf(chain(10)).problems, []);
    assert.equal(rawConfig(parseConf(chain(10))).sections['a']?.['k0'], 'end');
    assert.deepEqual(
      parseConf(chain(11)).problems.map((found) => found.code),
      ['interpolation-depth'],
    );
  });

  it('a few lines cannot ask for more memory than there is', () => {
    const levels = Array.from(
      { length: 9 },
      (_, n) => `k${String(n)} = ${`%(k${String(n + 1)})s`.repeat(50)}`,
    );
    const { problems } = parseConf(['[a]', ...levels, `k9 = ${'%%'.repeat(50)}`].join('\n'));
    assert.ok(problems.some((found) => found.code === 'interpolation-size'));
  });

  it('DEFAULT may use keys that only its stages have', () => {
    const doc = parseConf('[DEFAULT]\nproject_dir=/srv/%(branch)s\n[vars]\nx=1\n[a]\nbranch=main');
    assert.deepEqual(doc.problems, []);
    assert.deepEqual(
      parseConf('[DEFAULT]\nx=%(y)s\n[a]\ny=1\n[b]').problems.map((found) => found.message.includes('[b]')),
      [true],
    );
  });

  it('ranges of keys, values and comments', () => {
    const text = '[a]\n  Key =  one\n    # no\n    two  \n\n[b]';
    const doc = parseConf(text);
    const option = doc.sections.get('a')?.options.get('key');
    assert.ok(option);
    const cut = ({ start, end }: { readonly start: number; readonly end: number }): string =>
      text.slice(start, end);
    assert.equal(cut(option.keyRange), 'Key');
    assert.equal(text[option.delimiter], '=');
    assert.equal(cut(option.valueRange), 'one\n    # no\n    two');
    assert.deepEqual(
      option.lines.map((line) => cut(line.range)),
      ['one', 'two'],
    );
    assert.deepEqual(doc.comments.map(cut), ['# no']);
    assert.deepEqual(positionAt(doc, option.keyRange.start), { line: 2, column: 3 });
    assert.equal(option.line, 2);
  });

  it('a byte order mark does not count as a column', () => {
    const doc = parseConf('\uFEFF[a] x');
    assert.deepEqual(
      rawConfig(doc).problems.map(({ line, column }) => [line, column]),
      [[1, 5]],
    );
  });
});
