import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseConf } from '../../../src/config/syntax/parse.ts';
import { rawConfig } from '../../../src/config/values/stage.ts';
import {
  applyEdits,
  formatEdits,
  formatRangeEdits,
  meaningOf,
} from '../../../src/language/formatDocument.ts';
import { confText } from './texts.ts';

const OPTIONS = { indent: '    ' };

function formatted(text: string): string {
  const doc = parseConf(text);
  return applyEdits(text, formatEdits(doc, OPTIONS));
}

describe('formatting', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['trailing blanks', '[a]  \nuser: x  \n\t\n', '[a]\nuser: x\n\n'],
    [
      'blanks around delimiters',
      '[a]\nuser:x\nremote=  y\nbranch   :z\n',
      '[a]\nuser: x\nremote = y\nbranch: z\n',
    ],
    ['indented keys', '[a]\n  user: x\n  branch: y\n', '[a]\nuser: x\nbranch: y\n'],
    ['continuation lines', '[a]\nserver:\n  a\n  b\n', '[a]\nserver:\n    a\n    b\n'],
    [
      'deeper continuation lines',
      '[a]\nvendors:\n\tif x; then\n\t  y\n\tfi\n',
      '[a]\nvendors:\n    if x; then\n      y\n    fi\n',
    ],
    ['blank lines', '[a]\nuser: x\n\n\n\nbranch: y\n[b]\n', '[a]\nuser: x\n\nbranch: y\n\n[b]\n'],
    ['blank lines inside values', '[a]\nuser: x\n  y\n\n\n  z\n', '[a]\nuser: x\n    y\n\n\n    z\n'],
    [
      'comments',
      '[a]\n  # one\nserver:\n  a\n# two\n  b\n; three\n',
      '[a]\n# one\nserver:\n    a\n    # two\n    b\n; three\n',
    ],
    ['comments above a section', '[a]\nuser: x\n# b\n[b]\n', '[a]\nuser: x\n# b\n[b]\n'],
    ['CRLF', '[a]\r\nuser:x\r\n[b]\r\n', '[a]\r\nuser: x\r\n\r\n[b]\r\n'],
    ['what is well already', '[a]\nuser: x\nserver:\n    a\n', '[a]\nuser: x\nserver:\n    a\n'],
    ['values that start with a delimiter', '[a]\nx:=1\n', '[a]\nx: =1\n'],
  ];
  for (const [name, text, expected] of cases)
    it(`puts ${name} in order`, () => {
      assert.equal(formatted(text), expected);
      assert.equal(formatted(expected), expected, 'a second time');
    });

  it('leaves indentation alone where a line makes no sense', () => {
    const text = '[a]\nnonsense\n   user: x\nserver:  y\n   z\n';
    assert.equal(formatted(text), '[a]\nnonsense\n   user: x\nserver: y\n   z\n');
  });

  it('keeps the meaning of any text', () => {
    fc.assert(
      fc.property(confText, (text) => {
        const doc = parseConf(text);
        const after = parseConf(formatted(text));
        assert.deepEqual(rawConfig(after).sections, rawConfig(doc).sections);
        assert.deepEqual(rawConfig(after).defaults, rawConfig(doc).defaults);
        assert.equal(meaningOf(after), meaningOf(doc));
      }),
      { numRuns: 3000 },
    );
  });

  it('is done after the first time', () => {
    fc.assert(
      fc.property(confText, (any) => {
        // An editor's text has one kind of line end, and a lone CR is none of them.
        const once = formatted(any.replaceAll(/\r\n?/g, '\n'));
        assert.equal(formatted(once), once);
      }),
      { numRuns: 1500 },
    );
  });

  it('refuses few texts that are sound', () => {
    let refused = 0;
    fc.assert(
      fc.property(confText, (text) => {
        const doc = parseConf(text);
        const untidy = /[ \t]+$/m.test(text);
        if (doc.problems.length === 0 && untidy && formatEdits(doc, OPTIONS).length === 0) refused += 1;
      }),
      { numRuns: 1500, seed: 7 },
    );
    assert.ok(refused < 15, String(refused));
  });

  it('formats only the lines that are asked for', () => {
    const text = '[a]\nuser:x\nbranch:y\n';
    const doc = parseConf(text);
    assert.equal(
      applyEdits(text, formatRangeEdits(doc, { first: 2, last: 2 }, OPTIONS)),
      '[a]\nuser:x\nbranch: y\n',
    );
  });
});
