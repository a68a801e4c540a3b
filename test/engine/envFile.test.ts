import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { parse } from 'dotenv';
import * as fc from 'fast-check';
import { readEnvText, writeEnvText } from '../../src/engine/secrets/envText.ts';

/** What sh says the variables are after sourcing the text. */
function readBySh(text: string, names: readonly string[]): Record<string, string> {
  const out = execFileSync(
    'sh',
    ['-c', `eval "$(cat)"; for n in ${names.join(' ')}; do eval "v=\\$$n"; printf '%s\\0' "$v"; done`],
    { input: text, env: { PATH: process.env['PATH'] ?? '' } },
  ).toString('utf8');
  const values = out.split('\0');
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

describe('the environment file of a release', () => {
  for (const [title, value] of [
    ['nothing', ''],
    ['blanks at both ends', '  two  '],
    ['what shells expand', '$HOME `id` $(id) "x" \\n !! * ~ # ; & |'],
    ['an apostrophe', "it's #1"],
    ['several lines', '-----BEGIN-----\nabc=\n"x"\n-----END-----\n'],
    ['a tab and letters of all kinds', 'a\tb ü 日本 🎉'],
    ['a backslash', 'C:\\new\\table'],
  ] as const)
    it(`is read alike by sh and dotenv: ${title}`, () => {
      const text = writeEnvText({ BEFORE: 'x', VALUE: value, AFTER: 'y' });
      const expected = { BEFORE: 'x', VALUE: value, AFTER: 'y' };
      assert.deepEqual(parse(text), expected);
      assert.deepEqual(readBySh(text, Object.keys(expected)), expected);
      assert.deepEqual(readEnvText(text), expected);
    });

  for (const [title, name, value] of [
    ['a name that is none', 'A.B', 'x'],
    ['a name that begins with a digit', '1A', 'x'],
    ['an apostrophe beside a dollar', 'TOKEN', "a'b$c"],
    ['a backslash at the end', 'TOKEN', 'abc\\'],
    ['a carriage return', 'TOKEN', 'a\rb'],
    ['NUL', 'TOKEN', 'a\0b'],
    ['an escape sequence', 'TOKEN', 'a\u001b[2J'],
  ] as const)
    it(`refuses ${title}, naming the variable and not its value`, () => {
      assert.throws(
        () => writeEnvText({ [name]: value }),
        (error: Error) => {
          assert.match(error.message, new RegExp(name.replace('.', '\\.')));
          return !error.message.includes(value) || value === 'x';
        },
      );
    });

  it('says the same to all its readers, or is refused, whatever the values', () => {
    const piece = fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '#', 'a', '=', '%', 'ß', '\t', '!');
    const value = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(value, value, (first, second) => {
        const values = { A: first, B: second };
        let text;
        try {
          text = writeEnvText(values);
        } catch {
          return;
        }
        assert.deepEqual(parse(text), values);
        assert.deepEqual(readEnvText(text), values);
      }),
      { numRuns: 3000 },
    );
  });
});
