/** `copy_dirs` where the web server may write: what it plants there leads no deploy out of the project, and stops none. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { canHaveAccounts } from '../support/sshd.ts';
import { makeWorld, type World } from './world.ts';

const SERVERS = [0, 1];
const LOGIN = 4711;
const WEB = 33;

describe('copy_dirs from a folder that the web server writes into', function () {
  let world: World;
  let version = 0;
  const file = (path: string, server: number): string => join(world.site(server), path);
  const outside = (path: string, server: number): string =>
    join(world.servers[server]?.home ?? '', 'outside', path);
  const next = (files: Record<string, string | null>) => {
    version += 1;
    world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n`, ...files } });
  };
  /** Deploys, and has the warnings of what was not copied. */
  const deploy = async () => {
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    return result.events.filter((event) => event['code'] === 'not-copied');
  };
  /** Puts one of the web server's files into the live release. */
  const plant = (path: string, server: number, make: (at: string) => void): void => {
    const at = file(join('current', path), server);
    rmSync(at, { recursive: true, force: true });
    make(at);
    lchownSync(at, WEB, WEB);
  };

  before(async function () {
    if (!(await canHaveAccounts())) this.skip();
    const account = { name: 'deployer', password: 'secret', uid: LOGIN };
    world = await makeWorld({
      servers: [{ account }, { account, tools: 'busybox' }],
      conf: ['copy_dirs = var/cache', 'spare = no'],
    });
    for (const server of SERVERS) {
      mkdirSync(outside('folder', server), { recursive: true });
      for (const path of ['', 'folder', 'file', 'folder/file', 'hard'].map((name) => outside(name, server))) {
        if (!existsSync(path)) writeFileSync(path, 'precious\n');
        chownSync(path, LOGIN, LOGIN);
      }
    }
  });
  after(() => world?.remove());

  const assertUntouched = (): void => {
    for (const server of SERVERS) {
      assert.deepEqual(readdirSync(outside('', server)).toSorted(), ['file', 'folder', 'hard']);
      assert.deepEqual(readdirSync(outside('folder', server)), ['file']);
      for (const path of ['file', 'folder/file', 'hard']) {
        assert.equal(readFileSync(outside(path, server), 'utf8'), 'precious\n', path);
        assert.equal(lstatSync(outside(path, server)).mode & 0o777, 0o644, path);
      }
    }
  };

  it('writes through no link, waits for no pipe, and has what the commit has', async () => {
    next({ 'var/cache/.keep': '' });
    await deploy();
    for (const server of SERVERS) {
      chmodSync(file('current/var/cache', server), 0o777);
      plant('var/cache/file', server, (at) => symlinkSync(outside('file', server), at));
      plant('var/cache/folder', server, (at) => symlinkSync(outside('folder', server), at));
      plant('var/cache/hard', server, (at) => linkSync(outside('hard', server), at));
      chownSync(outside('hard', server), LOGIN, LOGIN);
      plant('var/cache/read-only', server, (at) => mkdirSync(at, { mode: 0o555 }));
      for (const name of ['pipe', 'own-pipe'])
        plant(`var/cache/${name}`, server, (at) => execFileSync('mkfifo', [at]));
      plant('var/cache/device', server, (at) => execFileSync('mknod', [at, 'c', '1', '3']));
      plant('var/cache/theirs', server, (at) => writeFileSync(at, 'theirs\n'));
      plant('var/cache/deep', server, (at) => mkdirSync(at));
      plant('var/cache/deep/root', server, (at) => symlinkSync('/', at));
      const listener = createServer();
      await new Promise<void>((resolve) =>
        listener.listen(file('current/var/cache/socket', server), resolve),
      );
      listener.close();
    }
    const files = {
      'var/cache/file': 'own\n',
      'var/cache/folder/file': 'own\n',
      'var/cache/hard': 'own\n',
      'var/cache/pipe': 'own\n',
      'var/cache/read-only/file': 'own\n',
      'var/cache/deep/root/file': 'own\n',
    };
    next(files);
    await deploy();
    assertUntouched();
    for (const server of SERVERS) {
      for (const path of Object.keys(files))
        assert.equal(readFileSync(file(join('current', path), server), 'utf8'), 'own\n', path);
      assert.equal(readFileSync(file('current/var/cache/theirs', server), 'utf8'), 'theirs\n');
      const names = readdirSync(file('current/var/cache', server));
      for (const name of ['own-pipe', 'device', 'socket']) assert.ok(!names.includes(name), name);
      assert.deepEqual(
        readdirSync(file('.durant', server)).filter((name) => name.startsWith('incoming')),
        [],
      );
    }
  });

  it('copies a link as one, and says what it may not read', async () => {
    for (const server of SERVERS) {
      plant('var/cache/link', server, (at) => symlinkSync(outside('file', server), at));
      plant('var/cache/secret', server, (at) => writeFileSync(at, 'x', { mode: 0o600 }));
      plant('var/cache/closed', server, (at) => mkdirSync(at, { mode: 0o700 }));
    }
    next({ 'var/cache/closed/file': 'own\n' });
    const warnings = await deploy();
    assertUntouched();
    for (const server of SERVERS) {
      assert.equal(readlinkSync(file('current/var/cache/link', server)), outside('file', server));
      assert.equal(readFileSync(file('current/var/cache/theirs', server), 'utf8'), 'theirs\n');
      assert.equal(readFileSync(file('current/var/cache/closed/file', server), 'utf8'), 'own\n');
      assert.ok(!existsSync(file('current/var/cache/secret', server)));
    }
    assert.equal(warnings.length, SERVERS.length);
    for (const { message } of warnings) assert.match(String(message), /var\/cache .*secret/s);
  });

  it('leaves out a folder that is reached through a link, and says so', async () => {
    for (const server of SERVERS) {
      mkdirSync(outside('../linked/cache', server), { recursive: true });
      plant('var', server, (at) => symlinkSync(outside('../linked', server), at));
    }
    next({ 'var/cache/file': 'anew\n' });
    const warnings = await deploy();
    assertUntouched();
    for (const server of SERVERS) {
      assert.equal(readFileSync(file('current/var/cache/file', server), 'utf8'), 'anew\n');
      plant('var/cache', server, (at) => symlinkSync(outside('folder', server), at));
    }
    next({});
    warnings.push(...(await deploy()));
    assertUntouched();
    assert.equal(warnings.length, 4);
    for (const { message } of warnings) assert.match(String(message), /symbolic link/);
  });
});
