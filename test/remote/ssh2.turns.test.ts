/** Round trips of the built-in client, counted by a proxy: how often it spoke after the server had. */
import assert from 'node:assert/strict';
import { createConnect } from '../../src/remote/connect.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { requestFor } from './targets.ts';

describe('ssh2 needs few round trips', function () {
  let server: TestServer;
  let proxy: Proxy;
  /** Long against what the server computes, so that time counts round trips. */
  const roundTrip = 200;
  before(async () => {
    server = await startSshd();
    proxy = await startProxy({ port: server.port, delay: { up: roundTrip / 2, down: roundTrip / 2 } });
  });
  after(async () => {
    await proxy.stop();
    await server.stop();
  });

  it('to connect and to run scripts', async () => {
    const request = requestFor(server, { client: 'ssh2', hostKeyChecking: 'accept-new' });
    const connect = createConnect();
    let mark = performance.now();
    const lap = (): number => {
      const taken = performance.now() - mark;
      mark = performance.now();
      return taken / roundTrip;
    };
    const connection = await connect({ ...request, address: { ...request.address, port: proxy.port } });
    const laps = [lap()];
    const turns = [proxy.turns];
    for (let run = 0; run < 4; run += 1) {
      await connection.exec({ script: 'cat', input: Buffer.from('x') });
      laps.push(lap());
      turns.push(proxy.turns);
    }
    connection.close();
    console.log(
      `      round trips: connected ${laps[0]?.toFixed(1)}, scripts ${laps
        .slice(1)
        .map((one) => one.toFixed(1))
        .join(' ')}; turns ${turns.join(' ')}`,
    );
    // Hello, key exchange, login; without the TCP handshake, which the proxy answers itself.
    assert.ok((turns[0] ?? 99) <= 4, `connecting took ${String(turns[0])} turns`);
    // The first waits for its channel, which was asked for along with the login.
    for (const [script, turn] of turns.slice(1).entries())
      assert.ok(
        turn - (turns[script] ?? 0) <= 2,
        `script ${String(script + 1)} took ${String(turn - (turns[script] ?? 0))} turns`,
      );
  });
});
