/** A stage with more servers than Node lets listen to one signal without a warning, as the real program works on them. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorld, type World } from './world.ts';
import { commitVersion } from './faultsSupport.ts';

const preload = import.meta.resolve('../support/warnOfListeners.mjs');

describe('eleven servers and this machine', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: Array.from({ length: 11 }, () => ({})) });
    mkdirSync(join(world.home.directory, 'site'));
  });
  after(() => world.remove());

  it('say nothing of Node, by either client', async () => {
    const entries = [...world.servers.map(({ entry }) => entry), 'local'];
    const run = async (client: string, ...args: readonly string[]) => {
      // No server is done before the last has begun.
      world.configure([`ssh_client = ${client}`, 'parallel = 20', 'after_release = sleep 0.5'], entries);
      const { status, stderr } = await world.start(args, {
        env: { NODE_OPTIONS: `--import ${JSON.stringify(preload)}` },
      }).result;
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /Warning/, args[0]);
    };
    commitVersion(world, 'one');
    await run('ssh2', 'deploy', 'production');
    await run('openssh', 'check', '--connect', 'production');
  });
});
