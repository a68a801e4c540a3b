/** The built-in client and known_hosts, against a real sshd. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnect } from '../../src/remote/connect.ts';
import { formatKnownHostsLine, hostKeyFromBlob } from '../../src/remote/knownHosts.ts';
import type { ConnectRequest, PromptRequest } from '../../src/remote/target.ts';
import { startSshd, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { writeSsh } from './sshConfig.ts';
import { requestFor } from './targets.ts';

describe('ssh2 and host keys', () => {
  let server: TestServer;
  let folder: string;
  let knownHosts: string;
  let keyLine: string;
  let otherKey: string;
  const asked: PromptRequest[] = [];

  before(async function () {
    server = await startSshd({ hostKeys: ['ed25519', 'rsa'] });
    [keyLine = ''] = server.knownHostsLines;
    const strangers = await startSshd();
    otherKey = strangers.knownHostsLines[0]?.split(' ').slice(1).join(' ') ?? '';
    await strangers.stop();
  });
  after(() => server.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'host-keys-'));
    knownHosts = join(folder, 'dot-ssh', 'known_hosts');
    asked.length = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const key = () => keyLine.split(' ').slice(1).join(' ');
  const host = () => `[127.0.0.1]:${server.port}`;
  /** Connects with these lines of known_hosts (undefined: no file) and says whether it worked. */
  async function connect(
    lines: readonly string[] | undefined,
    changes: Partial<ConnectRequest> = {},
    config: readonly string[] = [],
  ): Promise<void> {
    if (lines !== undefined) {
      knownHosts = join(folder, 'known_hosts');
      writeFileSync(knownHosts, lines.map((line) => `${line}\n`).join(''));
    }
    const sshPath = writeSsh(folder, [
      ...config,
      `UserKnownHostsFile ${knownHosts} ${join(folder, 'known_hosts2')}`,
      'GlobalKnownHostsFile /dev/null',
      `IdentityFile ${server.clientKey}`,
      'IdentityAgent none',
    ]);
    const connection = await createConnect()(requestFor(server, { client: 'ssh2', sshPath, ...changes }));
    connection.close();
  }
  const answering = (answer: string | undefined) => ({
    hostKeyChecking: 'ask' as const,
    prompt: (request: PromptRequest) => {
      asked.push(request);
      return Promise.resolve(answer);
    },
  });

  describe('lets in', () => {
    const rows: readonly (readonly [string, () => readonly string[], (readonly string[])?])[] = [
      ['a plain name', () => [keyLine]],
      ['a hashed name', () => [formatKnownHostsLine(host(), wireKey(), 'hashed')]],
      ['a wildcard', () => [`[127.0.0.*]:${server.port} ${key()}`]],
      ['the name without its port', () => [`127.0.0.1 ${key()}`]],
      ['an alias', () => [`farm ${key()}`], ['HostKeyAlias farm']],
      ['the type that is known, not the one the server prefers', () => [server.knownHostsLines[1] ?? '']],
      ['the right one of two', () => [`${host()} ${otherKey}`, keyLine]],
      ['a second file', () => ['# nothing here']],
    ];
    for (const [what, lines, config] of rows)
      it(what, async () => {
        if (what === 'a second file') writeFileSync(join(folder, 'known_hosts2'), `${keyLine}\n`);
        await connect(lines(), {}, config);
        assert.deepEqual(asked, []);
      });
  });

  const wireKey = () => hostKeyFromBlob(Buffer.from(keyLine.split(' ')[2] ?? '', 'base64'));

  describe('refuses', () => {
    const rows: readonly [string, () => readonly string[], string, RegExp][] = [
      ['an unknown host', () => [], 'host-unknown', /SHA256:/],
      [
        'a changed key',
        () => ['', `${host()} ${otherKey}`],
        'host-key-changed',
        /known_hosts:2.*ssh-keygen -f \S+ -R '\[127/,
      ],
      [
        'a revoked key',
        () => [keyLine, `@revoked * ${key()}`],
        'host-key-revoked',
        /@revoked in .*known_hosts:2/,
      ],
      [
        'an authority',
        () => [`@cert-authority * ${otherKey}`],
        'connection-unsupported',
        /@cert-authority.*ssh_client: openssh/,
      ],
      ['a negated name', () => [`[127.0.0.1]:*,!${host()} ${key()}`], 'host-unknown', /known_hosts/],
    ];
    for (const checking of ['strict', 'ask', 'accept-new'] as const)
      for (const [what, lines, code, message] of rows) {
        if (checking === 'accept-new' && code === 'host-unknown') continue;
        it(`${what} (${checking})`, async () => {
          await assert.rejects(connect(lines(), { hostKeyChecking: checking, mayAddHostKeys: true }), {
            code,
            message,
          });
          assert.equal(
            readFileSync(knownHosts, 'utf8'),
            lines()
              .map((line) => `${line}\n`)
              .join(''),
          );
        });
      }

    it('any host whose revoked keys it cannot look up', async () => {
      await assert.rejects(connect([keyLine], {}, [`RevokedHostKeys ${folder}/revoked`]), {
        code: 'connection-unsupported',
        message: /RevokedHostKeys .*revoked for 127.*ssh_client: openssh/,
      });
    });

    it('any host where HostKeyAlgorithms leaves it none', async () => {
      await assert.rejects(connect([keyLine], {}, ['HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com']), {
        code: 'connection-unsupported',
        message: /HostKeyAlgorithms ssh-ed25519-cert/,
      });
    });

    for (const hostKeyChecking of ['ask', 'accept-new'] as const)
      it(`an unknown host where StrictHostKeyChecking is yes (${hostKeyChecking})`, async () => {
        const changes = { ...answering('yes'), hostKeyChecking, mayAddHostKeys: true };
        await assert.rejects(connect([], changes, ['StrictHostKeyChecking yes']), (error: Error) => {
          assert.match(error.message, /SHA256:.*StrictHostKeyChecking of the ssh configuration is yes/);
          assert.ok(error.message.includes(keyLine));
          return true;
        });
        assert.deepEqual(asked, []);
        assert.equal(readFileSync(knownHosts, 'utf8'), '');
      });

    it('an unknown host whatever less strict the ssh configuration says', async () => {
      for (const value of ['no', 'off', 'accept-new', 'ask'])
        await assert.rejects(connect([], { hostKeyChecking: 'strict' }, [`StrictHostKeyChecking ${value}`]), {
          code: 'host-unknown',
          message: /host_key_checking is strict/,
        });
    });

    it('a host key that signs with SHA-1 alone', async () => {
      const old = await startSshd({ hostKeys: ['rsa'], config: ['HostKeyAlgorithms ssh-rsa'] });
      try {
        const sshPath = writeSsh(folder, [
          `UserKnownHostsFile ${old.knownHosts}`,
          `IdentityFile ${old.clientKey}`,
          'IdentityAgent none',
        ]);
        await assert.rejects(createConnect()(requestFor(old, { client: 'ssh2', sshPath })), {
          code: 'connection-unsupported',
        });
      } finally {
        await old.stop();
      }
    });

    it('a changed key that is then not sent a password', async () => {
      const before = server.log().length;
      await assert.rejects(connect([`${host()} ${otherKey}`], answering('yes')), {
        code: 'host-key-changed',
      });
      assert.deepEqual(asked, []);
      assert.doesNotMatch(server.log().slice(before), /userauth|Failed|Accepted/);
    });
  });

  it('takes the first type of HostKeyAlgorithms', async () => {
    await assert.rejects(
      connect([], { hostKeyChecking: 'strict' }, ['HostKeyAlgorithms rsa-sha2-256,ssh-ed25519']),
      {
        code: 'host-unknown',
        message: /The ssh-rsa key/,
      },
    );
    await connect([keyLine], {}, ['HostKeyAlgorithms rsa-sha2-256,ssh-ed25519']);
    await assert.rejects(connect([keyLine], {}, ['HostKeyAlgorithms -ssh-ed25519*,ecdsa*']), {
      code: 'host-unknown',
      message: /The ssh-rsa key/,
    });
  });

  describe('asks', () => {
    it('with type and fingerprint, and writes an accepted key down', async () => {
      await connect(undefined, { ...answering('yes'), mayAddHostKeys: true });
      assert.equal(asked.length, 1);
      const [question] = asked;
      assert.ok(question?.kind === 'host-key');
      assert.equal(question.server, server.entry);
      assert.equal(question.keyType, 'ssh-ed25519');
      assert.match(question.message, /SHA256:/);
      assert.equal(readFileSync(knownHosts, 'utf8'), `${keyLine}\n`);
      assert.equal(statSync(knownHosts).mode & 0o777, 0o600);
      assert.equal(statSync(join(folder, 'dot-ssh')).mode & 0o777, 0o700);
    });

    it('and hashes it where HashKnownHosts says so', async () => {
      await connect(undefined, { ...answering('yes'), mayAddHostKeys: true }, ['HashKnownHosts yes']);
      assert.match(readFileSync(knownHosts, 'utf8'), /^\|1\|\S+ ssh-ed25519 /);
      await connect(readFileSync(knownHosts, 'utf8').trim().split('\n'), { hostKeyChecking: 'strict' });
    });

    it('and appends a whole line to a file without a last line end', async () => {
      knownHosts = join(folder, 'known_hosts');
      writeFileSync(knownHosts, `db ${otherKey}`);
      await connect(undefined, { ...answering('yes'), mayAddHostKeys: true });
      assert.equal(readFileSync(knownHosts, 'utf8'), `db ${otherKey}\n${keyLine}\n`);
    });

    it('and writes nothing where it may not', async () => {
      await connect(undefined, { ...answering('yes'), mayAddHostKeys: false });
      assert.equal(existsSync(knownHosts), false);
    });

    for (const answer of ['no', undefined])
      it(`and takes ${answer} for no`, async () => {
        await assert.rejects(connect(undefined, { ...answering(answer), mayAddHostKeys: true }), {
          code: 'host-unknown',
        });
        assert.equal(existsSync(knownHosts), false);
      });

    it('once for several connections at the same time', async () => {
      const sshPath = writeSsh(folder, [
        `UserKnownHostsFile ${knownHosts}`,
        'GlobalKnownHostsFile /dev/null',
        `IdentityFile ${server.clientKey}`,
        'IdentityAgent none',
      ]);
      const shared = createConnect();
      const before = server.log().length;
      let answer: (text: string) => void = () => undefined;
      const answered = new Promise<string>((resolve) => {
        answer = resolve;
      });
      const prompt = (request: PromptRequest) => {
        asked.push(request);
        return answered;
      };
      const connecting = Array.from({ length: 4 }, () =>
        shared(
          requestFor(server, {
            client: 'ssh2',
            sshPath,
            hostKeyChecking: 'ask',
            mayAddHostKeys: true,
            prompt,
          }),
        ),
      );
      await waitFor('all to connect', () => server.log().slice(before).split('Connection from').length === 5);
      answer('yes');
      const connections = await Promise.all(connecting);
      for (const connection of connections) connection.close();
      assert.equal(asked.length, 1);
      assert.equal(readFileSync(knownHosts, 'utf8'), `${keyLine}\n`);
    });
  });

  it('accept-new adds without a question', async () => {
    const notices: string[] = [];
    await connect(undefined, {
      hostKeyChecking: 'accept-new',
      mayAddHostKeys: true,
      onNotice: (code) => notices.push(code),
    });
    assert.equal(readFileSync(knownHosts, 'utf8'), `${keyLine}\n`);
    assert.ok(notices.includes('host-key-added'));
  });
});
