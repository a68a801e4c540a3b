/** Problems that are found in the output of commands, without an editor. */
import assert from 'node:assert/strict';
import type { RunEvent } from '../../src/engine/index.ts';
import { candidatePaths, collectProblems } from '../../src/editor/problems/collect.ts';
import { findWith, type Found } from '../../src/editor/problems/matcher.ts';
import { guessed, matchersNamed } from '../../src/editor/problems/namedMatchers.ts';

const found = (text: string, matchers = guessed): readonly Found[] => {
  const find = findWith(matchers);
  return text.split('\n').flatMap((line) => find(line));
};
const short = ({ file, line, column, severity, code, message }: Found): string =>
  `${file}:${String(line)}:${String(column)} ${severity} ${code ?? '-'} ${message}`;

describe('problems in the output of commands', () => {
  const rows: readonly (readonly [title: string, text: string, expected: readonly string[]])[] = [
    ['of tsc', 'src/a.ts(3,7): error TS2322: No.', ['src/a.ts:3:7 error TS2322 No.']],
    [
      'of tsc in colours',
      '\u001b[96msrc/a.ts\u001b[0m:\u001b[93m3\u001b[0m:\u001b[93m7\u001b[0m - \u001b[91merror\u001b[0m\u001b[90m TS2322: \u001b[0mNo.',
      ['src/a.ts:3:7 error TS2322 No.'],
    ],
    [
      'of eslint, several below one file',
      '\n/clone/src/a.js\n  1:2  error    Nope  no-nope\n  3:4  warning  Hm  no-hm\n\n✖ 2 problems',
      ['/clone/src/a.js:1:2 error no-nope Nope', '/clone/src/a.js:3:4 warning no-hm Hm'],
    ],
    ['of compilers like gcc', 'a.c:12:5: fatal error: no such header', ['a.c:12:5 error - no such header']],
    ['but not in what only looks a bit like one', 'done: 3:4\nhttp://x:80/\n12:30 error', []],
  ];
  for (const [title, text, expected] of rows)
    it(`are those ${title}`, () => {
      assert.deepEqual(found(text).map(short), expected);
    });

  it('are found by matchers that extensions contribute, by name, with their defaults', () => {
    const manifest = {
      contributes: {
        problemPatterns: [{ name: 'php', regexp: '^(.*):(\\d+): (.*)$', file: 1, line: 2, message: 3 }],
        problemMatchers: [
          { name: 'phplint', owner: 'php', pattern: '$php', severity: 'warning' },
          { name: 'plain', source: 'p', pattern: { regexp: '^(\\S+)\\((\\d+,\\d+)\\) (.*)$' } },
          { name: 'broken', pattern: { regexp: '(' } },
        ],
      },
    };
    const { matchers, unknown } = matchersNamed(['$phplint', 'plain', '$broken'], [manifest, undefined, 3]);
    assert.deepEqual(unknown, ['broken']);
    assert.deepEqual(found('a.php:4: odd\nb(5,6) worse', matchers).map(short), [
      'a.php:4:undefined warning - odd',
      'b:5:6 error - worse',
    ]);
  });

  it('know their command: the one that failed, and the first line of its errors', () => {
    const { take, collected } = collectProblems(guessed);
    const output = (stream: 'stdout' | 'stderr', line: string): RunEvent => ({
      event: 'output',
      server: null,
      stream,
      line,
    });
    take({ event: 'command', server: null, step: 'before_deploy', command: 'make', directory: '/clone' });
    for (const event of [output('stdout', ''), output('stdout', 'one'), output('stderr', 'two')]) take(event);
    for (let time = 0; time < 2; time += 1) take(output('stderr', '/clone/a.c:1:2: error: no'));
    const { problems, last } = collected();
    assert.deepEqual(last('here'), { step: 'before_deploy', command: 'make', first: 'two' });
    assert.equal(last('server'), undefined);
    assert.deepEqual(
      problems.map(({ file, directory }) => [file, directory]),
      [['/clone/a.c', '/clone']],
    );
  });

  it('lie in the project, wherever the clone has them', () => {
    const above = ['/home/ann/shop', '/home/ann'];
    const paths = (file: string): readonly string[] => candidatePaths({ file, directory: '/clone' }, above);
    assert.deepEqual(paths('/clone/src/a.ts'), ['/home/ann/shop/src/a.ts', '/home/ann/src/a.ts']);
    assert.deepEqual(paths('./src/a.ts'), ['/home/ann/shop/src/a.ts', '/home/ann/src/a.ts']);
    assert.deepEqual(paths('/usr/include/x.h'), ['/usr/include/x.h']);
  });
});
