/** `transfer: rsync`: the releases it makes, through either client, against system and local servers; and what it refuses. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertSameTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { assertGone } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const changed = {
  'index.html': 'version 2\n',
  'new\nname': 'added\n',
  plain: { link: 'index.html' },
  'bin/run': '#!/bin/sh\necho run\n',
  'plain.txt': null,
  empty: { content: '', executable: true },
};

/** A program of the PATH that the world's commands are run with. */
function toolOf({ home }: World, tool: string): string {
  const files = (home.env['PATH'] ?? '').split(':').map((folder) => join(folder, tool));
  return files.find((file) => existsSync(file)) ?? tool;
}

describe('transfer: rsync', function () {
  describe('over ssh', () => {
    let byRsync: World;
    let byStream: World;
    before(async () => {
      byRsync = await makeWorld({ servers: [{}, {}], conf: ['transfer = rsync', 'spare = no'] });
      byStream = await makeWorld({ conf: ['transfer = stream', 'spare = no'] });
    });
    after(() => Promise.all([byRsync.remove(), byStream.remove()]));

    const assertEqual = (): void => {
      for (const server of [0, 1])
        assertSameTree(join(byRsync.site(server), 'current'), join(byStream.site(), 'current'), {
          mtime: true,
          without: ['REVISION'],
        });
    };

    it('makes the release that the stream makes', async () => {
      const result = await byRsync.run(['--json', 'deploy', 'production']);
      assert.equal(result.status, 0, result.stdout);
      assert.equal((await byStream.run(['deploy', 'production'])).status, 0);
      assertEqual();
      const added = result.events.filter(
        (event) => event['event'] === 'change' && event['server'] === byRsync.servers[0]?.entry,
      );
      assert.ok(added.some((event) => event['path'] === 'new\nline' && event['kind'] === 'added'));
      assert.ok(added.some((event) => event['path_base64'] !== undefined));
      assert.ok(
        result.events.some((event) => event['event'] === 'transfer' && Number(event['bytes']) > 4000),
      );
    });

    it('makes a link of one that git checked out as a file', async () => {
      for (const world of [byRsync, byStream]) {
        // As git does by itself on Windows.
        world.configure([
          `transfer = ${world === byRsync ? 'rsync' : 'stream'}`,
          'spare = no',
          'env = GIT_CONFIG_COUNT=2, GIT_CONFIG_KEY_0=core.symlinks, GIT_CONFIG_VALUE_0=false, GIT_CONFIG_KEY_1=core.filemode, GIT_CONFIG_VALUE_1=false',
        ]);
        world.repository.commit({
          message: 'Links and modes',
          files: { logo: { link: 'plain.txt' }, tool: { content: 'x', executable: true } },
        });
        const result = await world.run(['--json', 'deploy', 'production']);
        assert.equal(result.status, 0, result.stdout);
        assert.equal(readlinkSync(join(world.site(), 'current/logo')), 'plain.txt');
        assert.equal(statSync(join(world.site(), 'current/tool')).mode & 0o777, 0o755);
      }
      assertEqual();
    });

    it('finds it live again', async () => {
      const again = finishedOf(await byRsync.run(['--json', 'deploy', 'production']));
      assert.deepEqual(
        (again['servers'] as { state: string }[]).map(({ state }) => state),
        ['unchanged', 'unchanged'],
      );
    });

    it('sends a change, reports it as the stream’s dry run does, and mends drift', async () => {
      for (const world of [byRsync, byStream]) {
        world.repository.commit({ message: 'Second', files: changed });
        for (const server of world.servers.keys())
          writeFileSync(join(world.site(server), 'current/kept/same.txt'), 'SAME\n');
      }
      const shown = (await byStream.run(['--json', '-n', 'deploy', 'production'])).events;
      const result = await byRsync.run(['--json', 'deploy', 'production']);
      assert.equal(result.status, 0, result.stdout);
      const list = (events: typeof shown, entry = '') =>
        events
          .filter((event) => event['event'] === 'change' && event['server'] === entry)
          .map((event) => `${event['kind']} ${event['path']} ${event['bytes']}`)
          .toSorted();
      assert.deepEqual(
        list(result.events, byRsync.servers[1]?.entry),
        list(shown, byStream.servers[0]?.entry),
      );
      const drift = result.events.filter((event) => event['code'] === 'drift');
      assert.deepEqual(
        drift.map((event) => event['server']).toSorted(),
        byRsync.servers.map(({ entry }) => entry).toSorted(),
      );
      assert.equal((await byStream.run(['deploy', 'production'])).status, 0);
      assertEqual();
      assert.equal(byRsync.read('kept/same.txt'), 'same\n');
    });

    it('hard-links what did not change where unchanged is link', async () => {
      byRsync.configure(['transfer = rsync', 'unchanged = link', 'ssh_client = openssh']);
      byRsync.repository.commit({ message: 'Third', files: { 'index.html': 'version 3\n' } });
      const before = byRsync.live() ?? '';
      const result = await byRsync.run(['deploy', 'production']);
      assert.equal(result.status, 0, result.stderr);
      const inode = (release: string, path: string) =>
        statSync(join(byRsync.site(), 'releases', release, path)).ino;
      const live = byRsync.live() ?? '';
      assert.equal(inode(live, 'kept/same.txt'), inode(before, 'kept/same.txt'));
      assert.notEqual(inode(live, 'index.html'), inode(before, 'index.html'));
      assert.equal(
        readFileSync(join(byRsync.site(), 'releases', before, 'index.html'), 'utf8'),
        'version 2\n',
      );
      assert.equal(byRsync.read('index.html', 1), 'version 3\n');
    });

    it('leaves nothing behind where it is cancelled', async () => {
      byRsync.configure(['transfer = rsync', 'before_symlink = sleep 100']);
      byRsync.repository.commit({ message: 'Fourth', files: { 'index.html': 'version 4\n' } });
      const run = byRsync.start(['--json', 'deploy', 'production']);
      await run.waitForEvent((event) => event['event'] === 'command');
      run.interrupt();
      assert.equal((await run.result).status, 130);
      assert.equal(byRsync.read('index.html', 1), 'version 3\n');
      await byRsync.home.quiet();
    });
  });

  describe('of a large file', () => {
    let world: World;
    const content = randomBytes(24e6);
    before(async () => {
      world = await makeWorld({
        line: 'proxied',
        conf: ['transfer = rsync', 'spare = no'],
        commits: [{ message: 'Large', files: { 'large.bin': content } }],
      });
    });
    after(() => world.remove());

    it('ends everything on both ends when it is cancelled half way', async () => {
      const [proxy] = world.proxies;
      proxy?.stall({ afterBytes: 3e6 });
      const run = world.start(['--json', 'deploy', 'production']);
      await proxy?.broken;
      run.interrupt();
      proxy?.mend();
      assert.equal((await run.result).status, 130);
      await assertGone(world, /rsync/);
      await world.home.quiet();
      assert.deepEqual(world.releases(), []);
      assert.deepEqual(
        readdirSync(join(world.site(), '.durant')).filter((name) => /incoming|lock/.test(name)),
        [],
      );
    });

    it('leaves nothing on this machine where the client is killed half way', async () => {
      const [proxy] = world.proxies;
      const temporary = mkdtempSync(join(tmpdir(), 'durant-kill-'));
      try {
        proxy?.stall({ afterBytes: 3e6 });
        const run = world.start(['--json', 'deploy', 'production'], { env: { TMPDIR: temporary } });
        await proxy?.broken;
        assert.ok((await world.home.leftovers()).some(({ command }) => command.includes('rsync')));
        run.kill();
        await run.result;
        proxy?.mend();
        await waitFor('rsync to end here', async () => (await world.home.leftovers()).length === 0);
        assert.deepEqual(readdirSync(temporary), []);
      } finally {
        proxy?.mend();
        rmSync(temporary, { recursive: true, force: true });
      }
    });

    it('is byte for byte what was sent, and a small change of it travels small', async () => {
      const [proxy] = world.proxies;
      assert.equal((await world.run(['deploy', 'production'])).status, 0);
      assert.ok(readFileSync(join(world.site(), 'current/large.bin')).equals(content));
      const changed = Buffer.concat([content.subarray(0, 9e6), Buffer.from('!'), content.subarray(9e6)]);
      world.repository.commit({ message: 'Changed', files: { 'large.bin': changed } });
      const before = proxy?.bytes.up ?? 0;
      assert.equal((await world.run(['deploy', 'production'])).status, 0);
      assert.ok(readFileSync(join(world.site(), 'current/large.bin')).equals(changed));
      assert.ok((proxy?.bytes.up ?? 0) - before < 2e6, 'rsync sends what differs');
    });

    it('travels small with auto, too, and whole where there is no rsync', async () => {
      world.configure(['spare = no']);
      const sent = async (name: string, env: Readonly<Record<string, string>> = {}): Promise<number> => {
        const changed = Buffer.concat([Buffer.from(name), content.subarray(0, 6e6)]);
        world.repository.commit({ message: name, files: { 'large.bin': changed, [name]: name } });
        const before = world.proxies[0]?.bytes.up ?? 0;
        const result = await world.run(['--json', 'deploy', 'production'], { env });
        assert.equal(result.status, 0, result.stdout);
        assert.ok(readFileSync(join(world.site(), 'current/large.bin')).equals(changed));
        assert.ok(!result.events.some(({ event }) => event === 'change'));
        return (world.proxies[0]?.bytes.up ?? 0) - before;
      };
      assert.ok((await sent('with')) < 2e6, 'rsync sends what differs');
      const tools = join(world.project, 'without-rsync');
      mkdirSync(tools);
      for (const tool of ['git', 'ssh', 'sh', 'test']) symlinkSync(toolOf(world, tool), join(tools, tool));
      assert.ok((await sent('without', { PATH: tools })) > 5e6, 'the stream sends it whole');
    });
  });

  it('works with this machine as the server', async () => {
    const world = await makeWorld({ servers: [] });
    try {
      world.configure(['transfer = rsync'], ['local']);
      const result = await world.run(['deploy', 'production']);
      assert.equal(result.status, 0, result.stderr);
      assertSameTree(join(world.home.directory, 'site/current'), world.repository.directory, {
        without: ['.git', 'REVISION'],
        folderModes: 'ignore',
      });
    } finally {
      await world.remove();
    }
  });

  describe('an end without a fitting rsync', () => {
    let world: World;
    before(async () => {
      world = await makeWorld({ servers: [{}, { tools: 'busybox' }], conf: ['transfer = rsync'] });
    });
    after(() => world.remove());

    it('is an error before anything happens: none on a server', async () => {
      for (const args of [['deploy'], ['-n', 'deploy']]) {
        const result = await world.run(['--json', ...args, 'production']);
        assert.equal(result.status, 1);
        const error = finishedOf(result)['error'] as Record<string, unknown>;
        assert.equal(error['code'], 'tool-missing');
        assert.match(String(error['message']), /rsync/);
        assert.equal(world.live(), undefined);
      }
      const check = await world.run(['--json', 'check', '--connect', 'production']);
      assert.equal(check.status, 1);
      const assessments = JSON.parse(check.stdout).assessments as { step: string; ok: boolean }[];
      assert.deepEqual(
        assessments.filter(({ step }) => step === 'update_code').map(({ ok }) => ok),
        [true, false],
      );
    });

    it('is an error before anything happens: an old one, or none, here', async () => {
      const bin = join(world.project, 'bin');
      mkdirSync(bin);
      writeFileSync(
        join(bin, 'rsync'),
        '#!/bin/sh\necho "openrsync: protocol version 29"; echo "rsync version 2.6.9 compatible"\n',
      );
      chmodSync(join(bin, 'rsync'), 0o755);
      const old = await world.run(['--json', 'deploy', 'production'], {
        env: { PATH: `${bin}:${world.home.env['PATH'] ?? ''}` },
      });
      const error = finishedOf(old)['error'] as Record<string, unknown>;
      assert.equal(error['code'], 'local-tool-missing');
      assert.match(String(error['message']), /2\.6/);

      const tools = join(world.project, 'tools');
      mkdirSync(tools);
      for (const tool of ['git', 'ssh', 'sh', 'test']) symlinkSync(toolOf(world, tool), join(tools, tool));
      const none = await world.run(['--json', 'deploy', 'production'], { env: { PATH: tools } });
      assert.equal((finishedOf(none)['error'] as Record<string, unknown>)['code'], 'local-tool-missing');
    });
  });
});
