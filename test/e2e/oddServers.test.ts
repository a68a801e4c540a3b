/** Servers with an environment of their own: no HOME, umask 077, a read-only file system, an empty lock. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canHaveAccounts } from '../support/sshd.ts';
import { removeTree } from '../support/remove.ts';
import { commitVersion } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('a server', function () {
  let world: World;
  afterEach(() => world.remove());

  const errorOf = (result: Awaited<ReturnType<World['run']>>) =>
    finishedOf(result)['error'] as { code: string; message: string };

  it('without HOME is deployed to in the home of its login user, whole life', async function () {
    if (!(await canHaveAccounts())) this.skip();
    world = await makeWorld({
      servers: [{ config: ['ForceCommand exec env -u HOME /bin/sh -c "$SSH_ORIGINAL_COMMAND"'] }],
    });
    for (const client of ['ssh2', 'openssh']) {
      world.configure([`ssh_client = ${client}`, 'after_symlink = echo "$HOME" > ~/told']);
      commitVersion(world, client);
      const result = await world.run(['deploy', 'production']);
      assert.equal(result.status, 0, result.stderr);
      assert.equal(world.read('index.html'), `${client}\n`);
    }
    assert.ok(existsSync(join(world.servers[0]?.home ?? '', 'told')));
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    assert.equal(
      (await world.run(['run', 'production', '--', 'echo ~'])).stdout.split(' ')[1],
      `${world.servers[0]?.home ?? ''}\n`,
    );
  });

  it('with umask 077 is said to hide the site from a web server', async () => {
    world = await makeWorld({
      servers: [{ config: ['ForceCommand umask 077; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'] }],
    });
    const says = /can be entered by the login user alone .*chmod o\+x/;
    const check = await world.run(['check', '--connect', 'production']);
    assert.equal(check.status, 0, check.stderr);
    assert.match(check.stdout, /entered by the login user alone/);
    const first = await world.run(['--json', 'deploy', 'production']);
    assert.equal(first.status, 0, first.stdout);
    const warnings = first.events.filter(({ code }) => code === 'hidden-from-others');
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]?.['message']), says);
    // Once it is there, it may be meant so: a deploy says it no more, a check does.
    commitVersion(world, 'v2');
    const second = await world.run(['--json', 'deploy', 'production']);
    assert.ok(second.events.every(({ code }) => code !== 'hidden-from-others'));
    assert.match((await world.run(['check', '--connect', 'production'])).stdout, /login user alone/);
  });

  it('with a read-only file system is called that, before anything is changed', async function () {
    world = await makeWorld({ servers: [{ seesMounts: true }] });
    const site = world.site();
    mkdirSync(site, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'none', site], { stdio: 'pipe' });
    } catch {
      // Not root, or a container without the right to mount.
      return this.skip();
    }
    try {
      for (const folder of ['~/site', '~/site/below']) {
        world.configure([]);
        const result = await world.run(['--json', 'deploy', 'production']);
        assert.equal(errorOf(result).code, 'path-not-writable', folder);
        assert.match(errorOf(result).message, /read-only file system/);
      }
    } finally {
      execFileSync('umount', ['-l', site]);
    }
  });

  it('with an empty lock says so, and unlock removes it', async () => {
    world = await makeWorld();
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const lock = join(world.site(), '.durant/lock');
    writeFileSync(lock, '');
    commitVersion(world, 'v2');
    const refused = await world.run(['--json', 'deploy', 'production']);
    assert.equal(refused.status, 3);
    assert.equal(errorOf(refused).code, 'locked');
    assert.match(errorOf(refused).message, /does not say who holds it.*durant unlock/);
    assert.equal((await world.run(['unlock', '--force', 'production'])).status, 0);
    assert.equal(existsSync(lock), false);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });

  it('like another is told of together in a dry run; what was rolled back before is remarked', async () => {
    world = await makeWorld({ servers: [{}, {}] });
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    commitVersion(world, 'v2');
    const dry = await world.run(['-n', 'deploy', 'production']);
    const both = world.servers.map(({ entry }) => entry).join(', ');
    for (const what of ['Files', 'Steps'])
      assert.deepEqual(dry.stdout.match(new RegExp(`^${what} on .*$`, 'gm')), [`${what} on ${both}`]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const taken = world.live() ?? '';
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    const remarked = (result: Awaited<ReturnType<World['run']>>) =>
      result.events.flatMap(({ code, message }) => (code === 'taken-back-before' ? [String(message)] : []));
    for (const args of [['-n'], []]) {
      const [message = '', ...more] = remarked(await world.run(['--json', ...args, 'deploy', 'production']));
      assert.match(message, /was rolled back before/);
      assert.ok(message.includes(taken) && message.includes(both), message);
      assert.deepEqual(more, []);
    }
    removeTree(world.site(1));
  });
});
