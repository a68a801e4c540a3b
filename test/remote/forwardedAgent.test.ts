/** The agent that is forwarded to servers: what it signs, and that it does nothing else. Spoken to as a server's `ssh` does. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import ssh2, { type ParsedKey } from 'ssh2';
import { createForwardedAgent, type ForwardedAgent } from '../../src/remote/agent/forwardedAgent.ts';
import { isSignatureOf } from '../../src/remote/agent/signatures.ts';
import { readWire, wireString, wireUint32 } from '../../src/remote/agent/wire.ts';
import { hostKeyFromBlob } from '../../src/remote/knownHosts.ts';
import type { Login } from '../../src/remote/target.ts';

const { utils } = ssh2;
const FAILURE = 5;
const kinds = ['ed25519', 'ecdsa', 'rsa'] as const;
type Kind = (typeof kinds)[number];

function makeKey(kind: Kind): ParsedKey {
  const made =
    kind === 'ed25519'
      ? utils.generateKeyPairSync('ed25519')
      : kind === 'ecdsa'
        ? utils.generateKeyPairSync('ecdsa', { bits: 256 })
        : utils.generateKeyPairSync('rsa', { bits: 2048 });
  const key = utils.parseKey(made.private);
  // Now and then ssh2 makes one that it cannot read.
  return key instanceof Error ? makeKey(kind) : key;
}

/** A signature as a host or an agent gives it. */
function signature(key: ParsedKey, data: Buffer): Buffer {
  const value: Buffer | Error = key.sign(data, key.type === 'ssh-rsa' ? 'sha512' : undefined);
  assert.ok(Buffer.isBuffer(value));
  if (key.type === 'ssh-rsa') return Buffer.concat([wireString('rsa-sha2-512'), wireString(value)]);
  if (key.type === 'ssh-ed25519') return Buffer.concat([wireString(key.type), wireString(value)]);
  const first = value.subarray(4, 4 + value.readUInt8(3));
  const second = value.subarray(6 + first.length);
  return Buffer.concat([
    wireString(key.type),
    wireString(Buffer.concat([wireString(first), wireString(second)])),
  ]);
}

function loginWith(host: ParsedKey, user: ParsedKey): Login {
  return {
    user: 'deploy',
    host: 'receiver',
    port: 22,
    hostKey: hostKeyFromBlob(host.getPublicSSH()),
    identity: {
      publicKey: user.getPublicSSH(),
      sign: (data, hash) => {
        const value: Buffer | Error = user.sign(data, hash);
        return Promise.resolve(Buffer.isBuffer(value) ? value : undefined);
      },
    },
  };
}

const bind = (host: ParsedKey, session: Buffer, changes: { by?: ParsedKey; forwarding?: boolean } = {}) =>
  Buffer.concat([
    Buffer.from([27]),
    wireString('session-bind@openssh.com'),
    wireString(host.getPublicSSH()),
    wireString(session),
    wireString(signature(changes.by ?? host, session)),
    Buffer.from([changes.forwarding === true ? 1 : 0]),
  ]);

function loginData(
  session: Buffer,
  user: ParsedKey,
  changes: { name?: string; service?: string; method?: string; kind?: number; rest?: Buffer } = {},
): Buffer {
  return Buffer.concat([
    wireString(session),
    Buffer.from([changes.kind ?? 50]),
    wireString(changes.name ?? 'deploy'),
    wireString(changes.service ?? 'ssh-connection'),
    wireString(changes.method ?? 'publickey'),
    Buffer.from([1]),
    wireString(user.type === 'ssh-rsa' ? 'rsa-sha2-512' : user.type),
    wireString(user.getPublicSSH()),
    changes.rest ?? Buffer.alloc(0),
  ]);
}

const sign = (key: ParsedKey, data: Buffer) =>
  Buffer.concat([Buffer.from([13]), wireString(key.getPublicSSH()), wireString(data), wireUint32(0)]);

function client(agent: ForwardedAgent) {
  const stream: Duplex = agent.open();
  return async (message: Buffer): Promise<Buffer> => {
    // In two pieces, as a network may deliver it.
    const frame = wireString(message);
    stream.write(frame.subarray(0, 3));
    stream.write(frame.subarray(3));
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    return chunk.subarray(4);
  };
}

describe('the forwarded agent', () => {
  const [hostKey, otherHost, userKey] = [makeKey('ed25519'), makeKey('ed25519'), makeKey('ed25519')];
  const sender = makeKey('ed25519');
  const session = randomBytes(32);
  const newAgent = () => createForwardedAgent(hostKeyFromBlob(sender.getPublicSSH()));

  for (const host of kinds)
    for (const user of kinds)
      it(`signs one login to a receiver with a ${host} key, by a ${user} key`, async () => {
        const [theirs, ours] = [makeKey(host), makeKey(user)];
        const agent = newAgent();
        const takeBack = agent.permit(loginWith(theirs, ours));
        const ask = client(agent);
        assert.deepEqual(await ask(bind(sender, randomBytes(32), { forwarding: true })), Buffer.from([6]));
        assert.deepEqual(await ask(bind(theirs, session)), Buffer.from([6]));
        const list = readWire(await ask(Buffer.from([11])));
        assert.deepEqual([list.byte(), list.uint32(), list.bytes()], [12, 1, ours.getPublicSSH()]);
        const data = loginData(session, ours);
        const reply = readWire(await ask(sign(ours, data)));
        assert.equal(reply.byte(), 14);
        assert.equal(isSignatureOf(ours.getPublicSSH(), reply.bytes(), data), true);
        assert.equal((await ask(sign(ours, data)))[0], FAILURE, 'a second time');
        assert.equal((await ask(Buffer.from([11]))).readUInt32BE(1), 0);
        takeBack();
      });

  it('signs the form of the login that names the host key', async () => {
    const agent = newAgent();
    agent.permit(loginWith(hostKey, userKey));
    const ask = client(agent);
    await ask(bind(hostKey, session));
    const bound = (rest: ParsedKey) =>
      sign(
        userKey,
        loginData(session, userKey, {
          method: 'publickey-hostbound-v00@openssh.com',
          rest: wireString(rest.getPublicSSH()),
        }),
      );
    assert.equal((await ask(bound(otherHost)))[0], FAILURE);
    assert.equal((await ask(bound(hostKey)))[0], 14);
  });

  it('signs nothing, and shows no key, for who has not proved where it logs in to', async () => {
    const agent = newAgent();
    const takeBack = agent.permit(loginWith(hostKey, userKey));
    const ask = client(agent);
    assert.deepEqual(await ask(Buffer.from([11])), Buffer.concat([Buffer.from([12]), wireUint32(0)]));
    assert.equal((await ask(sign(userKey, loginData(session, userKey))))[0], FAILURE);
    assert.match(takeBack() ?? '', /its ssh does not say where it logs in to/);
  });

  it('refuses a host key that is not of a server it may log in to, or that signed nothing', async () => {
    const agent = newAgent();
    const takeBack = agent.permit(loginWith(hostKey, userKey));
    for (const message of [
      bind(otherHost, session),
      bind(hostKey, session, { by: otherHost }),
      bind(hostKey, session, { forwarding: true }),
      bind(sender, session),
      Buffer.concat([bind(hostKey, session), Buffer.from([0])]),
    ]) {
      const ask = client(agent);
      assert.equal((await ask(message))[0], FAILURE);
      assert.equal((await ask(sign(userKey, loginData(session, userKey))))[0], FAILURE);
    }
    assert.match(takeBack() ?? '', /another host/);
    const late = client(agent);
    assert.equal((await late(bind(hostKey, session)))[0], FAILURE, 'after it was taken back');
  });

  it('is bound once', async () => {
    const agent = newAgent();
    agent.permit(loginWith(hostKey, userKey));
    agent.permit(loginWith(otherHost, userKey));
    const ask = client(agent);
    assert.equal((await ask(bind(hostKey, session)))[0], 6);
    assert.equal((await ask(bind(otherHost, randomBytes(32))))[0], FAILURE);
  });

  it('refuses to sign anything but that login', async () => {
    const agent = newAgent();
    const takeBack = agent.permit(loginWith(hostKey, userKey));
    const ask = client(agent);
    await ask(bind(hostKey, session));
    const other = makeKey('ed25519');
    for (const [what, message] of Object.entries({
      'another session': sign(userKey, loginData(randomBytes(32), userKey)),
      'another user': sign(userKey, loginData(session, userKey, { name: 'root' })),
      'another service': sign(userKey, loginData(session, userKey, { service: 'ssh-userauth' })),
      'another method': sign(userKey, loginData(session, userKey, { method: 'hostbased' })),
      'another message': sign(userKey, loginData(session, userKey, { kind: 90 })),
      'more than it': sign(userKey, loginData(session, userKey, { rest: Buffer.from('x') })),
      'another key': sign(other, loginData(session, other)),
      'a key in the request that is none in the login': sign(userKey, loginData(session, other)),
      'some text': sign(userKey, Buffer.from('SSHSIG and something to sign')),
      'less than a message': Buffer.from([13, 0, 0]),
    }))
      assert.equal((await ask(message))[0], FAILURE, what);
    assert.match(takeBack() ?? '', /signature that is none for this login/);
  });

  it('refuses everything else: adding, removing, locking, other extensions', async () => {
    const agent = newAgent();
    agent.permit(loginWith(hostKey, userKey));
    const ask = client(agent);
    await ask(bind(hostKey, session));
    for (const kind of [1, 9, 17, 18, 19, 20, 21, 22, 23, 25, 26, 200])
      assert.deepEqual(await ask(Buffer.from([kind])), Buffer.from([FAILURE]), String(kind));
    const extension = Buffer.concat([Buffer.from([27]), wireString('query')]);
    assert.deepEqual(await ask(extension), Buffer.from([FAILURE]));
  });

  it('ends a connection that sends more than a message may have', async () => {
    const stream = newAgent().open();
    stream.write(wireUint32(1_000_000));
    await once(stream, 'close');
  });
});
