/** `strategy: inplace`: a folder that becomes a link after the comparison leads nothing out of its place. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { finishedOf, makeWorld, type World } from './world.ts';

const SERVERS = [0, 1];

describe('strategy: inplace, a folder replaced by a link after the comparison', function () {
  let world: World;
  const file = (path: string, server: number): string => join(world.site(server), path);
  const outside = (path: string, server: number): string =>
    join(world.servers[server]?.home ?? '', 'outside', path);
  const files = {
    'index.html': '1\n',
    'up/own/file': '1\n',
    'up/own/deep/file': '1\n',
    'app/own/file': 'app\n',
    'odd\n/own/file\\': '1\n',
    'taken/below/file': '1\n',
  };
  const configure = (...lines: string[]): void =>
    world.configure(['strategy = inplace', 'delete = yes', ...lines]);
  /** What stands beyond the link, by server. */
  const beyond = (): string[][] =>
    SERVERS.map((server) =>
      readdirSync(outside('', server), { recursive: true }).map((name) => {
        const path = outside(String(name), server);
        return existsSync(join(path, '.')) ? String(name) : `${String(name)} ${readFileSync(path, 'utf8')}`;
      }),
    );

  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }], commits: [{ message: '1', files }] });
    configure();
    assert.equal((await world.run(['--json', 'deploy', 'production'])).status, 0);
    for (const server of SERVERS)
      for (const path of ['file', 'deep/file', 'below/file', 'empty/below']) {
        mkdirSync(join(outside(path, server), '..'), { recursive: true });
        writeFileSync(outside(path, server), 'precious\n');
      }
    for (const server of SERVERS) {
      rmSync(outside('empty/below', server));
      mkdirSync(outside('empty/below', server));
    }
  });
  after(() => world.remove());

  const rows: readonly (readonly [string, string, Readonly<Record<string, string | null>>, string?])[] = [
    ['a file is not put through it', 'up/own', { 'up/own/file': '2\n' }],
    ['nor through one to another folder of the project', 'up/own', { 'up/own/file': '2\n' }, '"$PWD/app"'],
    ['nor one below', 'up/own', { 'up/own/deep/file': '2\n' }],
    ['nor a new folder', 'up', { 'up/new/folder/file': '2\n' }],
    ['nor is a file deleted', 'up/own', { 'up/own/file': null, 'index.html': '2\n' }],
    ['nor a folder', 'up', { 'up/own/file': null, 'up/own/deep/file': null, 'index.html': '2\n' }],
    ['nor one that a file takes the place of', 'taken', { 'taken/below/file': null, 'taken/below': '2\n' }],
    ['nor where a name has a newline', 'odd\n/own', { 'odd\n/own/file\\': '2\n' }],
  ];
  for (const [what, folder, change, to] of rows)
    it(what, async () => {
      const from = `"$(printf ${JSON.stringify(folder.replace('\n', '\\n'))})"`;
      configure(
        `before_update_code = mv ${from.replaceAll('%', '%%')} ../saved && ln -s ${to ?? '"$HOME/outside"'} ${from}`,
      );
      world.repository.commit({ message: what, files: change });
      const before = beyond();
      const result = await world.run(['--json', 'deploy', 'production']);
      assert.equal(result.status, 1, result.stdout);
      const { message } = finishedOf(result)['error'] as { message: string };
      assert.match(message, /became a link/);
      assert.deepEqual(beyond(), before);
      for (const server of SERVERS) {
        assert.equal(readFileSync(file('app/own/file', server), 'utf8'), 'app\n');
        assert.deepEqual(readdirSync(file('app', server)), ['own']);
        // As it was, for the next test. The failure on one server may have ended the hook of the other.
        const saved = join(world.servers[server]?.home ?? '', 'saved');
        if (!existsSync(saved)) continue;
        rmSync(file(folder, server), { force: true });
        renameSync(saved, file(folder, server));
      }
      // What was made goes first, then comes what was there.
      world.repository.commit({
        message: 'forth',
        files: { 'up/new/folder/file': null, 'taken/below': null },
      });
      world.repository.commit({ message: 'back', files });
    });

  it('a link inside the project that was there before is followed, and a name with a newline found', async () => {
    configure();
    for (const server of SERVERS) symlinkSync('app', file('linked', server));
    world.repository.commit({ message: 'linked', files: { 'linked/own/file2': '2\n' } });
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    for (const server of SERVERS) {
      assert.equal(readFileSync(file('app/own/file2', server), 'utf8'), '2\n');
      for (const [path, text] of Object.entries(files))
        assert.equal(readFileSync(file(path, server), 'utf8'), text, path);
    }
  });
});
