/** `writable_dirs` in each of its modes, on a server whose login user is not root and on one with a sudo that asks for nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canHaveAccounts } from '../support/sshd.ts';
import { startNamed } from '../support/namedProcess.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const UID = 4711;

function acl(path: string): string[] {
  return execFileSync('getfacl', ['-cpn', path], { encoding: 'utf8' }).trim().split('\n');
}

describe('writable_dirs', function () {
  let world: World;
  let tools: string;
  let version = 0;
  const file = (path: string, server = 0): string => join(world.site(server), path);
  const deploy = async (...lines: string[]) => {
    version += 1;
    world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n` } });
    world.configure(lines);
    return world.run(['--json', 'deploy', 'production']);
  };
  const assertDone = (result: Awaited<ReturnType<typeof deploy>>): void =>
    assert.equal(result.status, 0, result.stdout);
  const errorOf = (result: Awaited<ReturnType<typeof deploy>>): { code: string; message: string } =>
    finishedOf(result)['error'] as { code: string; message: string };

  before(async function () {
    if (!(await canHaveAccounts())) {
      // Only root can make the account that these tests log in as.
      this.skip();
    }
    tools = mkdtempSync(join(tmpdir(), 'durant-sudo-'));
    writeFileSync(
      join(tools, 'sudo'),
      `#!/bin/sh\n[ "$1" = -n ] || { echo 'sudo: a password is required' >&2; exit 1; }\nshift; echo "$*" >> ${tools}/log; exec "$@"\n`,
      { mode: 0o755 },
    );
    world = await makeWorld({
      servers: [
        { account: { name: 'deployer', password: 'secret', uid: UID } },
        { path: `${tools}:/usr/bin:/bin:/usr/sbin:/sbin` },
      ],
    });
    world.repository.commit({
      message: 'v0',
      files: { 'var/cache/.keep': 'x\n', 'var/link': { link: 'cache' }, out: { link: '/tmp' } },
    });
  });
  after(async () => {
    if (tools === undefined) return;
    await world.remove();
    rmSync(tools, { recursive: true, force: true });
  });

  it('skip makes the folders only', async () => {
    assertDone(await deploy('writable_dirs = var/cache, var/new', 'writable_mode = skip'));
    assert.equal(statSync(file('current/var/new')).mode & 0o777, 0o755);
    assert.equal(acl(file('current/var/new')).length, 3);
  });

  it('chmod', async () => {
    assertDone(await deploy('writable_dirs = var', 'writable_mode = chmod', 'writable_chmod_mode = 0775'));
    assert.equal(statSync(file('current/var')).mode & 0o777, 0o775);
    assert.equal(statSync(file('current/var/cache/.keep')).mode & 0o777, 0o644);
    assertDone(
      await deploy(
        'writable_dirs = var',
        'writable_mode = chmod',
        'writable_chmod_mode = 0775',
        'writable_recursive = yes',
      ),
    );
    assert.equal(statSync(file('current/var/cache/.keep')).mode & 0o777, 0o775);
    assert.equal(statSync(file('current/var/cache')).mode & 0o777, 0o775);
  });

  for (const mode of ['chmod', 'acl'] as const)
    it(`${mode} leaves what the web server wrote as it is, but the folder itself has to be made writable`, async () => {
      const folder = `${mode}-files`;
      const lines = [
        `writable_dirs = ${folder}`,
        `shared_dirs = ${folder}`,
        `writable_mode = ${mode}`,
        'writable_recursive = yes',
        'http_user = www-data',
      ];
      assertDone(await deploy(...lines));
      const log = file(`shared/${folder}/theirs.log`);
      writeFileSync(log, '', { mode: 0o640 });
      chownSync(log, 33, 33);
      assertDone(await deploy(...lines));
      assert.equal(statSync(log).mode & 0o777, 0o640);
      const foreign = file(`shared/${folder}-2`);
      mkdirSync(foreign);
      chownSync(foreign, 33, 33);
      const refused = await deploy(...lines.map((line) => line.replace(folder, `${folder}-2`)));
      assert.equal(errorOf(refused).code, 'permission-denied', refused.stdout);
      assert.match(errorOf(refused).message, /writable_use_sudo/);
    });

  it('acl, the default one too, and once more nothing', async () => {
    const lines = ['writable_dirs = var/cache, uploads', 'shared_dirs = uploads', 'http_user = www-data'];
    for (const path of [file('shared/uploads'), file('shared/uploads/theirs')])
      mkdirSync(path, { recursive: true });
    chownSync(file('shared'), UID, UID);
    chownSync(file('shared/uploads'), UID, UID);
    // The web server made this one: the login user cannot change it, and need not.
    chownSync(file('shared/uploads/theirs'), 33, 33);
    assertDone(await deploy(...lines, 'writable_recursive = yes'));
    for (const path of ['current/var/cache', 'shared/uploads']) {
      const entries = acl(file(path));
      for (const entry of [
        'user:33:rwx',
        `user:${UID}:rwx`,
        'default:user:33:rwx',
        `default:user:${UID}:rwx`,
      ])
        assert.ok(entries.includes(entry), `${path}: ${entries.join(' ')}`);
    }
    assert.ok(acl(file('current/var/cache/.keep')).includes('user:33:rw-'));
    const before = statSync(file('shared/uploads')).ctimeMs;
    assertDone(await deploy(...lines));
    assert.equal(statSync(file('shared/uploads')).ctimeMs, before);
  });

  for (const mode of ['chgrp', 'sticky'] as const)
    it(mode, async () => {
      const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
      world.configure([]);
      const result = await deploy(
        'writable_dirs = var',
        `writable_mode = ${mode}`,
        `http_group = ${group}`,
        'writable_use_sudo = no',
      );
      // Only root, on the second server, may give files to a group that it is not in.
      assert.equal(errorOf(result).code, 'permission-denied', result.stdout);
      assert.match(errorOf(result).message, /writable_use_sudo/);
      const one = world.servers[1]?.entry ?? '';
      const alone = await world.run(['--json', 'deploy', '--server', one, 'production']);
      assertDone(alone);
      const bits = statSync(file('current/var', 1)).mode & 0o7777;
      assert.equal(bits, mode === 'sticky' ? 0o2775 : 0o775);
      if (mode === 'sticky') assert.equal(statSync(file('current/var/cache/.keep', 1)).mode & 0o777, 0o664);
    });

  it('chown with sudo, which never asks', async () => {
    const result = await deploy(
      'writable_dirs = var',
      'writable_mode = chown',
      'writable_use_sudo = yes',
      'writable_recursive = yes',
      'http_user = www-data',
    );
    assert.equal(result.status, 1, 'the first server has no sudo');
    const one = world.servers[1]?.entry ?? '';
    assertDone(await world.run(['--json', 'deploy', '--server', one, 'production']));
    assert.equal(statSync(file('current/var/cache/.keep', 1)).uid, 33);
    assert.equal(statSync(file('current/index.html', 1)).uid, 0);
    assert.match(readFileSync(join(tools, 'log'), 'utf8'), /^sh -c/m);
  });

  for (const [mode, lines] of [
    ['skip', ['writable_mode = skip']],
    ['chmod', ['writable_mode = chmod', 'writable_recursive = yes', 'writable_chmod_mode = 0775']],
    ['acl', ['writable_recursive = yes', 'http_user = www-data']],
    ['chown', ['writable_mode = chown', 'writable_use_sudo = yes', 'http_user = www-data']],
  ] as const)
    it(`${mode} twice: unchanged nothing is done, once more the same is made`, async () => {
      const servers = mode === 'chown' ? [1] : [0, 1];
      const only = mode === 'chown' ? ['--server', world.servers[1]?.entry ?? ''] : [];
      const run = (...args: string[]) => world.run(['--json', 'deploy', ...args, ...only, 'production']);
      const rights = (path: string, server: number) => {
        const { mode: bits, uid, gid } = statSync(file(path, server));
        return [bits & 0o7777, uid, gid, acl(file(path, server))];
      };
      const paths = ['var', 'var/cache', 'var/cache/.keep', 'var/made', 'uploads', 'index.html'];
      const look = () => servers.map((server) => paths.map((path) => rights(join('current', path), server)));
      const touched = () =>
        servers.map((server) =>
          [...paths.map((path) => join('current', path)), 'shared/uploads'].map(
            (path) => statSync(file(path, server)).ctimeMs,
          ),
        );
      const asRoot = () => (existsSync(join(tools, 'log')) ? readFileSync(join(tools, 'log'), 'utf8') : '');
      // Of an earlier test: without sudo chmod refuses, as it should, what the web server owns.
      for (const server of servers)
        rmSync(file('shared/uploads/theirs', server), { recursive: true, force: true });
      version += 1;
      world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n` } });
      world.configure([
        'writable_dirs = var, var/made, uploads',
        'shared_dirs = uploads',
        // A spare is made of the live release, but changes nothing of it.
        'spare = no',
        ...lines,
      ]);
      assertDone(await run());
      const [before, since, commands] = [look(), touched(), asRoot()];

      const again = await run();
      assertDone(again);
      assert.ok(!again.events.some((event) => event['step'] === 'writable' && event['state'] === 'done'));
      assert.deepEqual(touched(), since);
      assert.equal(asRoot(), commands);

      const anew = await run('--again');
      assertDone(anew);
      assert.ok(anew.events.some((event) => event['step'] === 'writable' && event['state'] === 'done'));
      assert.deepEqual(look(), before);
      // What has the rights already, as the shared folder does, is left alone.
      if (mode === 'acl' || mode === 'skip')
        assert.deepEqual(
          touched().map((times) => times.at(-1)),
          since.map((times) => times.at(-1)),
        );
    });

  it('refuses links, with sudo and without', async () => {
    for (const sudo of ['yes', 'no'])
      for (const path of ['out', 'out/durant-never', 'var/link/sub']) {
        const result = await deploy(
          `writable_dirs = ${path}`,
          'writable_mode = chmod',
          `writable_use_sudo = ${sudo}`,
        );
        assert.equal(result.status, 1);
        assert.match(errorOf(result).message, /symbolic link/, path);
        assert.equal(existsSync('/tmp/durant-never'), false);
      }
  });

  it('takes for the web server what root runs as one, not what a stranger calls so, and says whose user it is', async () => {
    const stranger = await startNamed('nginx', 65534);
    const server = await startNamed('nginx', 1, 'with a master of root');
    try {
      const one = world.servers[1]?.entry ?? '';
      version += 1;
      world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n` } });
      world.configure(['writable_dirs = var']);
      const result = await world.run(['--json', 'deploy', '--server', one, 'production']);
      assertDone(result);
      const said = result.events.filter((event) => event['event'] === 'output').map((event) => event['line']);
      assert.deepEqual(said, ['writable for daemon: nginx runs as that user']);
      const entries = acl(file('current/var', 1));
      assert.ok(entries.includes('user:1:rwx'), entries.join(' '));
    } finally {
      await server.stop();
      await stranger.stop();
    }
  });
});
