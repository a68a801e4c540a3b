/** How many scripts a deploy sends to one server, each of which is one round trip; the connection has its own (remote/ssh2.turns). */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '../../src/cli/host.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { deploy, openStage } from '../../src/engine/index.ts';
import { machineTime } from '../../src/engine/thisMachine.ts';
import { commitVersion } from '../e2e/faultsSupport.ts';
import { makeWorld, type World } from '../e2e/world.ts';

describe('round trips of a deploy', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ conf: ['spare = no'] });
    commitVersion(world, 'v1');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(() => world.remove());

  it('are five where nothing comes between the switch and its confirmation', async () => {
    // A look, the lock, the release, the switch with its confirmation, the end.
    assert.equal((await scriptsOf(world, 'v2')).length, 5);
  });

  it('are one more for the confirmation after a check, and one for each command', async () => {
    assert.equal((await scriptsOf(world, 'v3', { conf: ['health_check = true'] })).length, 7);
  });

  it('ask one of two servers alone for what is live on both', async () => {
    const two = await makeWorld({ servers: [{}, {}], conf: ['spare = no'] });
    try {
      commitVersion(two, 'v1');
      assert.equal((await two.run(['deploy', 'production'])).status, 0);
      const scripts = await scriptsOf(two, 'v2', { cache: 'empty' });
      assert.equal(scripts.filter((script) => script.includes('gzip -1 -c <')).length, 1);
      assert.equal(two.read('index.html', 1), 'v2\n');
    } finally {
      await two.remove();
    }
  });
});

/** Deploys something new. @returns the scripts that were sent to servers. */
async function scriptsOf(
  world: World,
  version: string,
  { conf = [], cache = 'kept' }: { conf?: readonly string[]; cache?: 'kept' | 'empty' } = {},
): Promise<readonly string[]> {
  commitVersion(world, version);
  world.configure(['spare = no', ...conf]);
  const leave = world.home.enter({ ...world.home.env });
  try {
    const { signal } = new AbortController();
    const real = createHost(
      { env: { ...process.env }, program: [], time: machineTime },
      async () => undefined,
    );
    if (cache === 'empty') rmSync(real.cacheDir, { recursive: true });
    const scripts: string[] = [];
    const connect: typeof real.connect = async (wanted) => {
      const connection = await real.connect(wanted);
      if (wanted.address.local) return connection;
      return {
        ...connection,
        exec: (command) => {
          scripts.push(command.script);
          return connection.exec(command);
        },
      };
    };
    const host = { ...real, connect };
    const file = join(world.project, 'durant.conf');
    const stage = { doc: parseConf(readFileSync(file, 'utf8')), file, stage: 'production', servers: [] };
    const request = await openStage({ ...stage, goals: 'without goals' }, host, signal);
    const how = { ref: undefined, dryRun: false, build: false, again: false, waitMs: 0, confirmed: true };
    const { ok, error } = await deploy({ ...request, ...how }, host, () => undefined, signal);
    assert.equal(ok, true, error?.message);
    assert.equal(world.read('index.html'), `${version}\n`);
    return scripts;
  } finally {
    leave();
  }
}
