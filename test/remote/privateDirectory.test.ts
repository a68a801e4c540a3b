/** The folders for sockets: what killed processes left of them goes, and nothing else. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivateDirectory, removePrivateDirectory } from '../../src/remote/openssh/privateDirectory.ts';

describe('folders for sockets', () => {
  let folder: string;
  const before = process.env['TMPDIR'];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durant-private-'));
    process.env['TMPDIR'] = folder;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  });
  const make = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  /** A process that has ended: its id is nobody's. */
  const dead = (): number => spawnSync(process.execPath, ['-e', '']).pid;

  it('are for their user alone, and go when they are told', async () => {
    const directory = await makePrivateDirectory();
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.match(directory, new RegExp(`/durant-${String(process.pid)}-[A-Za-z0-9]{6}$`));
    removePrivateDirectory(directory);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('go whole where ssh removes its sockets at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const directory = await makePrivateDirectory();
      for (let file = 0; file < 300; file += 1) writeFileSync(join(directory, `s${String(file)}`), '');
      const other = spawn('sh', ['-c', 'echo; rm -f s*'], { cwd: directory });
      await once(other.stdout, 'data');
      removePrivateDirectory(directory);
      assert.deepEqual(readdirSync(folder), []);
      if (other.exitCode === null) await once(other, 'exit');
    }
  });

  it('of a process that is gone are removed by the next one that makes one', async () => {
    const left = make(`durant-${String(dead())}-abcdef`);
    writeFileSync(join(left, 'askpass.sh'), '');
    const directory = await makePrivateDirectory();
    assert.deepEqual(readdirSync(folder), [directory.slice(folder.length + 1)]);
  });

  it('of others stay: of a process that runs, of one that answers, of other names', async () => {
    const answering = make(`durant-${String(dead())}-abcdef`);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(answering, 's'), resolve));
    const kept = [
      answering,
      make(`durant-${String(process.ppid)}-abcdef`),
      make('durant-demo'),
      make(`durant-${String(dead())}-abcdefg`),
      make(`mydurant-${String(dead())}-abcdef`),
    ];
    await makePrivateDirectory();
    for (const each of kept) assert.ok(existsSync(each), each);
    await new Promise((resolve) => server.close(resolve));
    await makePrivateDirectory();
    assert.equal(existsSync(answering), false);
  });
});
