/** The tools of the other tests: a proxy that does not stall, or a comparison that sees nothing, would make them pass for nothing. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, type Proxy, type ProxyOptions } from './proxy.ts';
import { awkwardFiles, makeRepository } from './repo.ts';
import { assertSameTree, compareTrees, readTree } from './tree.ts';
import { waitFor } from './wait.ts';

describe('support: proxy', () => {
  let echo: Server;
  let proxy: Proxy;
  let client: Socket;
  let received: Buffer[];
  const open = async (options: Omit<ProxyOptions, 'port'> = {}) => {
    proxy = await startProxy({ ...options, port: (echo.address() as AddressInfo).port });
    client = connect(proxy.port, '127.0.0.1');
    client.on('error', () => undefined).on('data', (chunk: Buffer) => received.push(chunk));
    await new Promise((resolve) => client.once('connect', resolve));
  };
  const length = () => Buffer.concat(received).length;
  beforeEach(async () => {
    received = [];
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    client.destroy();
    await proxy.stop();
    await new Promise((resolve) => echo.close(resolve));
  });

  it('passes bytes on, and counts them and the turns', async () => {
    await open();
    for (const turn of [1, 2, 3]) {
      client.write('x'.repeat(1000));
      await waitFor('the echo', () => length() === turn * 1000);
    }
    assert.deepEqual(proxy.bytes, { up: 3000, down: 3000 });
    assert.equal(proxy.turns, 2);
    assert.equal(proxy.connections, 1);
  });

  it('delays, each direction by itself', async () => {
    await open({ delay: { up: 60, down: 40 } });
    const began = performance.now();
    client.write('ping');
    await waitFor('the echo', () => length() === 4);
    assert.ok(performance.now() - began >= 95);
  });

  it('delivers what was delayed before the other side closed', async () => {
    await open({ delay: { down: 50 } });
    client.end('last words');
    await new Promise((resolve) => client.once('close', resolve));
    assert.equal(Buffer.concat(received).toString(), 'last words');
  });

  it('cuts after so many bytes, and refuses from then on', async () => {
    await open();
    proxy.cut({ afterBytes: 1500 });
    client.write('x'.repeat(1000));
    await waitFor('the echo', () => length() === 1000);
    client.write('x'.repeat(1000));
    await new Promise((resolve) => client.once('close', resolve));
    await proxy.broken;
    assert.equal(proxy.bytes.up, 1500);
    const again = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
    await new Promise((resolve) => again.once('close', resolve));
  });

  it('stalls until it is mended, and loses nothing', async () => {
    await open();
    proxy.stall({ afterBytes: 300 });
    client.write('x'.repeat(1000));
    await proxy.broken;
    assert.equal(proxy.bytes.up, 300);
    assert.equal(client.destroyed, false);
    proxy.mend();
    await waitFor('the echo', () => length() === 1000);
  });
});

describe('support: trees', () => {
  it('differ by name, content, mode, link target and, on request, time', () => {
    const repository = makeRepository([{ message: 'all', files: awkwardFiles }]);
    const copy = mkdtempSync(join(tmpdir(), 'copy-'));
    const options = { without: ['.git'] };
    try {
      cpSync(repository.directory, copy, { recursive: true, verbatimSymlinks: true });
      assertSameTree(copy, repository.directory, options);
      assert.ok([...readTree(copy).keys()].includes('latin1-\xe9\xff'));
      writeFileSync(join(copy, 'plain.txt'), 'Plain\n');
      chmodSync(join(copy, 'bin/run'), 0o644);
      rmSync(join(copy, 'link-file'));
      symlinkSync('empty', join(copy, 'link-file'));
      writeFileSync(join(copy, 'more'), '');
      const differences = compareTrees(readTree(copy, options), readTree(repository.directory, options));
      assert.deepEqual(differences.map((line) => line.split(':')[0]).toSorted(), [
        'bin/run',
        'link-file',
        'more',
        'plain.txt',
      ]);
      assert.throws(() => assertSameTree(copy, repository.directory, options));
      utimesSync(join(copy, 'empty'), 1, 1);
      const withTimes = { ...options, mtime: true };
      const later = compareTrees(readTree(copy, withTimes), readTree(repository.directory, withTimes));
      assert.ok(later.some((line) => line.startsWith('empty:')));
    } finally {
      repository.remove();
      rmSync(copy, { recursive: true });
    }
  });
});
