/** How rsync is called and what it says, against the real rsync where that is the judge. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { connectLocal } from '../../src/remote/local.ts';
import {
  parseRsyncVersion,
  rsyncArguments,
  serverArguments,
} from '../../src/transfer/rsync/rsyncArguments.ts';
import { doorVariables, openRsyncDoor } from '../../src/transfer/rsync/rsyncRelay.ts';
import { createRsyncReader, type RsyncReport } from '../../src/transfer/rsync/rsyncOutput.ts';

const call = {
  root: '/tree',
  destination: '/srv/site/incoming',
  basis: undefined,
  shell: ['node'],
  compress: 'no',
} as const;

describe('rsync: arguments', () => {
  it('hands its remote shell over whatever its path holds', () => {
    const shell = [process.execPath, '-e', `require('fs').writeSync(2, 'i"t\\'s ' + process.argv[1])`, '--'];
    const args = rsyncArguments({ ...call, root: '/dev', shell });
    let said = '';
    try {
      execFileSync('rsync', args, { input: '', encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    }
    assert.match(said, /i"t's durant/);
  });

  it('builds on a folder by copies or links, and only then', () => {
    const of = (basis: Parameters<typeof rsyncArguments>[0]['basis']) =>
      rsyncArguments({ ...call, basis }).filter((word) => /-dest=/.test(word));
    assert.deepEqual(of(undefined), []);
    assert.deepEqual(of({ how: 'link', folder: '/srv/site/releases/1' }), [
      '--link-dest=/srv/site/releases/1',
    ]);
    assert.deepEqual(of({ how: 'copy', folder: '/srv/site/releases/1' }), [
      '--copy-dest=/srv/site/releases/1',
    ]);
    assert.ok(rsyncArguments(call).includes('--protect-args'));
  });

  for (const [text, expected] of [
    ['rsync  version 3.5.0  protocol version 32', { kind: 'fit', version: '3.5.0' }],
    ['rsync  version v3.1.3  protocol version 31', { kind: 'fit', version: '3.1.3' }],
    ['rsync  version 3.0.9  protocol version 30', { kind: 'too-old', version: '3.0.9' }],
    ['openrsync: protocol version 29\nrsync version 2.6.9 compatible', { kind: 'too-old', version: '2.6.9' }],
    ['BusyBox v1.36', undefined],
  ] as const)
    it(`knows the version in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseRsyncVersion(text), expected);
    });

  it('starts nothing but a server of rsync’s', () => {
    assert.deepEqual(serverArguments(['durant', 'rsync', '--server', '-s']), ['--server', '-s']);
    assert.equal(serverArguments(['durant', 'rm', '--server']), undefined);
    assert.equal(serverArguments(['durant', 'rsync', '--daemon']), undefined);
  });
});

describe('rsync: output', () => {
  it('is read in pieces of any size', () => {
    const text = Buffer.from(
      '.d..t...... ./\n<f+++++++++ a b\n          4,096  12%    1.00MB/s    0:00:01 (xfr#1)\r         8192 100%\n<fcst...... new\\#012line \\#134#012\ncL+++++++++ link\nrsync: something is wrong\n',
    );
    for (const size of [1, 7, 1000]) {
      const told: RsyncReport[] = [];
      const reader = createRsyncReader((each) => told.push(each));
      for (let at = 0; at < text.length; at += size) reader.write(text.subarray(at, at + size));
      reader.end();
      assert.deepEqual(told, [
        { kind: 'item', path: 'a b' },
        { kind: 'progress', bytes: 4096 },
        { kind: 'progress', bytes: 8192 },
        { kind: 'item', path: 'new\nline \\#012' },
        { kind: 'item', path: 'link' },
        { kind: 'said', text: 'rsync: something is wrong' },
      ]);
    }
  });
});

describe('rsync: the door', () => {
  it('is in a folder of the user’s alone, lets in who knows the token, once, and goes', async () => {
    const signal = new AbortController().signal;
    const address = {
      entry: 'local',
      host: 'localhost',
      user: undefined,
      port: undefined,
      local: true,
      roles: [],
    };
    const connection = await connectLocal({ address, signal });
    const door = await openRsyncDoor({ connection, prelude: '', signal });
    const path = door.env[doorVariables.socket] ?? '';
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    const visit = (token: string, argv: readonly string[]): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        const socket = connect({ path, allowHalfOpen: true });
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.once('error', reject);
        socket.once('close', () => resolve(Buffer.concat(chunks)));
        socket.end(`${JSON.stringify({ token, argv })}\n`);
      });
    const token = door.env[doorVariables.token] ?? '';
    assert.equal((await visit('guess', ['durant', 'rsync', '--server', '--version'])).length, 0);
    assert.equal((await visit(token, ['durant', 'sh', '-c', 'echo in'])).length, 0);
    await visit(token, ['durant', 'rsync', '--server', '--no-such-option']);
    assert.notEqual((await door.served).status, 0);
    await assert.rejects(visit(token, ['durant', 'rsync', '--server']));
    door.close();
    connection.close();
    assert.equal(existsSync(dirname(path)), false);
  });
});
