/** The built-in client's ways to a server: jump hosts, ProxyCommand, time limits, lines that die; and which client `auto` takes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { createConnect } from '../../src/remote/connect.ts';
import type { Connection, ConnectRequest } from '../../src/remote/target.ts';
import { openCleanArea, type CleanArea } from '../support/clean.ts';
import { allProcesses, endProcesses } from '../support/processes.ts';
import { startProxy } from '../support/proxy.ts';
import { freePort, startSshd, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { writeSsh } from './sshConfig.ts';
import { requestFor } from './targets.ts';

describe('ssh2 reaches servers', function () {
  let area: CleanArea;
  let folder: string;
  let server: TestServer;
  let gate: TestServer;
  let inner: TestServer;

  before(async () => {
    area = openCleanArea();
    [server, gate, inner] = await Promise.all([startSshd(), startSshd(), startSshd({ hostKeys: ['ecdsa'] })]);
  });
  after(async () => {
    await Promise.all([server, gate, inner].map((one) => one.stop()));
    await area.finish();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'routes-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const host = (name: string, to: TestServer): string[] => [
    `Host ${name}`,
    `  HostName 127.0.0.1`,
    `  Port ${to.port}`,
    `  User ${to.user}`,
    `  IdentityFile ${to.clientKey}`,
  ];
  function connect(
    config: readonly string[],
    name = 'target',
    changes: Partial<ConnectRequest> = {},
  ): Promise<Connection> {
    writeFileSync(
      join(folder, 'known_hosts'),
      [server, gate, inner].flatMap((one) => [...one.knownHostsLines, '']).join('\n'),
    );
    const sshPath = writeSsh(folder, [
      ...config,
      'Host *',
      '  IdentityAgent none',
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${folder}/known_hosts`,
      '  GlobalKnownHostsFile /dev/null',
    ]);
    const address = { entry: name, host: name, user: undefined, port: undefined, local: false, roles: [] };
    return createConnect()(requestFor(server, { client: 'ssh2', address, sshPath, ...changes }));
  }
  async function portSeen(connection: Connection): Promise<string> {
    const result = await connection.exec({ script: 'echo "${SSH_CONNECTION##* }"' });
    return result.stdout.toString().trim();
  }

  it('by an alias of the configuration', async () => {
    const connection = await connect(host('target', server));
    assert.equal(await portSeen(connection), String(server.port));
    assert.equal(connection.user, server.user);
    connection.close();
  });

  describe('through jump hosts', () => {
    it('one', async () => {
      const connection = await connect([
        ...host('gate', gate),
        ...host('target', server),
        '  ProxyJump gate',
      ]);
      assert.equal(await portSeen(connection), String(server.port));
      assert.match(gate.log(), /direct-tcpip|Accepted publickey/);
      connection.close();
      await waitFor(
        'both connections to end',
        async () => (await gate.daemons()).length === 1 && (await server.daemons()).length === 1,
      );
    });

    it('a chain, written with user and port', async () => {
      const connection = await connect([
        ...host('gate', gate),
        `Match originalhost 127.0.0.1 exec "test %p = ${inner.port}"`,
        `  IdentityFile ${inner.clientKey}`,
        ...host('target', server),
        `  ProxyJump gate,${inner.user}@127.0.0.1:${inner.port}`,
      ]);
      assert.equal(await portSeen(connection), String(server.port));
      assert.equal(
        (await connection.exec({ script: 'cat', input: Buffer.alloc(1_000_000) })).stdout.length,
        1_000_000,
      );
      connection.close();
    });

    it('whose own settings have a jump host', async () => {
      const connection = await connect([
        ...host('gate', gate),
        ...host('inner', inner),
        '  ProxyJump gate',
        ...host('target', server),
        '  ProxyJump inner',
      ]);
      assert.equal(await portSeen(connection), String(server.port));
      connection.close();
    });

    it('whose keys are checked', async () => {
      const config = [
        ...host('gate', gate),
        '  HostKeyAlias stranger',
        ...host('target', server),
        '  ProxyJump gate',
      ];
      await assert.rejects(connect(config), { code: 'host-unknown', message: /stranger/ });
    });

    for (const client of ['ssh2', 'openssh', 'auto'] as const)
      it(`that lead in a loop, with the hosts of the loop (${client})`, async () => {
        const config = [
          ...host('gate', gate),
          '  ProxyJump inner',
          ...host('inner', inner),
          '  ProxyJump gate',
          ...host('target', server),
          '  ProxyJump gate',
        ];
        await assert.rejects(connect(config, 'target', { client }), {
          code: 'connection-unsupported',
          message: /target → gate → inner → gate/,
        });
      });

    it('of which one needs openssh', async () => {
      const revoked = join(folder, 'revoked');
      writeFileSync(revoked, '');
      const config = [
        ...host('gate', gate),
        `  RevokedHostKeys ${revoked}`,
        ...host('target', server),
        '  ProxyJump gate',
      ];
      await assert.rejects(connect(config), { code: 'connection-unsupported', message: /for gate/ });
    });

    it('that do not get through', async () => {
      const config = [
        ...host('gate', gate),
        ...host('target', server),
        `  Port ${await freePort()}`,
        '  ProxyJump gate',
      ];
      config.splice(config.indexOf(`  Port ${server.port}`), 1);
      await assert.rejects(connect(config), {
        code: 'host-unreachable',
        message: /jump host gate could not connect/,
      });
    });

    it('that are not there', async () => {
      const config = [...host('gate', gate), ...host('target', server), '  ProxyJump gate'];
      config.splice(config.indexOf(`  Port ${gate.port}`), 1, `  Port ${await freePort()}`);
      await assert.rejects(connect(config), {
        code: 'host-unreachable',
        server: 'target',
        message: /^Jump host gate \(to target\) cannot be reached: .* refused the connection/,
      });
      await assert.rejects(connect(config, 'target', { client: 'openssh' }), {
        code: 'host-unreachable',
        server: 'target',
        message: /^Jump host gate \(to target\) cannot be reached/,
      });
    });

    it('that let nobody in', async () => {
      const config = [...host('gate', gate), ...host('target', server), '  ProxyJump gate'];
      config.splice(
        config.indexOf(`  IdentityFile ${gate.clientKey}`),
        1,
        `  IdentityFile ${inner.clientKey}`,
      );
      for (const client of ['ssh2', 'openssh'] as const)
        await assert.rejects(connect(config, 'target', { client }), {
          code: 'authentication-failed',
          message: /[Jj]ump host gate \(to target\)/,
        });
    });

    it('which drop connections while twelve log in at once', async function () {
      const narrow = await startSshd({ config: ['MaxStartups 2:50:4', 'KexAlgorithms +ecdh-sha2-nistp256'] });
      try {
        const config = [
          ...host('gate', narrow),
          '  StrictHostKeyChecking no',
          ...host('target', server),
          '  ProxyJump gate',
        ];
        for (const client of ['ssh2', 'openssh'] as const) {
          const notices: string[] = [];
          const onNotice = (code: string): void => void notices.push(code);
          const opened = await Promise.all(
            Array.from({ length: 12 }, () =>
              connect(config, 'target', { client, onNotice, hostKeyChecking: 'accept-new' }),
            ),
          );
          for (const connection of opened) {
            assert.equal(await portSeen(connection), String(server.port));
            connection.close();
          }
          assert.ok(notices.includes('connection-retried'), client);
          assert.match(narrow.log(), /MaxStartups/);
        }
      } finally {
        await narrow.stop();
      }
    });
  });

  describe('through a ProxyCommand', () => {
    const relay = (): string => {
      const file = join(folder, 'relay.mjs');
      writeFileSync(
        file,
        `import { connect } from 'node:net';
         const socket = connect(Number(process.argv[3]), process.argv[2]);
         process.stdin.pipe(socket).pipe(process.stdout);`,
      );
      return `'${process.execPath}' '${file}'`;
    };

    it('which ends with the connection', async () => {
      const connection = await connect([...host('target', server), `  ProxyCommand ${relay()} %h %p`]);
      assert.equal(await portSeen(connection), String(server.port));
      const running = async () =>
        (await allProcesses()).filter((found) => found.command.includes(`${folder}/relay.mjs`));
      assert.equal((await running()).length, 1);
      connection.close();
      await waitFor('the relay to end', async () => (await running()).length === 0);
    });

    it('which fails, in its own words', async () => {
      await assert.rejects(
        connect([...host('target', server), '  ProxyCommand echo no way out >&2; exit 1']),
        {
          code: 'host-unreachable',
          message: /no way out/,
        },
      );
    });

    it('which dies', async () => {
      const connection = await connect([...host('target', server), `  ProxyCommand ${relay()} %h %p`]);
      const running = connection.exec({ script: 'sleep 1000' });
      const relays = await waitFor('the relay', async () => {
        const found = (await allProcesses()).filter((one) => one.command.includes(`${folder}/relay.mjs`));
        return found.length > 0 ? found : undefined;
      });
      endProcesses(relays);
      await assert.rejects(running, { code: 'connection-lost' });
      endProcesses(await server.processes());
    });
  });

  describe('or says why not', () => {
    const silent: Server[] = [];
    afterEach(() => {
      for (const one of silent.splice(0)) one.close();
    });

    it('nothing listens', async () => {
      const config = [`Host target`, '  HostName 127.0.0.1', `  Port ${await freePort()}`];
      await assert.rejects(connect(config), {
        code: 'host-unreachable',
        message: /target cannot be reached: 127\.0\.0\.1:\d+ refused the connection/,
      });
    });

    it('there is no such name', async () => {
      await assert.rejects(connect(['Host target', '  HostName no-such-host.invalid']), {
        code: 'host-unreachable',
        message: /no-such-host\.invalid/,
      });
    });

    it('it never answers', async () => {
      const mute = createServer((socket) => socket.on('error', () => undefined));
      silent.push(mute);
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const { port } = mute.address() as AddressInfo;
      const config = ['Host target', '  HostName 127.0.0.1', `  Port ${port}`];
      await assert.rejects(connect(config, 'target', { connectTimeoutMs: 300 }), {
        code: 'host-unreachable',
        message: /within 0\.3 s.*connect_timeout/,
      });
      await assert.rejects(connect(config, 'target', { signal: AbortSignal.timeout(200) }), {
        code: 'cancelled',
      });
    });

    it('it is no SSH server', async () => {
      const web = createServer((socket) => {
        socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
      });
      silent.push(web);
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      const { port } = web.address() as AddressInfo;
      await assert.rejects(
        connect(['Host target', '  HostName 127.0.0.1', `  Port ${port}`]),
        (error: { code?: string }) =>
          ['host-unreachable', 'connection-unsupported'].includes(error.code ?? ''),
      );
    });

    it('the login user has no shell', async () => {
      const other = await startSshd({ shell: '/bin/false' });
      try {
        const connection = await createConnect()(requestFor(other, { client: 'ssh2' }));
        await assert.rejects(connection.exec({ script: 'true' }), {
          code: 'connection-unsupported',
          message: /sh/,
        });
        connection.close();
      } finally {
        await other.stop();
      }
    });
  });

  it('and does not count the time that a person takes', async () => {
    // The clock of all limits stands still but for the hour in which the question is open.
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const connection = await connect([...host('target', server), '  HostKeyAlias newcomer'], 'target', {
        hostKeyChecking: 'ask',
        prompt: () => {
          mock.timers.tick(3_600_000);
          return Promise.resolve('yes');
        },
      });
      connection.close();
    } finally {
      mock.timers.reset();
    }
  });

  it('and notices a line that went dead', async () => {
    const proxy = await startProxy({ port: server.port });
    try {
      const config = [
        ...host('target', server),
        '  ServerAliveInterval 1',
        '  ServerAliveCountMax 1',
        '  HostKeyAlias dead',
      ];
      config[2] = `  Port ${proxy.port}`;
      const connection = await connect(config, 'target', { hostKeyChecking: 'accept-new' });
      const running = connection.exec({ script: 'echo started; sleep 1000', onOutput: () => proxy.stall() });
      await assert.rejects(running, { code: 'connection-lost' });
      connection.close();
    } finally {
      await proxy.stop();
      endProcesses(await server.processes());
    }
  });

  describe('auto', () => {
    it('takes ssh2 and says so', async () => {
      const notices: string[] = [];
      const connection = await connect(host('target', server), 'target', {
        client: 'auto',
        onNotice: (code, message) => notices.push(`${code}: ${message}`),
      });
      connection.close();
      assert.equal(connection.description, 'ssh2 (built in)');
      assert.deepEqual(notices, ['ssh-client: target: ssh2 (built in)']);
    });

    it('takes openssh for a certificate, and says why', async () => {
      const key = join(folder, 'key');
      for (const name of ['', '.pub'])
        writeFileSync(key + name, readFileSync(server.clientKey + name), { mode: 0o600 });
      writeFileSync(`${key}-cert.pub`, readFileSync(`${server.clientKey}.pub`));
      const config = host('target', server).map((line) => line.replace(server.clientKey, key));
      const connection = await connect(config, 'target', { client: 'auto' });
      assert.match(connection.description, /^openssh \(the certificate .*key-cert\.pub\)$/);
      assert.equal(await portSeen(connection), String(server.port));
      connection.close();
    });
  });

  it('runs nothing of a host name', async () => {
    const address = {
      entry: 'x',
      host: `-oProxyCommand=touch ${folder}/x`,
      user: undefined,
      port: undefined,
      local: false,
      roles: [],
    };
    for (const client of ['auto', 'ssh2', 'openssh'] as const)
      await assert.rejects(createConnect()(requestFor(server, { client, address })), { code: 'usage' });
    assert.equal(existsSync(join(folder, 'x')), false);
  });
});
