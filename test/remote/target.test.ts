/** What every target must do, whichever client leads to it and whatever tools it has. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { quote } from '../../src/remote/shell.ts';
import type { Connection, RemoteResult } from '../../src/remote/target.ts';
import { openCleanArea, type CleanArea } from '../support/clean.ts';
import { allProcesses, endProcesses } from '../support/processes.ts';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import { targetKinds, type Target, type TargetKind } from './targets.ts';

for (const kind of targetKinds)
  describe(`target: ${kind.name}`, function () {
    suite(kind);
  });

function suite(kind: TargetKind): void {
  let area: CleanArea;
  let target: Target;
  let connection: Connection;
  let folder: string;

  before(async () => {
    area = openCleanArea();
    target = await kind.start();
    connection = await target.connect();
    folder = mkdtempSync(join(tmpdir(), 'target-'));
  });
  after(async () => {
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
    await area.finish();
  });
  const nothingRuns = () =>
    waitFor('scripts to be gone', async () => (await target.processes()).length === 0);
  /** What is just starting shows up only when looked at again. */
  const endAll = () =>
    waitFor('scripts to be ended', async () => {
      const left = await target.processes();
      endProcesses(left);
      return left.length === 0;
    });
  const run = (script: string, input?: Readable | Buffer): Promise<RemoteResult> =>
    connection.exec(input === undefined ? { script } : { script, input });

  describe('scripts', () => {
    it('keep their outputs apart', async () => {
      const result = await run('echo out; echo err >&2; echo more');
      assert.equal(result.stdout.toString(), 'out\nmore\n');
      assert.equal(result.stderr.toString(), 'err\n');
      assert.equal(result.status, 0);
    });

    const statuses: readonly [string, number][] = [
      ['exit 0', 0],
      ['false', 1],
      ['exit 7', 7],
      ['exit 255', 255],
      ['no-such-command-anywhere', 127],
      ["sh -c 'kill -9 $$'", 137],
      ["sh -c 'kill -TERM $$'", 143],
      ['set -e; false; echo unreached', 1],
      ['echo x; exec sh -c "exit 4"', 4],
      ['kill -9 $$', kind.killedStatus],
    ];
    for (const [script, status] of statuses)
      it(`end with status ${status}: ${script}`, async () => {
        assert.equal((await run(script)).status, status);
      });

    it('may hold any text', async () => {
      const words = [
        '',
        'grüße 日本',
        `it's "quoted" $HOME \`x\` \\ ! % #`,
        'two\nlines\n',
        '-n',
        '\x1e\x7f',
      ];
      for (const word of words) assert.equal((await run(`printf %s ${quote(word)}`)).stdout.toString(), word);
    });

    it('may be long', async () => {
      const lines = Array.from({ length: 3000 }, (_, index) => `# line ${index} of a long script`);
      assert.equal((await run([...lines, 'echo end'].join('\n'))).stdout.toString(), 'end\n');
    });

    it('show no secret on any command line', async () => {
      const secret = `hunter2-${randomBytes(8).toString('hex')}`;
      const gate = join(folder, 'gate');
      const running = run(
        `secret=${quote(secret)}; while [ ! -e ${quote(gate)} ]; do sleep 0.1; done; printf %s "$secret" | cat`,
      );
      await waitFor('the script to run', async () =>
        (await target.processes()).some((found) => found.command === 'sleep 0.1'),
      );
      const shown = (await allProcesses()).filter((found) => found.command.includes(secret));
      writeFileSync(gate, '');
      assert.equal((await running).stdout.toString(), secret);
      assert.deepEqual(shown, []);
    });

    it('start in the home folder of the login user', async () => {
      assert.equal((await run('[ "$(pwd -P)" = "$(cd "$HOME" && pwd -P)" ]')).status, 0);
      assert.equal(connection.user, target.user);
    });
  });

  describe('input', () => {
    it('is empty where there is none', async () => {
      assert.equal((await run('cat; echo end')).stdout.toString(), 'end\n');
    });

    it('follows the script exactly, whoever reads it', async () => {
      const result = await run(
        'IFS= read -r first; printf "<%s>" "$first"; cat',
        Buffer.from('one\ntwo\nthree'),
      );
      assert.equal(result.stdout.toString(), '<one>two\nthree');
    });

    it('arrives byte for byte', async () => {
      const bytes = randomBytes(300_000);
      const result = await run('cat', bytes);
      assert.ok(result.stdout.equals(bytes));
    });

    it('may be left unread', async () => {
      assert.equal((await run('exit 3', Readable.from(blocks(64)))).status, 3);
    });

    it('is taken no faster than it is read, and megabytes of it need no memory', async () => {
      const gate = join(folder, 'read-now');
      const produced = { bytes: 0 };
      const hash = createHash('sha256');
      const input = Readable.from(blocks(400, produced, hash));
      const before = process.memoryUsage().rss;
      let most = 0;
      const measuring = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss - before);
      }, 20);
      const running = run(
        `while [ ! -e ${quote(gate)} ]; do sleep 0.1; done; if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi`,
        input,
      );
      let last = -1;
      let same = 0;
      await waitFor('the input to be held back', () => {
        same = produced.bytes === last && last > 0 ? same + 1 : 0;
        last = produced.bytes;
        return same > 15;
      });
      assert.ok(produced.bytes < 8_000_000, `${produced.bytes} bytes were taken before anybody read`);
      writeFileSync(gate, '');
      const result = await running;
      clearInterval(measuring);
      assert.equal(result.stdout.toString().split(' ')[0], hash.digest('hex'));
      assert.equal(produced.bytes, 400 * 65_536);
      assert.ok(most < 100_000_000, `memory grew by ${most} bytes`);
    });

    it('that breaks ends the script and is reported', async () => {
      const input = new Readable({ read: () => undefined });
      input.push('first');
      const running = run('cat >/dev/null; echo complete', input);
      input.destroy(new Error('disk on fire'));
      await assert.rejects(running, /disk on fire/);
      await nothingRuns();
    });
  });

  describe('output', () => {
    it('may be any bytes', async () => {
      const result = await run("printf '\\377\\000\\036a\\200\\n\\n'");
      assert.deepEqual([...result.stdout], [0xff, 0, 0x1e, 0x61, 0x80, 0x0a, 0x0a]);
    });

    it('may be large, and is then handed over as it comes', async () => {
      let bytes = 0;
      const before = process.memoryUsage().rss;
      const result = await connection.exec({
        script: 'head -c 40000000 /dev/zero; echo; echo end',
        onOutput: (stream, chunk) => {
          assert.equal(stream, 'stdout');
          bytes += chunk.length;
        },
      });
      assert.equal(bytes, 40_000_005);
      // Of the last 64 KiB, what begins with a line: half a secret could not be masked.
      assert.equal(result.stdout.toString(), 'end\n');
      assert.ok(process.memoryUsage().rss - before < 100_000_000);
    });

    it('is complete even where a child holds it open', async () => {
      const result = await run('(sleep 1000) & echo answer; echo problem >&2');
      assert.equal(result.stdout.toString(), 'answer\n');
      assert.equal(result.stderr.toString(), 'problem\n');
      await endAll();
    });
  });

  describe('ending', () => {
    for (const [what, script] of [
      ['what has read all its input', 'cat >/dev/null; echo started; sleep 1000 & sleep 1000'],
      ['what ignores TERM', "trap '' TERM; echo started; while :; do sleep 1000; done"],
    ] as const)
      it(`by abort reaches the whole group: ${what}`, async () => {
        const abort = new AbortController();
        const running = connection.exec({
          script,
          signal: abort.signal,
          onOutput: () => abort.abort(),
        });
        await assert.rejects(running, { code: 'cancelled' });
        await nothingRuns();
      });

    it('by abort before it began', async () => {
      await assert.rejects(connection.exec({ script: 'sleep 1000', signal: AbortSignal.abort() }), {
        code: 'cancelled',
      });
      await nothingRuns();
    });

    it('by time', async () => {
      await assert.rejects(connection.exec({ script: 'sleep 1000 | cat', timeoutMs: 200 }), {
        code: 'timeout',
      });
      await nothingRuns();
    });

    it('leaves what was detached alone', async () => {
      const own = await target.connect();
      await own.exec({ script: 'sleep 1000 </dev/null >/dev/null 2>&1 & echo ok' });
      own.close();
      const left = await waitFor('only the detached process to be left', async () => {
        const found = await target.processes();
        return found.length === 1 && found[0]?.command === 'sleep 1000' ? found : undefined;
      });
      endProcesses(left);
      await nothingRuns();
    });
  });

  describe('connections', () => {
    it('take many scripts at once', async () => {
      const limited = await kind.start({ maxSessions: 3 });
      try {
        const own = await limited.connect();
        const count = kind.client === 'openssh, separate connections' ? 8 : 20;
        const results = await Promise.all(
          Array.from({ length: count }, (_, index) =>
            own.exec({ script: `sleep 0.1; cat; echo ${index}`, input: Buffer.from('in ') }),
          ),
        );
        assert.deepEqual(
          results.map((result) => result.stdout.toString()),
          results.map((_, index) => `in ${index}\n`),
        );
      } finally {
        await limited.stop();
      }
    });

    it('end what hangs even where the server has no session left', async () => {
      const limited = await kind.start({ maxSessions: 1 });
      try {
        const own = await limited.connect();
        const abort = new AbortController();
        const running = own.exec({
          script: 'echo started; sleep 1000',
          signal: abort.signal,
          onOutput: () => abort.abort(),
        });
        await assert.rejects(running, { code: 'cancelled' });
        await waitFor('it to be gone', async () => (await limited.processes()).length === 0);
        assert.equal((await own.exec({ script: 'exit 9' })).status, 9);
      } finally {
        await limited.stop();
      }
    });

    it('that are cut are lost, at once and from then on', async () => {
      const { server } = target;
      // Who is not in known_hosts is not kept; e2e/keepConnection cuts the line of one who is.
      if (!server || kind.client === 'kept') return;
      const proxy = await startProxy({ port: server.port });
      try {
        const address = { ...connection.address, port: proxy.port };
        const own = await target.connect({ address, hostKeyChecking: 'accept-new' });
        const running = own.exec({ script: 'echo started; sleep 1000', onOutput: () => proxy.cut() });
        await assert.rejects(running, { code: 'connection-lost' });
        await assert.rejects(own.exec({ script: 'echo again' }), (error: { code?: string }) =>
          kind.client === 'openssh, separate connections'
            ? error.code === 'host-unreachable'
            : error.code === 'connection-lost',
        );
        own.close();
      } finally {
        await proxy.stop();
        await endAll();
      }
    });

    it('lead to ports of the server', async () => {
      const site = createServer((_, response) => response.end('hello from behind'));
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
      const { port } = site.address() as AddressInfo;
      try {
        const stream = await connection.forward('127.0.0.1', port);
        assert.ok(stream);
        stream.write('GET / HTTP/1.1\r\nHost: behind\r\nConnection: close\r\n\r\n');
        const answer = await stream.setEncoding('utf8').toArray();
        assert.match(answer.join(''), /hello from behind/);
      } finally {
        site.closeAllConnections();
        await new Promise((resolve) => site.close(resolve));
      }
    });

    it('say where nothing listens', async () => {
      if (kind.client === 'openssh, separate connections') return;
      await assert.rejects(connection.forward('127.0.0.1', 1), { code: 'host-unreachable' });
    });

    it('rename over a link in one step', async () => {
      const { posixRename } = connection;
      if (!posixRename) return assert.equal(kind.sftp, false);
      symlinkSync('old', join(folder, 'current'));
      symlinkSync('new', join(folder, 'next'));
      const renaming = posixRename(join(folder, 'next'), join(folder, 'current'));
      if (!kind.sftp) return assert.rejects(renaming, { code: 'switch-unsupported' });
      await renaming;
      assert.equal(readlinkSync(join(folder, 'current')), 'new');
      await assert.rejects(posixRename(join(folder, 'missing'), join(folder, 'current')));
      assert.equal(readlinkSync(join(folder, 'current')), 'new');
    });

    it('close more than once, and fail what still runs', async () => {
      const own = await target.connect();
      const ended = new AbortController();
      const running = own.exec({ script: 'echo started; sleep 1000', onOutput: () => ended.abort() });
      const failed = assert.rejects(running, { code: 'connection-lost' });
      await waitFor('the script to run', () => ended.signal.aborted);
      own.close();
      own.close();
      await failed;
      await assert.rejects(own.exec({ script: 'true' }), { code: 'connection-lost' });
      await endAll();
    });
  });
}

/** Blocks of 64 KiB, counted and hashed as they are taken. */
function* blocks(
  count: number,
  produced = { bytes: 0 },
  hash = createHash('sha256'),
): Generator<Buffer, void> {
  const block = randomBytes(65_536);
  for (let index = 0; index < count; index += 1) {
    block.writeUInt32BE(index);
    const copy = Buffer.from(block);
    produced.bytes += copy.length;
    hash.update(copy);
    yield copy;
  }
}
