/** What a cleanup may not remove, and what it cannot. */
import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { canHaveAccounts } from '../support/sshd.ts';
import { commitVersion } from './faultsSupport.ts';
import { makeWorld, type World } from './world.ts';

const trash = (world: World) =>
  readdirSync(join(world.site(), '.durant')).filter((name) => name.startsWith('trash.'));
const cleanup = (result: CliResult) =>
  result.events.find((event) => event['step'] === 'cleanup' && event['state'] === 'done')?.['reason'];
const warning = (result: CliResult) =>
  result.events.find((event) => event['code'] === 'cleanup-failed')?.['message'] as string | undefined;

describe('cleanup', function () {
  let world: World;
  let version = 0;
  afterEach(() => world.remove());

  const deploy = (...lines: readonly string[]) => deployKeeping(1, ...lines);
  async function deployKeeping(keep: number, ...lines: readonly string[]): Promise<CliResult> {
    commitVersion(world, `v${++version}`);
    world.configure(['spare = no', `keep_releases = ${keep}`, ...lines]);
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    return result;
  }

  /** A release that the login user cannot remove: the web server made a folder in it. Two more deploys make it an old one. */
  async function makeUnremovable(): Promise<string> {
    await deploy();
    const name = world.live() ?? '';
    const folder = join(world.site(), 'releases', name, 'cache');
    mkdirSync(folder);
    writeFileSync(join(folder, 'page'), '');
    return name;
  }

  it('what cannot be removed fails no run, is named each time, and is not called removed', async function () {
    if (!(await canHaveAccounts())) this.skip();
    world = await makeWorld({ servers: [{ account: { name: 'deployer', password: 'secret', uid: 4711 } }] });
    const old = await makeUnremovable();
    const folder = join(world.site(), 'releases', old, 'cache');
    chownSync(folder, 0, 0);
    await deploy();
    const first = await deploy();
    assert.equal(existsSync(join(world.site(), 'releases', old)), false);
    assert.deepEqual(trash(world), [`trash.${old}`]);
    assert.equal(cleanup(first), `${old} could not be removed`);
    assert.match(warning(first) ?? '', new RegExp(`: \\.durant/trash\\.${old}\\..*\\n.*Permission denied`));
    const second = await deploy();
    assert.match(String(cleanup(second)), /^removed \S+$/);
    assert.match(warning(second) ?? '', new RegExp(`trash\\.${old}`));
    chownSync(join(world.site(), '.durant', `trash.${old}`, 'cache'), 4711, 4711);
    const third = await deploy();
    assert.equal(warning(third), undefined);
    assert.deepEqual(trash(world), []);
  });

  it('cleanup_use_sudo removes it, and what earlier runs could not remove', async () => {
    const tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
    try {
      writeFileSync(
        join(tools, 'rm'),
        `#!/bin/sh\ncase "$*" in *trash.*) [ -n "$AS_ROOT" ] || { echo 'rm: Permission denied' >&2; exit 1; };; esac\nexec /bin/rm "$@"\n`,
        { mode: 0o755 },
      );
      writeFileSync(join(tools, 'sudo'), '#!/bin/sh\nshift; AS_ROOT=1 exec env AS_ROOT=1 "$@"\n', {
        mode: 0o755,
      });
      world = await makeWorld({ servers: [{ path: `${tools}:/usr/bin:/bin:/usr/sbin:/sbin` }] });
      await makeUnremovable();
      await deploy();
      assert.notEqual(warning(await deploy()), undefined);
      assert.equal(trash(world).length, 1);
      const result = await deploy('cleanup_use_sudo = yes');
      assert.equal(warning(result), undefined);
      assert.match(String(cleanup(result)), /^removed \S+$/);
      assert.deepEqual(trash(world), []);
    } finally {
      rmSync(tools, { recursive: true, force: true });
    }
  });

  it('deploys to one server of two keep the newest release that both have, so both can be rolled back', async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    await deploy();
    await deploy();
    const shared = world.live();
    const one = world.servers[0]?.entry ?? '';
    for (const name of ['a', 'b', 'c']) {
      commitVersion(world, name);
      const result = await world.run(['deploy', '--server', one, 'production']);
      assert.equal(result.status, 0, result.stderr);
    }
    const back = await world.run(['rollback', 'production']);
    assert.equal(back.status, 0, back.stderr);
    assert.deepEqual([world.live(0), world.live(1)], [shared, shared]);
  });

  it('prune removes what a rollback left, by Durant or by a link moved by hand', async () => {
    world = await makeWorld();
    const releases: string[] = [];
    const prune = async (): Promise<void> => {
      const result = await world.run(['prune', '-k', '1', 'production']);
      assert.equal(result.status, 0, result.stderr);
    };
    for (let count = 0; count < 8; count++) {
      await deployKeeping(-1);
      releases.push(world.live() ?? '');
    }
    const [oldest = '', second = ''] = releases;
    rmSync(join(world.site(), 'current'));
    symlinkSync(`releases/${second}`, join(world.site(), 'current'));
    await prune();
    // One to roll back to, and the newest of all servers, are never removed.
    assert.deepEqual(world.releases(), [oldest, second, releases.at(-1)]);
    await deployKeeping(-1);
    for (const release of [releases.at(-1) ?? '', second]) {
      const back = await world.run(['rollback', 'production', release]);
      assert.equal(back.status, 0, back.stderr);
    }
    await prune();
    assert.deepEqual(world.releases(), [oldest, second]);
  });
});
