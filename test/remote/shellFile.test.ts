import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parameters } from '../../src/remote/shell.ts';
import { compact } from '../../src/remote/shellFile.ts';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => join('src', name));

describe('shell files', () => {
  it('are sent without what only people and shellcheck read', () => {
    const source = [
      '# What it does.',
      ': "${path?}" "${n?}"',
      '',
      'f() {',
      '  # shellcheck disable=SC2034',
      '  echo "$1" # and',
      '}',
    ];
    assert.equal(compact(source.join('\r\n')), 'f() {\necho "$1" # and\n}\n');
  });

  it('are read by the module beside them, each by one', () => {
    const calls = sources
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/shellFile\(import\.meta\.url, '([^']+)'\)/g)].map(
          ([, name = '']) => join(dirname(file), name),
        ),
      );
    assert.deepEqual(calls.toSorted(), sources.filter((file) => file.endsWith('.sh')).toSorted());
  });

  for (const shell of [['dash'], ['busybox', 'sh'], ['bash', '--posix']])
    it(`are understood by ${shell[0] ?? ''}`, () => {
      const [command = '', ...args] = shell;
      const texts = sources
        .filter((file) => file.endsWith('.sh'))
        .map((file) => compact(readFileSync(file, 'utf8')));
      const { status, stderr } = spawnSync(command, [...args, '-n'], {
        input: texts.map((text) => `(\n${text})\n`).join(''),
        encoding: 'utf8',
      });
      assert.equal(`${String(status)}${stderr}`, '0');
    });

  it('have their parameters in front, quoted', () => {
    const script = `${parameters({ word: "it's $HOME", count: 3, none: '' }, { path: '~/a b' })}printf '%s|' "$word" "$count" "$none" "$path"`;
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { HOME: '/home/ann' } });
    assert.equal(stdout, "it's $HOME|3||/home/ann/a b|");
  });
});
