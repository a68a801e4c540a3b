/** What only the system's ssh does: questions through SSH_ASKPASS, known_hosts by OpenSSH, its failures, and its processes' ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer } from '../../scripts/embedded-server.ts';
import { connectOpenssh, connectOpensshSharing } from '../../src/remote/openssh/client.ts';
import { classifyQuestion } from '../../src/remote/openssh/questions.ts';
import { connectFailure } from '../../src/remote/openssh/failures.ts';
import type { ConnectRequest, PromptRequest } from '../../src/remote/target.ts';
import { openCleanArea, type CleanArea } from '../support/clean.ts';
import { startProxy } from '../support/proxy.ts';
import { freePort, startSshd, type SshdOptions, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { requestFor } from './targets.ts';

const fingerprintText = 'SHA256:dhEFrFdwzACSBIXkHY+yv88W8ulbZI80ucPSOpQZmE4';

describe('openssh: what a question asks for', () => {
  const unknownHost = (is: string) =>
    `The authenticity of host '[127.0.0.1]:2222 ([127.0.0.1]:2222)' can't be established.\nED25519 key fingerprint is${is} ${fingerprintText}.\nThis key is not known by any other names.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? `;
  const hostKey = { kind: 'host-key', keyType: 'ssh-ed25519', fingerprint: fingerprintText };
  const table: readonly [string, string, object][] = [
    [unknownHost(''), '', hostKey],
    [unknownHost(':'), '', hostKey],
    [
      "Enter passphrase for key '/home/a b/.ssh/id_ed25519': ",
      '',
      { kind: 'passphrase', path: '/home/a b/.ssh/id_ed25519' },
    ],
    ['Enter passphrase for /home/a/.ssh/id_rsa: ', '', { kind: 'passphrase', path: '/home/a/.ssh/id_rsa' }],
    [
      'Bad passphrase, try again for /home/a/.ssh/id_rsa: ',
      '',
      { kind: 'passphrase', path: '/home/a/.ssh/id_rsa' },
    ],
    [
      'Enter PIN for ED25519-SK key /home/a/.ssh/id_sk: ',
      '',
      { kind: 'passphrase', path: 'ED25519-SK key /home/a/.ssh/id_sk' },
    ],
    ["deploy@web1's password: ", '', { kind: 'password', user: 'deploy', host: 'web1' }],
    ["a@b@web1's password: ", '', { kind: 'password', user: 'a@b', host: 'web1' }],
    ['(deploy@web1) Password: ', '', { kind: 'password', user: 'deploy', host: 'web1' }],
    ['Password: ', '', { kind: 'password', user: '', host: '' }],
    ['(deploy@web1) Verification code: ', '', { kind: 'one-time-code' }],
    ["(deploy@web1) One-time password (OATH) for `deploy': ", '', { kind: 'one-time-code' }],
    ['Confirm user presence for key ED25519-SK SHA256:x', 'none', { kind: 'notice' }],
    ['Allow use of key /home/a/.ssh/id?\nKey fingerprint SHA256:x.', 'confirm', { kind: 'confirm' }],
    ['Accept updated hostkeys? (yes/no): ', '', { kind: 'confirm' }],
    ['Anything else: ', '', { kind: 'one-time-code' }],
  ];
  for (const [text, hint, question] of table)
    it(JSON.stringify(text.slice(-60)), () => assert.deepEqual(classifyQuestion(text, hint), question));
});

describe('openssh: what its last words mean', () => {
  const table: readonly [string, string][] = [
    ['ssh: Could not resolve hostname nowhere: Name or service not known', 'host-unreachable'],
    ['ssh: connect to host web1 port 22: Connection refused', 'host-unreachable'],
    ['ssh: connect to host web1 port 22: Operation timed out', 'host-unreachable'],
    ['kex_exchange_identification: Connection closed by remote host', 'host-unreachable'],
    ['a@web1: Permission denied (publickey,password).', 'authentication-failed'],
    [
      'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures',
      'authentication-failed',
    ],
    [
      'No ED25519 host key is known for web1 and you have requested strict checking.\nHost key verification failed.',
      'host-unknown',
    ],
    [
      '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
      'host-key-changed',
    ],
    ['@ WARNING: REVOKED HOST KEY DETECTED! @\nHost key verification failed.', 'host-key-revoked'],
    ['/home/a/.ssh/config: line 1: Bad configuration option: nonsense', 'connection-unsupported'],
    [
      'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-dss',
      'connection-unsupported',
    ],
  ];
  for (const [text, code] of table)
    it(`${code}: ${text.slice(0, 60)}`, () => assert.equal(connectFailure('web1', text).code, code));
});

describe('openssh: connecting', function () {
  let area: CleanArea;
  const servers: TestServer[] = [];
  before(() => {
    area = openCleanArea();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  after(() => area.finish());

  const start = async (options: SshdOptions = {}): Promise<TestServer> => {
    const server = await startSshd(options);
    servers.push(server);
    return server;
  };
  /** Answers in turn, and keeps what was asked. */
  const answering = (...answers: readonly (string | undefined)[]) => {
    const asked: PromptRequest[] = [];
    const prompt = (request: PromptRequest) => Promise.resolve(answers[asked.push(request) - 1]);
    return { asked, prompt };
  };
  const succeeds = async (request: ConnectRequest) => {
    const connection = await connectOpenssh(request);
    assert.equal((await connection.exec({ script: 'echo hello' })).stdout.toString(), 'hello\n');
    connection.close();
  };
  const forget = (server: TestServer) => writeFileSync(server.knownHosts, '');

  describe('to a host that is not known', () => {
    it('asks once, with type and fingerprint, and adds the key', async () => {
      const server = await start();
      forget(server);
      const { asked, prompt } = answering('yes');
      const notices: string[] = [];
      await succeeds(
        requestFor(server, {
          hostKeyChecking: 'ask',
          mayAddHostKeys: true,
          prompt,
          onNotice: (code) => notices.push(code),
        }),
      );
      assert.equal(asked.length, 1);
      const [question] = asked;
      assert.ok(question?.kind === 'host-key');
      assert.equal(question.server, server.entry);
      assert.equal(question.keyType, 'ssh-ed25519');
      assert.match(question.fingerprint, /^SHA256:[\w+/]{43}$/);
      assert.match(question.message, new RegExp(question.fingerprint.replaceAll('+', '\\+')));
      assert.equal(readFileSync(server.knownHosts, 'utf8').trim(), server.knownHostsLines[0]);
      assert.deepEqual(notices, ['host-key-added']);
    });

    for (const hostKeyChecking of ['ask', 'accept-new'] as const)
      it(`writes nothing where nothing may be added (${hostKeyChecking})`, async () => {
        const server = await start();
        forget(server);
        const changed = statSync(server.knownHosts).mtimeMs;
        const { asked, prompt } = answering('yes');
        await succeeds(requestFor(server, { hostKeyChecking, mayAddHostKeys: false, prompt }));
        assert.equal(asked.length, hostKeyChecking === 'ask' ? 1 : 0);
        assert.equal(readFileSync(server.knownHosts, 'utf8'), '');
        assert.equal(statSync(server.knownHosts).mtimeMs, changed);
      });

    for (const [hostKeyChecking, answer] of [
      ['ask', undefined],
      ['ask', 'no'],
      ['strict', 'yes'],
    ] as const)
      it(`refuses (${hostKeyChecking}, answer ${answer})`, async () => {
        const server = await start();
        forget(server);
        const { asked, prompt } = answering(answer);
        const request = requestFor(server, { hostKeyChecking, mayAddHostKeys: true, prompt });
        await assert.rejects(connectOpenssh(request), {
          code: 'host-unknown',
          server: server.entry,
          message: /The ssh-ed25519 host key \(SHA256:[\w+/]{43}\) of/,
        });
        assert.equal(asked.length, hostKeyChecking === 'ask' ? 1 : 0);
        assert.equal(readFileSync(server.knownHosts, 'utf8'), '');
      });
  });

  describe('to a host whose key is not the known one', () => {
    for (const hostKeyChecking of ['ask', 'strict', 'accept-new'] as const)
      it(`refuses without asking (${hostKeyChecking})`, async () => {
        const server = await start();
        const other = await start();
        const name = server.knownHostsLines[0]?.split(' ')[0] ?? '';
        const otherKey = other.knownHostsLines[0]?.split(' ').slice(1).join(' ') ?? '';
        writeFileSync(server.knownHosts, `${name} ${otherKey}\n`);
        const { asked, prompt } = answering('yes');
        const request = requestFor(server, { hostKeyChecking, prompt });
        await assert.rejects(connectOpenssh(request), {
          code: 'host-key-changed',
          message: /The ssh-ed25519 host key \(SHA256:[\w+/]{43}\) of/,
        });
        assert.deepEqual(asked, []);
      });

    it('refuses a revoked one', async () => {
      const server = await start();
      appendFileSync(server.knownHosts, `@revoked ${server.knownHostsLines[0]}\n`);
      await assert.rejects(connectOpenssh(requestFor(server)), { code: 'host-key-revoked' });
    });
  });

  describe('with secrets', () => {
    it('asks for a passphrase until it is right', async () => {
      const server = await start({ passphrase: 'correct horse' });
      const { asked, prompt } = answering('wrong', 'correct horse');
      await succeeds(requestFor(server, { prompt }));
      assert.deepEqual(
        asked.map((request) => request.kind === 'passphrase' && [request.path, request.attempt]),
        [
          [server.clientKey, 1],
          [server.clientKey, 2],
        ],
      );
    });

    it('asks only once where every command has a connection of its own', async () => {
      const server = await start({ passphrase: 'correct horse' });
      const { asked, prompt } = answering('correct horse');
      const connection = await connectOpensshSharing(requestFor(server, { prompt }), 'separate');
      for (const status of [1, 2])
        assert.equal((await connection.exec({ script: `exit ${status}` })).status, status);
      connection.close();
      assert.equal(asked.length, 1);
    });

    it('shows them in no command line, environment or file', async () => {
      const secret = 'correct-horse-battery';
      const server = await start({ passphrase: secret });
      const { prompt } = answering(secret);
      let seen = '';
      const look = async () => {
        for (const { pid } of await area.processes())
          for (const file of ['cmdline', 'environ'])
            seen += existsSync(`/proc/${pid}/${file}`) ? readFileSync(`/proc/${pid}/${file}`, 'latin1') : '';
        for (const name of readdirSync(tmpdir(), { recursive: true, encoding: 'utf8' })) {
          const file = join(tmpdir(), name);
          if (statSync(file, { throwIfNoEntry: false })?.isFile()) seen += readFileSync(file, 'latin1');
        }
      };
      const connection = await connectOpenssh(
        requestFor(server, {
          prompt: async (request) => {
            await look();
            return prompt(request);
          },
        }),
      );
      const abort = new AbortController();
      const running = connection.exec({
        script: 'echo up; sleep 1000',
        signal: abort.signal,
        onOutput: () => void look().finally(() => abort.abort()),
      });
      await assert.rejects(running, { code: 'cancelled' });
      connection.close();
      assert.match(seen, /DURANT_ASKPASS/);
      assert.ok(!seen.includes(secret));
    });

    for (const [kind, options, answers] of [
      ['password', { password: 'open sesame' }, ['wrong', 'open sesame']],
      ['one-time-code', { oneTimeCode: '123456' }, ['000000', '123456']],
    ] as const)
      it(`asks for a ${kind}`, async () => {
        const root = mkdtempSync(join(tmpdir(), 'root-'));
        const server = await startEmbeddedServer({ root, ...options });
        const config = readFileSync(server.sshConfigPath, 'utf8');
        writeFileSync(server.sshConfigPath, `PubkeyAuthentication no\n${config}`);
        const sshPath = join(server.clientEnvironment.HOME, 'bin/ssh');
        try {
          const { asked, prompt } = answering(...answers);
          await succeeds(requestFor({ ...server, sshPath }, { prompt }));
          assert.deepEqual(
            asked.map((request) => request.kind),
            [kind, kind],
          );
          const silent = answering(undefined, 'too late');
          await assert.rejects(
            connectOpenssh(requestFor({ ...server, sshPath }, { prompt: silent.prompt })),
            {
              code: 'authentication-failed',
            },
          );
          assert.equal(silent.asked.length, 1);
        } finally {
          await server.stop();
          rmSync(root, { recursive: true });
        }
      });
  });

  describe('in vain', () => {
    it('says that nobody is let in', async () => {
      const server = await start({ config: ['AuthorizedKeysFile none'] });
      await assert.rejects(connectOpenssh(requestFor(server)), { code: 'authentication-failed' });
    });

    it('says that nothing listens', async () => {
      const server = await start();
      const address = { ...requestFor(server).address, port: await freePort() };
      await assert.rejects(connectOpenssh(requestFor(server, { address })), { code: 'host-unreachable' });
    });

    it('says that ssh is missing', async () => {
      const server = await start();
      for (const sharing of ['shared', 'separate'] as const)
        await assert.rejects(
          connectOpensshSharing(
            requestFor(server, { sshPath: '/nowhere/ssh', mayAddHostKeys: true }),
            sharing,
            { route: [], checking: 'ask' },
          ),
          {
            code: 'local-tool-missing',
          },
        );
    });

    it('gives up on a server that says nothing, and at once when cancelled', async () => {
      const server = await start();
      const mute = createServer((socket) => socket.on('error', () => undefined).resume());
      const port = await freePort();
      await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve));
      try {
        const address = { ...requestFor(server).address, port };
        await assert.rejects(connectOpenssh(requestFor(server, { address, connectTimeoutMs: 1000 })), {
          code: 'host-unreachable',
        });
        const signal = AbortSignal.timeout(200);
        await assert.rejects(
          connectOpenssh(requestFor(server, { address, connectTimeoutMs: 60_000, signal })),
          {
            code: 'cancelled',
          },
        );
      } finally {
        await new Promise((resolve) => mute.close(resolve));
      }
    });

    for (const change of [
      { host: '-oProxyCommand=touch x' },
      { host: 'a b' },
      { user: '-lroot' },
      { user: 'a;b' },
    ])
      it(`refuses ${JSON.stringify(change)}`, async () => {
        const server = await start();
        const address = { ...requestFor(server).address, ...change };
        await assert.rejects(connectOpenssh(requestFor(server, { address })), { code: 'usage' });
      });
  });

  it('goes through a jump host of the ssh configuration', async () => {
    const jump = await start();
    const server = await start();
    const hop = `ProxyJump ${jump.entry}`;
    const lines = [
      `Match originalhost 127.0.0.1 exec "test %p = ${server.port}"`,
      `  ${hop}`,
      `Host *`,
      `  IdentityFile ${jump.clientKey}`,
    ];
    appendFileSync(server.knownHosts, `${jump.knownHostsLines.join('\n')}\n`);
    writeFileSync(server.sshConfig, `${lines.join('\n')}\n${readFileSync(server.sshConfig, 'utf8')}`);
    await succeeds(requestFor(server));
    assert.match(jump.log(), /Accepted publickey/);
  });

  describe('checks jump hosts as durant.conf and their own settings say', () => {
    /** Two jump hosts on the way, whose keys nobody knows yet, each with lines of its own. */
    async function through(lines: readonly string[]) {
      const [gate, inner, server] = [await start(), await start(), await start()];
      const host = (name: string, to: TestServer): string[] => [
        `Host ${name}`,
        '  HostName 127.0.0.1',
        `  Port ${to.port}`,
        `  IdentityFile ${to.clientKey}`,
      ];
      const config = [
        ...host('target', server),
        `  ProxyJump in%ner`,
        ...host('in%ner', inner),
        '  ProxyJump gate',
        ...lines,
        ...host('gate', gate),
        ...lines,
      ];
      writeFileSync(server.sshConfig, `${config.join('\n')}\n${readFileSync(server.sshConfig, 'utf8')}`);
      const address = { ...requestFor(server).address, host: 'target', port: undefined };
      const known = readFileSync(server.knownHosts, 'utf8');
      return {
        connect: (changes: Partial<ConnectRequest>) =>
          connectOpenssh(requestFor(server, { address, ...changes })),
        added: () => readFileSync(server.knownHosts, 'utf8').slice(known.length),
        jumps: [gate, inner],
      };
    }

    it('strict in durant.conf, whatever they allow', async () => {
      const { connect, added, jumps } = await through(['  StrictHostKeyChecking accept-new']);
      await assert.rejects(connect({ hostKeyChecking: 'strict' }), { code: 'host-unknown' });
      assert.equal(added(), '');
      assert.doesNotMatch(jumps.map((each) => each.log()).join(''), /Accepted/);
    });

    it('strict in their own settings, whatever durant.conf allows', async () => {
      const { connect, added } = await through(['  StrictHostKeyChecking yes']);
      await assert.rejects(connect({ hostKeyChecking: 'accept-new' }), { code: 'host-unknown' });
      assert.equal(added(), '');
    });

    it('new keys are accepted where durant.conf says so, and a dry run keeps none', async () => {
      const { connect, added, jumps } = await through([]);
      for (const mayAddHostKeys of [false, true]) {
        const connection = await connect({ hostKeyChecking: 'accept-new', mayAddHostKeys });
        assert.equal((await connection.exec({ script: 'echo here' })).stdout.toString(), 'here\n');
        connection.close();
        assert.equal(added() === '', !mayAddHostKeys);
      }
      for (const jump of jumps) assert.match(jump.log(), /Accepted publickey/);
    });
  });

  it('overrides what a user configures for terminals only', async () => {
    const server = await start();
    const lines = [
      'RemoteCommand tmux',
      'RequestTTY force',
      'LocalForward 127.0.0.1:1 127.0.0.1:2',
      'ControlMaster auto',
      'ControlPath ~/.ssh/%C',
      'ControlPersist yes',
      'PermitLocalCommand yes',
      'LocalCommand exit 1',
    ];
    writeFileSync(server.sshConfig, `${lines.join('\n')}\n${readFileSync(server.sshConfig, 'utf8')}`);
    await succeeds(requestFor(server));
    const separate = await connectOpensshSharing(requestFor(server), 'separate');
    assert.equal((await separate.exec({ script: 'exit 6' })).status, 6);
    separate.close();
  });

  it('offers no forwarding where the server allows none', async () => {
    const server = await start({ config: ['AllowTcpForwarding no'] });
    const connection = await connectOpenssh(requestFor(server));
    assert.equal(await connection.forward('127.0.0.1', server.port), undefined);
    connection.close();
  });

  it('makes one connection for everything', async () => {
    const server = await start();
    const proxy = await startProxy({ port: server.port });
    const address = { ...requestFor(server).address, port: proxy.port };
    const connection = await connectOpenssh(requestFor(server, { address, hostKeyChecking: 'accept-new' }));
    await Promise.all([1, 2, 3].map(() => connection.exec({ script: 'sleep 0.1' })));
    await connection.exec({ script: 'true' });
    assert.equal(proxy.connections, 1);
    connection.close();
    await waitFor('the connection to end', () => proxy.open === 0);
    await proxy.stop();
  });

  it('leaves no ssh and no folder when its process is killed', async () => {
    const server = await start();
    const client = new URL('../../src/remote/openssh/client.ts', import.meta.url).href;
    const program = `import { connectOpenssh } from ${JSON.stringify(client)};
      const connection = await connectOpenssh({ ...${JSON.stringify(requestFor(server))}, prompt: async () => undefined, signal: new AbortController().signal });
      console.log('connected');
      await connection.exec({ script: 'sleep 1000' });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const own = (name: string): boolean => name.startsWith(`durant-${String(child.pid)}-`);
    assert.ok(readdirSync(tmpdir()).some(own));
    child.kill('SIGKILL');
    await waitFor('ssh to end', async () =>
      (await area.processes()).every((found) => !/(^|\/)ssh |durant-ssh/.test(found.command)),
    );
    await waitFor('the folder to go', () => !readdirSync(tmpdir()).some(own));
  });
});
