import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createMasker } from '../../src/config/values/mask.ts';
import { createMaskStream } from '../../src/config/values/maskStream.ts';
import type { Settings } from '../../src/config/options/options.ts';
import { parseConf } from '../../src/config/syntax/parse.ts';
import { secretFromEnvironment, secretVariable } from '../../src/config/values/resolvers.ts';
import {
  resolveGoal,
  resolveProcess,
  resolveSettings,
  resolveVariable,
  type ShellResult,
  type ValueIo,
} from '../../src/config/values/settings.ts';
import { DurantError } from '../../src/errors.ts';

const HEAD = '[p]\nserver: web1\nproject_dir: /srv/x\nrepository: .\n';
const PGP = '-----BEGIN PGP MESSAGE-----\n\nhQEMA=\n=abcd\n-----END PGP MESSAGE-----';
const indented = (text: string): string => text.replaceAll('\n', '\n    ');

function runShell(command: string): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command]);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({
        status: code ?? 1,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}

function io(more: Partial<ValueIo> = {}): ValueIo {
  return {
    env: { BRANCH: 'release', SERVERS: 'web2, web3', EMPTY: '', LINES: 'one, 1\ntwo' },
    runShell: (command) => runShell(command),
    secret: (name) => Promise.resolve(name === 'db' ? "hunter2's" : undefined),
    gpg: (message) => Promise.resolve(message === PGP ? 'decrypted words\n' : ''),
    signal: new AbortController().signal,
    ...more,
  };
}

const settings = async (text: string, more: Partial<ValueIo> = {}): Promise<Settings> =>
  (await resolveSettings(parseConf(text), 'p', io(more))).settings;

/** What stands in the stage (and further sections), and the values that follow. */
const VALUES: readonly (readonly [text: string, values: Partial<Settings>])[] = [
  ['branch: env!BRANCH', { branch: 'release' }],
  ['branch:', { branch: undefined }],
  ['branch: sh!echo main', { branch: 'main' }],
  ['branch: sh!echo a |\n  cat', { branch: 'a' }],
  ['branch: var!Tag\n[vars]\ntag: v1', { branch: 'v1' }],
  ['branch: var!a\n[vars]\na: var!b\nb: env!BRANCH', { branch: 'release' }],
  ['branch: %(x)s\nx: env!BRANCH', { branch: 'release' }],
  ['keep_releases: sh!echo 7', { keep_releases: 7 }],
  ['connect_timeout: sh!echo 2m', { connect_timeout: 120_000 }],
  ['protected: sh!echo On', { protected: true }],
  ['exclude: env!SERVERS', { exclude: ['web2', 'web3'] }],
  ['exclude: a, env!BRANCH, c', { exclude: ['a', 'release', 'c'] }],
  ['exclude:\n  a, b\n  env!LINES', { exclude: ['a, b', 'one, 1\ntwo'] }],
  ['exclude: env!EMPTY', { exclude: [] }],
  ['exclude: sh!echo a, b', { exclude: ['a', 'b'] }],
  ['vendors: echo a, b', { vendors: ['echo a, b'] }],
  ['vendors: env!LINES', { vendors: ['one, 1', 'two'] }],
  [
    'after_deploy:\n  local! sh!echo x\n  once! env!BRANCH\n  y',
    { after_deploy: ['local! x', 'once! release', 'y'] },
  ],
  ['env: A=1, B=env!BRANCH, C=x=y', { env: { A: '1', B: 'release', C: 'x=y' } }],
  ['env: E=env!EMPTY', { env: { E: '' } }],
  [`env:\n    A=1\n    T=${indented(PGP)}\n    B=2`, { env: { A: '1', T: 'decrypted words', B: '2' } }],
  [`exclude: ${indented(PGP)}`, { exclude: ['decrypted words'] }],
  // A message begins on its key's line or on any line after it.
  [`version:${indented(`\n${PGP}`)}`, { version: 'decrypted words' }],
  [`exclude:${indented(`\n\n${PGP}`)}`, { exclude: ['decrypted words'] }],
  [`version: var!t\n[vars]\nt:${indented(`\n${PGP}`)}`, { version: 'decrypted words' }],
  [`vendors: var!t\n[vars]\nt:${indented(`\n\n${PGP}`)}`, { vendors: ['decrypted words'] }],
  [`env: T=var!t\n[vars]\nt:${indented(`\n${PGP}`)}`, { env: { T: 'decrypted words' } }],
  // What a resolver gives is never resolved again.
  ['vendors: sh!echo "sh!touch x"', { vendors: ['sh!touch x'] }],
];

/** What stands in the stage, and what the error says. */
const ERRORS: readonly (readonly [text: string, code: string, message: RegExp])[] = [
  ['branch: env!NOPE', 'unresolved-value', /"branch" in \[p\].*NOPE/],
  ['branch: sh!echo bad >&2; exit 3', 'unresolved-value', /"branch".*exit status 3.*bad/],
  ['branch: var!nope\n[vars]\nnop: 1', 'unresolved-value', /"branch".*nope.*Did you mean nop\?/],
  ['branch: var!x\n[DEFAULT]\nx: 1', 'unresolved-value', /"branch".*x/],
  ['branch: var!a\n[vars]\na: var!b\nb: var!a', 'unresolved-value', /leads back to itself/],
  ['branch: secret!none', 'unresolved-value', /"branch".*none.*DURANT_SECRET_NONE/],
  ['keep_releases: sh!echo x', 'config-invalid', /"keep_releases" in \[p\].*whole number/],
  ['ssh_port: secret!db', 'config-invalid', /"\*\*\*" is not a whole number/],
  ['exclude: a\nserver: env!EMPTY', 'config-invalid', /"server".*required/],
  ['env: A=1, env!BRANCH', 'config-invalid', /NAME=value/],
  // Whatever is in armour is not a command, not even line by line.
  [`vendors: sh!printf -- "${PGP.replaceAll('\n', '\\n')}"`, 'config-invalid', /"vendors".*is not a command/],
  [
    'vendors: var!t\n[vars]\nt:\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    touch x',
    'config-invalid',
    /"vendors".*is not a command/,
  ],
  ['vendors: local! -----BEGIN PGP PUBLIC KEY-----', 'config-invalid', /"vendors".*is not a command/],
];

describe('config: values', () => {
  for (const [text, values] of VALUES)
    it(JSON.stringify(text), async () => {
      const found = await settings(HEAD + text);
      for (const [key, value] of Object.entries(values))
        assert.deepEqual(found[key as keyof Settings], value);
    });

  for (const [text, code, message] of ERRORS)
    it(`${code}: ${JSON.stringify(text)}`, async () => {
      const head = text.includes('server:') ? HEAD.replace('server: web1\n', '') : HEAD;
      await assert.rejects(settings(head + text), (error) => {
        assert.ok(error instanceof DurantError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('hunter2'));
        return true;
      });
    });

  it('defaults, servers and inherited values', async () => {
    const found = await settings(
      '[DEFAULT]\nuser: u\n[p]\nserver: local, [::1]:22, a@b\nproject_dir: ~/%(user)s\nrepository: .',
    );
    assert.equal(found.project_dir, '~/u');
    assert.equal(found.remote, 'origin');
    assert.equal(found.connect_timeout, 15_000);
    assert.equal(found.command_timeout, undefined);
    assert.equal(found.keep_releases, 5);
    assert.deepEqual(found.pipeline, ['deploy']);
    assert.deepEqual(found.before_symlink, []);
    assert.deepEqual(found.server, [
      { entry: 'local', host: 'local', user: undefined, port: undefined, local: true, roles: [] },
      { entry: '[::1]:22', host: '::1', user: undefined, port: 22, local: false, roles: [] },
      { entry: 'a@b', host: 'b', user: 'a', port: undefined, local: false, roles: [] },
    ]);
  });

  it('roles of servers, in brackets after a blank', async () => {
    for (const list of ['web1 [web], [::1]:22 [db, worker], c', '\n web1 [web]\n [::1]:22 [db worker]\n c']) {
      const found = await settings(`[p]\nserver:${list}\nproject_dir: /x\nrepository: .`);
      assert.deepEqual(
        found.server.map(({ entry, host, roles }) => [entry, host, roles]),
        [
          ['web1', 'web1', ['web']],
          ['[::1]:22', '::1', ['db', 'worker']],
          ['c', 'c', []],
        ],
      );
    }
  });

  it('secrets are named, also through var! and in lists; each is asked for once', async () => {
    const asked: string[] = [];
    const { secrets } = await resolveSettings(
      parseConf(
        `${HEAD}branch: var!t\nenv: A=secret!b\nexclude: secret!c\nvendors: ${indented(PGP)}\n[vars]\nt: secret!b`,
      ),
      'p',
      io({
        secret: (name) => {
          asked.push(name);
          return Promise.resolve(`${name}${name}1, x`.replace('bb1, x', 'bb1'));
        },
      }),
    );
    assert.deepEqual([...secrets].sort(), ['bb1', 'cc1', 'cc1, x', 'decrypted words', 'x']);
    assert.deepEqual(asked.sort(), ['b', 'c']);
  });

  it('gpg failing is an error that names the key', async () => {
    const gpg = (): Promise<string> => Promise.reject(new Error('No secret key'));
    await assert.rejects(
      settings(`${HEAD}branch: ${indented(PGP)}`, { gpg }),
      /"branch" in \[p\].*No secret key/,
    );
  });

  it('an aborted signal ends it', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(settings(`${HEAD}branch: env!BRANCH`, { signal }), { code: 'cancelled' });
  });

  it('goals and processes', async () => {
    const doc = parseConf(
      '[DEFAULT]\nuser: u\n[goal t]\ntype: http_ok\nurl: https://x/\nretries: 2\n[goal m]\ntype: ./m.mjs\nwhatever: env!BRANCH\n[process web]\ncommand: run\nreplicas: 2',
    );
    const goal = await resolveGoal(doc, 't', io());
    assert.equal(goal.settings.retries, 2);
    assert.equal(goal.settings.retry_delay, 10_000);
    assert.equal(goal.settings['url'], 'https://x/');
    assert.equal((await resolveGoal(doc, 'm', io())).settings['whatever'], 'release');
    const process = await resolveProcess(doc, 'web', io());
    assert.equal(process.settings.replicas, 2);
    assert.equal(process.settings.user, 'u');
    await assert.rejects(resolveProcess(doc, 'nope', io()), { code: 'config-invalid' });
  });

  it('one variable', async () => {
    const doc = parseConf('[DEFAULT]\nx: 1\n[vars]\nversion: sh!echo 1.2\nt: secret!db');
    assert.deepEqual(await resolveVariable(doc, 'version', io()), { value: '1.2', secrets: [] });
    assert.deepEqual(await resolveVariable(doc, 't', io()), { value: "hunter2's", secrets: ["hunter2's"] });
    assert.equal(await resolveVariable(doc, 'x', io()), undefined);
  });

  it('secrets of the environment', () => {
    assert.equal(secretVariable('db-password'), 'DURANT_SECRET_DB_PASSWORD');
    assert.equal(secretFromEnvironment('db', { DURANT_SECRET_DB: 'x' }), 'x');
    assert.equal(secretFromEnvironment('db', { DURANT_SECRET_db: 'y' }), 'y');
    assert.equal(secretFromEnvironment('db', {}), undefined);
  });
});

/** Secrets, a text, and what people see of it. */
const MASKS: readonly (readonly [secrets: readonly string[], text: string, seen: string])[] = [
  [[], 'abc', 'abc'],
  [[''], 'abc', 'abc'],
  [['hunter2'], 'a hunter2 xhunter2x', 'a *** x***x'],
  [['ab', 'short', 'abcdef'], 'abcdef ab short', '*** ab short'],
  [['a+b(c)*'], 'x a+b(c)* y', 'x *** y'],
  [
    ["it's so"],
    "echo 'it'\\''s so' 'it'\"'\"'s so' it\\'s\\ so $'it\\'s so' it's so",
    "echo '***' '***' *** $'***' ***",
  ],
  [['a"b$c`d'], 'echo "a\\"b\\$c\\`d"', 'echo "***"'],
  [['a b&c/d'], 'x?q=a%20b%26c%2Fd&r=a+b%26c%2Fd&s=a+b%26c%2fd', 'x?q=***&r=***&s=***'],
  [['pass(word)!'], 'pass%28word%29%21', '***'],
  [['hunter22'], Buffer.from('hunter22').toString('base64'), '***'],
  [['hunter22'], Buffer.from('hunter22').toString('hex').toUpperCase(), '***'],
  [['~~~???>>>'], Buffer.from('~~~???>>>').toString('base64url'), '***'],
  [['say "hi"'], JSON.stringify({ m: 'say "hi"' }), '{"m":"***"}'],
  [['line one\n}\nline two'], 'x line one\n}\nline two y', 'x *** y'],
  [['line one\r\n}\r\nline two\n'], 'got line two\n} and line one', 'got ***\n} and ***'],
];

describe('config: masking', () => {
  for (const [secrets, text, seen] of MASKS)
    it(`${JSON.stringify(secrets)} in ${JSON.stringify(text)}`, () => {
      assert.equal(createMasker(secrets)(text), seen);
    });

  it('base64 of something longer, wherever a secret stands in it, and its lines', () => {
    const secret = 'a-Secret-of-some-length';
    const mask = createMasker([secret]);
    for (const before of ['', 'u', 'u:', 'us:', 'use:', 'user:']) {
      const seen = mask(Buffer.from(`${before}${secret} and more`).toString('base64'));
      const plain = Buffer.from(seen.replaceAll('***', ''), 'base64').toString('latin1');
      assert.match(seen, /\*\*\*/, before);
      assert.doesNotMatch(plain, /Secret|some|leng/, before);
    }
    const long = randomBytes(200).toString('base64');
    for (const columns of [76, 64])
      for (const line of Buffer.from(long)
        .toString('base64')
        .match(new RegExp(`.{1,${columns}}`, 'g')) ?? [])
        assert.equal(createMasker([long])(line), '***');
  });

  it('of what comes in pieces: the same for any cut, and what is no secret byte for byte', () => {
    const secrets = ['hunter22', 'hunter22-and-more', 'two words', 'größer als'];
    const text = Buffer.concat([
      Buffer.from('a hunter22 b hunter22-and-more hunt hunter2 c größer als'),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(`two words ${Buffer.from('two words').toString('base64')}\nhunter22-and`),
    ]);
    const expected = Buffer.concat([
      Buffer.from('a *** b *** hunt hunter2 c ***'),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from('*** ***\n***-and'),
    ]);
    for (const size of [1, 2, 5, 1000]) {
      const stream = createMaskStream(secrets);
      const seen: Buffer[] = [];
      for (let at = 0; at < text.length; at += size) seen.push(stream.write(text.subarray(at, at + size)));
      seen.push(stream.end());
      assert.deepEqual(Buffer.concat(seen).toString('latin1'), expected.toString('latin1'), `${size}`);
    }
  });

  it('of pieces with pauses: a question is seen whole, and of a secret three characters at most', () => {
    const stream = createMaskStream(['hunter22']);
    const show = (text: string) => `${stream.write(Buffer.from(text))}|${stream.idle()}`;
    assert.equal(show('Name? h'), 'Name? |h');
    assert.equal(show('u'), '|u');
    assert.equal(show('n'), '|n');
    assert.equal(show('t'), '|');
    assert.equal(show('er22 and'), '*** and|');
    assert.equal(show(' hun'), ' |hun');
    assert.equal(show('g'), 'g|');
    assert.equal(show(' hunte'), ' |');
    assert.equal(stream.end().toString(), 'hunte');
  });

  it('is only for values of secret sources and names, and passwords of URLs', async () => {
    const { secrets } = await resolveSettings(
      parseConf(
        `${HEAD.replace('repository: .', 'repository: https://me:pa%40ssword@example.org/x.git')}branch: env!BRANCH
env:
  LOG_LEVEL=info-level
  MONGO_DSN=written-out
  APIKEY=env!BRANCH
  KEYBOARD=qwertyuiop
  NAME=var!db_password
  OTHER=sh!echo other-value
  DATABASE_URL=postgres://u:$PASSWORD@db/x
vendors: login %(admin_password)s
admin_password: for-vendors
[vars]
db_password: of-vars`,
      ),
      'p',
      io(),
    );
    assert.deepEqual([...secrets].sort(), [
      'for-vendors',
      'of-vars',
      'pa%40ssword',
      'pa@ssword',
      'release',
      'written-out',
    ]);
  });
});
