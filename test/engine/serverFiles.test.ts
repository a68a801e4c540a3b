/** A server's files, looked at by the scripts themselves: in this machine's sh, and with busybox's tools. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  listScript,
  MOST_ENTRIES,
  parseFile,
  parseFolder,
  readScript,
  type ServerFile,
  type ServerFolder,
} from '../../src/engine/server/serverFiles.ts';
import { makeToolsPath } from '../support/serverTools.ts';

const most = 100;

for (const tools of ['system', 'busybox'] as const)
  describe(`a server's files, with the tools of ${tools}`, () => {
    let folder: string;
    let project: string;
    let path: string;

    before(() => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'durant-files-')));
      path = makeToolsPath(folder, tools);
      project = join(folder, "it's $HOME");
      for (const each of ['releases/r1/src', 'shared/log', 'empty'])
        mkdirSync(join(project, each), { recursive: true });
      symlinkSync('releases/r1', join(project, 'current'));
      writeFileSync(join(project, 'releases/r1/index.html'), 'one\n');
      writeFileSync(join(project, 'shared/log/app.log'), 'x'.repeat(most) + 'the end\n');
      symlinkSync('../../shared/log/app.log', join(project, 'releases/r1/app.log'));
      symlinkSync(join(folder, 'secret'), join(project, 'away'));
      symlinkSync('/etc', join(project, 'etc'));
      symlinkSync('nowhere', join(project, 'dangling'));
      symlinkSync('circle', join(project, 'circle'));
      writeFileSync(join(folder, 'secret'), 'secret\n');
    });

    after(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    function run(script: string, input: string): Buffer {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
        env: { PATH: path },
        input: Buffer.from(input, 'latin1'),
      });
      assert.equal(stderr.toString(), '');
      assert.equal(status, 0);
      return stdout;
    }
    const list = (of: string): ServerFolder | string => parseFolder(run(listScript(project), of));
    const listed = (of: string): ServerFolder => {
      const found = list(of);
      assert.ok(typeof found !== 'string', String(found));
      return found;
    };
    const read = (
      of: string,
      { base = '', part = 'all' as 'all' | 'end' } = {},
    ): { readonly size: number; readonly text: string | undefined } | string => {
      const found: ServerFile | string = parseFile(
        run(readScript(project, { base, most, part }), of),
        most,
        part,
      );
      return typeof found === 'string'
        ? found
        : { size: found.size, text: found.contents?.toString('latin1') };
    };

    it('are listed, folders first, with what links say', () => {
      const { entries, total } = listed('');
      assert.equal(total, 8);
      assert.deepEqual(
        entries.map(({ name, kind, target }) => [name, kind, target]),
        [
          ['current', 'folder', 'releases/r1'],
          ['empty', 'folder', undefined],
          ['etc', 'folder', '/etc'],
          ['releases', 'folder', undefined],
          ['shared', 'folder', undefined],
          ['away', 'file', join(folder, 'secret')],
          ['circle', 'other', 'circle'],
          ['dangling', 'other', 'nowhere'],
        ],
      );
      const [, log, index] = listed('current').entries;
      assert.deepEqual(
        [log?.name, log?.target, log?.size],
        ['app.log', '../../shared/log/app.log', undefined],
      );
      assert.deepEqual([index?.name, index?.size], ['index.html', 4]);
      assert.ok(Math.abs((index?.changed ?? 0) - Date.now()) < 120_000);
      assert.deepEqual(listed('empty'), { entries: [], total: 0 });
    });

    it('have any name there is', () => {
      const odd = join(project, 'odd');
      mkdirSync(odd);
      const names = [
        '-n',
        '*',
        'a b',
        "it's",
        'two\nlines',
        '$(touch x)',
        'ä',
        '\xff\xfe',
        '.hidden',
        '..two',
        'back\\slash',
      ];
      for (const name of names)
        writeFileSync(
          Buffer.concat([Buffer.from(`${odd}/`), Buffer.from(name, 'latin1')]),
          `${name}\n`,
          'latin1',
        );
      const { entries } = listed('odd');
      assert.deepEqual(entries.map(({ name }) => name).toSorted(), names.toSorted());
      for (const name of names)
        assert.deepEqual(read(`odd/${name}`), { size: name.length + 1, text: `${name}\n` });
      rmSync(odd, { recursive: true });
    });

    it('are read, from the project or from what is live, through links that stay in it', () => {
      assert.deepEqual(read('releases/r1/index.html'), { size: 4, text: 'one\n' });
      assert.deepEqual(read('index.html', { base: 'current' }), { size: 4, text: 'one\n' });
      assert.deepEqual(read('app.log', { base: 'current', part: 'end' }), {
        size: most + 8,
        text: `${'x'.repeat(most - 8)}the end\n`,
      });
    });

    it('are not sent where they are too large, but their size is told', () => {
      assert.deepEqual(read('shared/log/app.log'), { size: most + 8, text: undefined });
    });

    it('end at the folder of the project, wherever a link or a path leads', () => {
      for (const outside of ['away', 'etc/passwd', '../secret', 'current/../../secret'])
        assert.equal(read(outside), outside === 'current/../../secret' ? 'gone' : 'outside', outside);
      for (const outside of ['etc', '..', 'current/../../..'])
        assert.equal(list(outside), 'outside', outside);
    });

    it('say what is not there, what is no file, and what may not be read', () => {
      assert.equal(read('nothing'), 'gone');
      assert.equal(read('dangling'), 'gone');
      assert.equal(read('circle'), 'gone');
      assert.equal(read('shared'), 'not-a-file');
      assert.equal(list('nothing'), 'gone');
      execFileSync('mkfifo', [join(project, 'pipe')]);
      assert.equal(read('pipe'), 'not-a-file');
      rmSync(join(project, 'pipe'));
      assert.equal(parseFolder(run(listScript(join(folder, 'no-project')), '')), 'gone');
    });

    it('are counted where there are too many', () => {
      const many = join(project, 'many');
      mkdirSync(many);
      for (let index = 0; index < MOST_ENTRIES + 5; index += 1) writeFileSync(join(many, `f${index}`), '');
      const { entries, total } = listed('many');
      assert.deepEqual([entries.length, total], [MOST_ENTRIES, MOST_ENTRIES + 5]);
      assert.equal(entries[0]?.size, 0);
      rmSync(many, { recursive: true });
    });
  });
