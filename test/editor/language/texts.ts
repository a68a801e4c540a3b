/** Texts for property tests: made of what durant.conf is made of, in any order, so that every branch of the grammar is met. */
import fc from 'fast-check';
import { OPTIONS } from '../../../src/config/options/options.ts';

const keys = fc.constantFrom(...Object.keys(OPTIONS), 'x', 'y', 'own key', '[odd', 'Ünï', '');
const values = fc.constantFrom(
  '',
  'a',
  'a, b',
  '%(x)s',
  '%(user)s/%%',
  '%(',
  '%',
  'var!x',
  'env!HOME',
  'secret!s',
  'sh!date',
  'local! x',
  'once! var!y',
  'A=1',
  'A=var!x',
  '# no comment',
  '; none',
  '[x]',
  'inplace',
  'yes',
  '=1',
  'deploy, t?',
  '~/.ssh/id',
  './a/../b',
  '-----BEGIN PGP MESSAGE-----',
  '-----END PGP MESSAGE-----',
  'https://u:p@h/x.git',
  '\u2028',
  '\u0000',
  '🚀',
  '%(\ud800)s',
);
const blanks = fc.constantFrom('', ' ', '  ', '    ', '\t', '\u00a0', '\f');
const names = fc.constantFrom(
  'DEFAULT',
  'vars',
  'a',
  'b',
  'goal t',
  'process web',
  'default',
  ' ',
  'goal ',
  '[x',
  'x] y [z',
);

const line = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(blanks, keys, blanks, fc.constantFrom(':', '='), blanks, values, blanks)
      .map((parts) => parts.join('')),
  },
  { weight: 3, arbitrary: fc.tuple(blanks, values, blanks).map((parts) => parts.join('')) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(blanks, names, fc.constantFrom(']', ']', ']', '', '] x', ']:'))
      .map(([lead, name, end]) => `${lead}[${name}${end}`),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(blanks, fc.constantFrom('#', ';'), values).map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: blanks },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const ends = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');

/** Any text, most of it like a durant.conf. */
export const confText = fc
  .tuple(
    fc.constantFrom('', '', '\ufeff'),
    fc.constantFrom('', '[a]\n', '[DEFAULT]\n'),
    fc.array(fc.tuple(line, ends), { maxLength: 14 }),
    fc.constantFrom('', 'user: x', '  y'),
  )
  .map(([bom, start, lines, last]) => bom + start + lines.flat().join('') + last);
