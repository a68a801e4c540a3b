/** Servers that bear one session, at a time or a connection: many scripts at once all run, over each client. */
import assert from 'node:assert/strict';
import { connectOpenssh } from '../../src/remote/openssh/client.ts';
import { createConnect } from '../../src/remote/connect.ts';
import type { Connect, Connection } from '../../src/remote/target.ts';
import { startSmallSshd, type SmallSshdOptions } from '../support/smallSshd.ts';
import { canHaveAccounts, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { requestFor } from './targets.ts';

const clients: Readonly<Record<string, Connect>> = {
  ssh2: (request) => createConnect()({ ...request, client: 'ssh2' }),
  openssh: (request) => connectOpenssh(request),
};
const scripts: Readonly<Record<SmallSshdOptions['daemon'], number>> = { dropbear: 40, tinysshd: 8 };

describe('small SSH servers', function () {
  let server: TestServer;
  let connection: Connection;
  let isThere = false;
  afterEach(async () => {
    if (!isThere) return;
    isThere = false;
    connection.close();
    await server.stop();
  });

  for (const daemon of ['dropbear', 'tinysshd'] as const)
    for (const [client, connect] of Object.entries(clients)) {
      const enter = async (): Promise<void> => {
        server = await startSmallSshd({ daemon });
        connection = await connect(requestFor(server));
        isThere = true;
      };

      it(`${daemon} over ${client}: scripts that are run at once`, async function () {
        if (!(await canHaveAccounts())) this.skip();
        await enter();
        assert.equal(connection.user, server.user);
        const outputs = await Promise.all(
          Array.from({ length: scripts[daemon] }, async (_, index) => {
            const { stdout } = await connection.exec({ script: 'cat', input: Buffer.from(`${index}`) });
            return Number(stdout.toString());
          }),
        );
        assert.deepEqual(outputs, [...outputs.keys()]);
      });

      it(`${daemon} over ${client}: a script that is cancelled ends there`, async function () {
        if (!(await canHaveAccounts())) this.skip();
        await enter();
        const abort = new AbortController();
        await assert.rejects(
          connection.exec({
            script: 'echo started; sleep 1000',
            signal: abort.signal,
            onOutput: () => abort.abort(),
          }),
          { code: 'cancelled' },
        );
        await waitFor('it to end', async () =>
          (await server.processes()).every(({ command }) => !command.includes('sleep 1000')),
        );
        assert.equal((await connection.exec({ script: 'echo after' })).stdout.toString(), 'after\n');
      });
    }
});
