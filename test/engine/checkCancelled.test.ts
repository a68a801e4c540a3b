/** A check of servers that is cancelled closes what it has opened, also what a server answers later. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '../../src/cli/host.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { assessStage } from '../../src/engine/operations/check.ts';
import { openStage } from '../../src/engine/run/openStage.ts';
import { machineTime } from '../../src/engine/thisMachine.ts';
import type { Connection } from '../../src/remote/target.ts';
import { makeWorld, type World } from '../e2e/world.ts';

describe('a cancelled check', function () {
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
  });
  after(() => world.remove());

  it('leaves no connection open', async () => {
    const leave = world.home.enter({ ...world.home.env });
    try {
      const abort = new AbortController();
      const open = new Set<Connection>();
      const real = createHost(
        { env: { ...process.env }, program: [], time: machineTime },
        async () => undefined,
      );
      const file = join(world.project, 'durant.conf');
      const request = await openStage(
        {
          doc: parseConf(readFileSync(file, 'utf8')),
          file,
          stage: 'production',
          servers: [],
          goals: 'without goals',
        },
        real,
        abort.signal,
      );
      let answerLate = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        answerLate = resolve;
      });
      const connect: typeof real.connect = async (wanted) => {
        const connection = await real.connect(wanted);
        const { close } = connection;
        connection.close = () => {
          open.delete(connection);
          close();
        };
        open.add(connection);
        if (wanted.address.local) return connection;
        if (wanted.address.entry === world.servers[0]?.entry) {
          await late;
          return connection;
        }
        return {
          ...connection,
          exec: async (command) => {
            const result = await connection.exec(command);
            // It has been looked at, and the other is still being connected to.
            setImmediate(() => {
              abort.abort();
              answerLate();
            });
            return result;
          },
          close: () => connection.close(),
        };
      };
      await assert.rejects(
        assessStage(request, { ...real, connect }, () => undefined, abort.signal),
        { code: 'cancelled' },
      );
      assert.deepEqual(
        [...open].map(({ address }) => address.entry),
        [],
      );
    } finally {
      leave();
    }
  });
});
