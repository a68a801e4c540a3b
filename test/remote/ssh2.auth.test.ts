/** How the built-in client logs in: keys, agent, passphrases, passwords, several factors, against real servers. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection as ServerConnection } from 'ssh2';
import { createConnect } from '../../src/remote/connect.ts';
import type { Connection, ConnectRequest, PromptRequest } from '../../src/remote/target.ts';
import { canHaveAccounts, startSshd, type SshdOptions, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { writeSsh } from './sshConfig.ts';
import { requestFor } from './targets.ts';

describe('ssh2 logs in', function () {
  let folder: string;
  const servers: TestServer[] = [];
  const agents: ChildProcess[] = [];
  const asked: PromptRequest[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'auth-'));
    asked.length = 0;
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.kill();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: SshdOptions = {}): Promise<TestServer> {
    const server = await startSshd(options);
    servers.push(server);
    return server;
  }
  /** Makes a key; `allowed` puts it into the server's authorized_keys. */
  function makeKey(name: string, options: readonly string[] = [], allowed?: TestServer): string {
    const file = join(folder, name);
    const type = options.includes('-t') ? [] : ['-t', 'ed25519'];
    const passphrase = options.includes('-N') ? [] : ['-N', ''];
    execFileSync('ssh-keygen', ['-q', ...type, ...passphrase, '-C', name, '-f', file, ...options]);
    if (allowed) appendFileSync(join(allowed.directory, 'authorized_keys'), readFileSync(`${file}.pub`));
    return file;
  }
  async function startAgent(...keys: string[]): Promise<string> {
    const socket = join(folder, 'agent');
    agents.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    await waitFor('the agent', () => {
      try {
        for (const key of keys) execFileSync('ssh-add', ['-q', key], { env, stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
    return socket;
  }
  function connect(
    server: TestServer,
    config: readonly string[],
    changes: Partial<ConnectRequest> = {},
  ): Promise<Connection> {
    const sshPath = writeSsh(folder, [
      ...config,
      `UserKnownHostsFile ${server.knownHosts}`,
      'GlobalKnownHostsFile /dev/null',
    ]);
    return createConnect()(requestFor(server, { client: 'ssh2', sshPath, ...changes }));
  }
  async function works(...parameters: Parameters<typeof connect>): Promise<void> {
    const connection = await connect(...parameters);
    try {
      assert.equal((await connection.exec({ script: 'echo in' })).stdout.toString(), 'in\n');
    } finally {
      connection.close();
    }
  }
  const answering = (...answers: (string | undefined)[]) => ({
    prompt: (request: PromptRequest) => {
      asked.push(request);
      return Promise.resolve(answers[asked.length - 1]);
    },
  });
  const kinds = () => asked.map((request) => request.kind);
  const failures = (server: TestServer) =>
    server
      .log()
      .split('\n')
      .filter((line) => /^(Failed|Postponed) (?!none)/.test(line)).length;

  describe('with a key', () => {
    for (const [what, options] of [
      ['ed25519', ['-t', 'ed25519']],
      ['ecdsa', ['-t', 'ecdsa']],
      ['rsa', ['-t', 'rsa', '-b', '2048']],
      ['rsa in PEM', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
    ] as const)
      it(what, async () => {
        const server = await start();
        const key = makeKey('key', options, server);
        await works(server, [`IdentityFile ${key}`, 'IdentityAgent none']);
        assert.equal(failures(server), 0);
      });

    it('given as identity, whatever the configuration says', async () => {
      const server = await start();
      await works(server, ['IdentityAgent none', `IdentityFile ${makeKey('wrong')}`], {
        identity: server.clientKey,
      });
    });

    it('after others were refused', async () => {
      const server = await start();
      await works(server, [
        'IdentityAgent none',
        `IdentityFile ${makeKey('wrong')}`,
        `IdentityFile ${makeKey('wrong2', ['-t', 'rsa', '-b', '2048'])}`,
        `IdentityFile ${server.clientKey}`,
      ]);
    });

    it('though more keys were refused than the server takes at a time', async () => {
      const server = await start({ config: ['MaxAuthTries 3'] });
      const wrong = Array.from({ length: 7 }, (_, index) => `IdentityFile ${makeKey(`wrong${index}`)}`);
      await works(server, ['IdentityAgent none', ...wrong, `IdentityFile ${server.clientKey}`]);
    });
  });

  describe('with a passphrase', () => {
    for (const [what, options] of [
      ['OpenSSH format', []],
      ['PEM, whose public half is in its .pub', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
    ] as const)
      it(`asked for once: ${what}`, async () => {
        const server = await start();
        const key = makeKey('key', [...options, '-N', 'open sesame'], server);
        await works(server, ['IdentityAgent none', `IdentityFile ${key}`], answering('open sesame'));
        const [question] = asked;
        assert.ok(question?.kind === 'passphrase');
        assert.equal(question.path, key);
        assert.equal(question.attempt, 1);
      });

    it('of a PEM file alone', async () => {
      const server = await start();
      const key = makeKey('key', ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'sesame'], server);
      rmSync(`${key}.pub`);
      await works(server, ['IdentityAgent none', `IdentityFile ${key}`], answering('sesame'));
      assert.deepEqual(kinds(), ['passphrase']);
    });

    it('asked for again, three times at most', async () => {
      const server = await start({ passphrase: 'right' });
      const config = ['IdentityAgent none', `IdentityFile ${server.clientKey}`];
      await works(server, config, answering('wrong', 'wrong', 'right'));
      assert.deepEqual(
        asked.map((request) => 'attempt' in request && request.attempt),
        [1, 2, 3],
      );
      asked.length = 0;
      await assert.rejects(connect(server, config, answering('a', 'b', 'c', 'right')), {
        code: 'authentication-failed',
      });
      assert.equal(asked.length, 3);
    });

    it('only when the server wants the key', async () => {
      const server = await start();
      const locked = makeKey('locked', ['-N', 'secret']);
      await works(
        server,
        ['IdentityAgent none', `IdentityFile ${locked}`, `IdentityFile ${server.clientKey}`],
        answering(),
      );
      assert.deepEqual(asked, []);
    });

    it('once for several servers at the same time', async () => {
      const [one, two] = [await start(), await start()];
      const key = makeKey('key', ['-N', 'sesame'], one);
      appendFileSync(join(two.directory, 'authorized_keys'), readFileSync(`${key}.pub`));
      const sshPath = writeSsh(folder, [
        'IdentityAgent none',
        `IdentityFile ${key}`,
        `UserKnownHostsFile ${one.knownHosts} ${two.knownHosts}`,
      ]);
      const shared = createConnect();
      const connections = await Promise.all(
        [one, two].map((server) =>
          shared(requestFor(server, { client: 'ssh2', sshPath, ...answering('sesame') })),
        ),
      );
      for (const connection of connections) connection.close();
      assert.equal(asked.length, 1);
    });

    it('or says what to do where nobody can be asked', async () => {
      const server = await start({ passphrase: 'right' });
      await assert.rejects(connect(server, ['IdentityAgent none', `IdentityFile ${server.clientKey}`]), {
        code: 'authentication-failed',
        message: /client_key.*passphrase.*ssh-add.*terminal/,
      });
    });
  });

  describe('with an agent', () => {
    it('whose only key fits', async () => {
      const server = await start();
      await works(server, [`IdentityAgent ${await startAgent(server.clientKey)}`, 'IdentityFile none']);
      assert.equal(failures(server), 0);
    });

    it('that holds the encrypted identity file, without a question', async () => {
      const server = await start();
      const plain = makeKey('key', [], server);
      const agent = await startAgent(plain);
      execFileSync('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', plain]);
      await works(server, [`IdentityAgent ${agent}`, `IdentityFile ${plain}`], answering());
      assert.deepEqual(asked, []);
    });

    it('full of other keys: the one that is configured goes first', async () => {
      const server = await start({ config: ['MaxAuthTries 1'] });
      const wrong = Array.from({ length: 8 }, (_, index) => makeKey(`wrong${index}`));
      const agent = await startAgent(...wrong, server.clientKey);
      await works(server, [`IdentityAgent ${agent}`, `IdentityFile ${server.clientKey}`]);
      // Also where only its public half is here, and where a file is chosen that the agent does not hold.
      writeFileSync(join(folder, 'half.pub'), readFileSync(`${server.clientKey}.pub`));
      await works(server, [`IdentityAgent ${agent}`, `IdentityFile ${join(folder, 'half.pub')}`]);
      const chosen = makeKey('chosen', [], server);
      await works(server, [`IdentityAgent ${agent}`], { identity: chosen });
    });

    it('but not with keys that IdentitiesOnly leaves out', async () => {
      const server = await start();
      const agent = await startAgent(server.clientKey);
      await assert.rejects(
        connect(server, [`IdentityAgent ${agent}`, 'IdentitiesOnly yes', `IdentityFile ${makeKey('wrong')}`]),
        { code: 'authentication-failed', message: /wrong/ },
      );
    });

    it('or without one that does not answer', async () => {
      const server = await start();
      await works(server, [`IdentityAgent ${join(folder, 'no-agent')}`, `IdentityFile ${server.clientKey}`]);
    });
  });

  it('or says what was tried', async () => {
    const server = await start();
    const wrong = makeKey('wrong');
    await assert.rejects(
      connect(server, ['IdentityAgent none', `IdentityFile ${wrong}`, `IdentityFile ${folder}/missing`]),
      {
        code: 'authentication-failed',
        message: /wrong \(refused\).*missing does not exist.*publickey.*ssh-add/,
      },
    );
    await assert.rejects(connect(server, ['IdentityAgent none', 'IdentityFile none']), {
      code: 'authentication-failed',
      message: /no key was found/,
    });
  });

  describe('with a password', () => {
    const account = { name: 'durant-tester', password: 'correct horse', uid: 20_417 };
    let server: TestServer;
    beforeEach(async function () {
      if (!(await canHaveAccounts())) this.skip();
    });
    const noKey = ['IdentityAgent none', 'IdentityFile none'];

    it('asked for again when it is wrong', async () => {
      server = await start({ account });
      await works(server, noKey, answering('wrong', 'wrong', account.password));
      assert.deepEqual(kinds(), ['password', 'password', 'password']);
      const [question] = asked;
      assert.ok(question?.kind === 'password');
      assert.equal(question.user, account.name);
      assert.equal(question.host, '127.0.0.1');
    });

    it('three times at most, and never shown', async () => {
      server = await start({ account });
      await assert.rejects(
        connect(server, noKey, answering('hunter2', 'hunter2', 'hunter2', 'x')),
        (error: Error) => {
          assert.doesNotMatch(error.message, /hunter2/);
          assert.match(error.message, /password \(refused 3 times\)/);
          return true;
        },
      );
      assert.equal(asked.length, 3);
    });

    it('after a key, as a second factor', async () => {
      server = await start({ account, config: ['AuthenticationMethods publickey,password'] });
      await works(
        server,
        ['IdentityAgent none', `IdentityFile ${server.clientKey}`],
        answering(account.password),
      );
      assert.deepEqual(kinds(), ['password']);
    });

    it('and two keys', async () => {
      server = await start({ account, config: ['AuthenticationMethods publickey,publickey'] });
      const second = makeKey('second', [], server);
      await works(
        server,
        ['IdentityAgent none', `IdentityFile ${server.clientKey}`, `IdentityFile ${second}`],
        answering(),
      );
    });

    it('that is used again, without a question, to end what a server with one session runs', async () => {
      server = await start({ account, maxSessions: 1 });
      const connection = await connect(server, noKey, answering(account.password));
      const abort = new AbortController();
      await assert.rejects(
        connection.exec({
          script: 'echo started; sleep 1000',
          signal: abort.signal,
          onOutput: () => abort.abort(),
        }),
        { code: 'cancelled' },
      );
      connection.close();
      assert.equal(asked.length, 1);
      await waitFor('all to end', async () => (await server.processes()).length === 0);
    });
  });

  describe('by questions', () => {
    let embedded: ssh2.Server;
    const connections: ServerConnection[] = [];
    /** A server that lets in by keyboard-interactive, asking this. */
    async function ask(
      rounds: readonly (readonly { prompt: string; echo: boolean; answer: string }[])[],
    ): Promise<string> {
      const hostKey = readFileSync(makeKey('host'));
      embedded = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
        connections.push(client);
        client.on('error', () => undefined);
        client.on('authentication', (context: AuthContext) => {
          if (context.method !== 'keyboard-interactive') {
            context.reject(['keyboard-interactive']);
            return;
          }
          const left = [...rounds];
          const next = (): void => {
            const round = left.shift();
            if (round === undefined) context.accept();
            else
              context.prompt(
                round.map(({ prompt, echo }) => ({ prompt, echo })),
                'Two factors',
                'Look at your phone.',
                (answers: string[]) => {
                  if (round.every((question, index) => question.answer === answers[index])) next();
                  else context.reject(['keyboard-interactive']);
                },
              );
          };
          next();
        });
      });
      await new Promise<void>((resolve) => embedded.listen(0, '127.0.0.1', resolve));
      const { port } = embedded.address() as AddressInfo;
      return String(port);
    }
    afterEach(async () => {
      for (const connection of connections.splice(0)) connection.end();
      await new Promise<void>((resolve) => embedded.close(() => resolve()));
    });
    const login = async (port: string, ...answers: (string | undefined)[]) => {
      const sshPath = writeSsh(folder, [
        'IdentityAgent none',
        'IdentityFile none',
        `UserKnownHostsFile ${folder}/known_hosts`,
        'GlobalKnownHostsFile /dev/null',
      ]);
      const connection = await createConnect()({
        address: { entry: 'web', host: '127.0.0.1', user: 'me', port: Number(port), local: false, roles: [] },
        user: undefined,
        port: undefined,
        identity: undefined,
        client: 'ssh2',
        hostKeyChecking: 'accept-new',
        mayAddHostKeys: false,
        connectTimeoutMs: 5000,
        signal: new AbortController().signal,
        sshPath,
        ...answering(...answers),
      });
      connection.close();
    };

    it('password, then a code', async () => {
      const port = await ask([
        [{ prompt: 'Password: ', echo: false, answer: 'secret' }],
        [{ prompt: 'Verification code: ', echo: true, answer: '123456' }],
      ]);
      await login(port, 'secret', '123456');
      assert.deepEqual(kinds(), ['password', 'one-time-code']);
      assert.match(asked[0]?.message ?? '', /^\(\w+ on .*\) Password:$/);
      const code = asked[1];
      assert.ok(code?.kind === 'one-time-code');
      assert.equal(code.echo, true);
      assert.match(code.message, /Look at your phone\.\n\(\w+ on .*\) Verification code:/);
    });

    it('a password that is no password', async () => {
      const port = await ask([[{ prompt: 'One-time password (OTP): ', echo: false, answer: '42' }]]);
      await login(port, '42');
      assert.deepEqual(kinds(), ['one-time-code']);
    });

    it('again after a wrong answer', async () => {
      const port = await ask([[{ prompt: 'Password: ', echo: false, answer: 'secret' }]]);
      await login(port, 'wrong', 'secret');
      assert.deepEqual(
        asked.map((request) => 'attempt' in request && request.attempt),
        [1, 2],
      );
    });

    it('three times at most', async () => {
      const port = await ask([[{ prompt: 'Password: ', echo: false, answer: 'secret' }]]);
      await assert.rejects(login(port, 'a', 'b', 'c', 'secret'), { code: 'authentication-failed' });
      assert.equal(asked.length, 3);
    });

    it('or not at all where nobody answers', async () => {
      const port = await ask([[{ prompt: 'Code: ', echo: false, answer: 'secret' }]]);
      await assert.rejects(login(port), {
        code: 'authentication-failed',
        message: /“Code:” was not answered.*terminal/,
      });
      assert.equal(asked.length, 1);
    });
  });
});
