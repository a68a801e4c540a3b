import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { rawConfig } from '../../src/config/values/stage.ts';

/** Reads texts as JSON, answers for each: the sections, or the name of the exception. */
const PYTHON = `
import configparser, io, json, sys
def read(text):
    parser = configparser.ConfigParser()
    try:
        # Files are read with universal line ends; read_string would not.
        parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode('utf-8', 'surrogatepass')), 'utf-8', 'surrogatepass'))
        sections = {name: dict(parser.items(name)) for name in parser.sections()}
        try:
            defaults = dict(parser.items('DEFAULT'))
        except configparser.Error:
            if not sections: raise
            defaults = None
        return {'defaults': defaults, 'sections': sections}
    except configparser.Error as error:
        return {'error': type(error).__name__}
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`;

type Texts = Readonly<Record<string, string>>;
type Answer =
  | { readonly error: string }
  | {
      readonly sections: Readonly<Record<string, Texts>>;
      /** Null where DEFAULT can only be read as a stage sees it. */
      readonly defaults: Texts | null;
      readonly error?: undefined;
    };

function askPython(texts: readonly string[]): readonly Answer[] {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', PYTHON], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as readonly Answer[];
}

const word = fc.constantFrom(
  'a',
  'b',
  'Key',
  'k y',
  'DEFAULT',
  'default',
  'é',
  'İx',
  'server',
  '#',
  ';',
  '[',
  ']',
  '',
);
const blank = fc.constantFrom('', ' ', '  ', '\t', '    ', '\u00a0', '\x1c', '\u3000 ', '\x0b');
const eol = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');
const value = fc
  .array(
    fc.oneof(
      word,
      blank,
      fc.constantFrom('%(a)s', '%(key)s', '%%', '1, 2', '=', ':', ' ; c', '%(b)s', '\u2028', '\uFEFF'),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''));
const line = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(blank, word, blank, fc.constantFrom('=', ':'), blank, value)
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.tuple(blank, value).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(blank, fc.constantFrom('[a]', '[b]', '[DEFAULT]', '[a b]', '[a]]', '[c] x', '[]', '[d'))
      .map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(blank, fc.constantFrom('# c', '; c', '#')).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: blank },
);
const text = fc
  .tuple(
    fc.constantFrom('[a]\n', '[DEFAULT]\n', ''),
    fc.array(fc.tuple(line, eol), { maxLength: 12, size: 'max' }),
  )
  .map(([head, lines]) => head + lines.map((parts) => parts.join('')).join(''));
/** No key or section comes twice here, so that most files are good ones. */
const goodText = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'DEFAULT', 'x y', '[z'),
      options: fc.array(
        fc.record({
          delimiter: fc.constantFrom('=', ' : ', ': '),
          value: value,
          more: fc.array(value, { maxLength: 3 }),
          eol,
        }),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 4 },
  )
  .map((sections) =>
    [...new Map(sections.map((section) => [section.name, section])).values()]
      .map(({ name, options }) =>
        [
          `[${name}]`,
          ...options.map(
            (option, index) =>
              `${['a', 'B', 'key', 'd'][index] ?? 'e'}${option.delimiter}${option.value}${option.eol}${option.more.map((more) => `   ${more}${option.eol}`).join('')}`,
          ),
        ].join('\n'),
      )
      .join('\n'),
  );

describe('config: CPython configparser as the oracle', function () {
  before(function () {
    if (spawnSync('python3', ['--version']).error !== undefined) this.skip();
  });

  for (const [name, arbitrary, runs] of [
    ['any lines', text, 3000],
    ['mostly good files', goodText, 2000],
  ] as const)
    it(`agrees on values and refusals: ${name}`, () => {
      // Python takes a byte order mark for text; Durant reads over it.
      const texts = fc.sample(arbitrary, runs).filter((source) => !source.startsWith('\uFEFF'));
      const answers = askPython(texts);
      let good = 0;
      for (const [index, source] of texts.entries()) {
        const python = answers[index];
        assert.ok(python);
        const ours = rawConfig(parseConf(source));
        const errors = ours.problems.filter((found) => found.severity === 'error');
        const lone = ours.problems.some((found) => found.code === 'lone-percent');
        const shown = JSON.stringify({ source, python, ours }, undefined, 1);
        if (python.error !== undefined) {
          // A lone percent sign is the one thing that Python refuses and Durant reads, with a warning.
          assert.ok(errors.length > 0 || (lone && python.error === 'InterpolationSyntaxError'), shown);
          continue;
        }
        good += 1;
        assert.deepEqual(errors, [], shown);
        assert.deepEqual(ours.sections, python.sections, shown);
        if (python.defaults !== null) assert.deepEqual(ours.defaults, python.defaults, shown);
      }
      assert.ok(good > runs / 10, `only ${String(good)} of ${String(runs)} files were good`);
    });
});
