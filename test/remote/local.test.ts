/** What only concerns this machine as a target; all else is in target.test.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readlinkSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLocal } from '../../src/remote/local.ts';
import type { Connection } from '../../src/remote/target.ts';

describe('local', () => {
  const address = {
    entry: 'localhost',
    host: 'localhost',
    user: undefined,
    port: undefined,
    local: true,
    roles: [],
  };
  let connection: Connection;
  let home: string;
  const outer = { HOME: process.env['HOME'], ELECTRON_RUN_AS_NODE: process.env['ELECTRON_RUN_AS_NODE'] };

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'local-home-'));
    process.env['HOME'] = home;
    connection = await connectLocal({ address, signal: new AbortController().signal });
  });
  afterEach(() => {
    connection.close();
    for (const [name, value] of Object.entries(outer)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(home, { recursive: true, force: true });
  });
  const run = async (script: string) => (await connection.exec({ script })).stdout.toString();

  it('starts scripts in the home folder', async () => {
    assert.equal(homedir(), home);
    assert.equal(await run('pwd -P'), `${realpathSync(home)}\n`);
  });

  it('starts them all the same where the home folder is missing', async () => {
    rmSync(home, { recursive: true });
    assert.equal(await run('echo up'), 'up\n');
  });

  it("keeps the editor's way of running Node from them", async () => {
    process.env['ELECTRON_RUN_AS_NODE'] = '1';
    assert.equal(await run('echo "[$ELECTRON_RUN_AS_NODE]"'), '[]\n');
  });

  it('knows the home folder by ~ in a rename', async () => {
    symlinkSync('old', join(home, 'current'));
    symlinkSync('new', join(home, 'next'));
    await connection.posixRename?.('~/next', '~/current');
    assert.equal(readlinkSync(join(home, 'current')), 'new');
  });

  it('is not opened for a run that was cancelled', async () => {
    await assert.rejects(connectLocal({ address, signal: AbortSignal.abort() }), { code: 'cancelled' });
  });
});
