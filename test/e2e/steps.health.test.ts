/** `health_check`: web servers on the servers' side, asked through the connection; and what happens when they do not answer well. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('health_check', function () {
  let world: World;
  let web: Server;
  let secure: Server;
  let keys: string;
  let version = 0;
  const asked: IncomingMessage[] = [];
  let answers: (number | 'silence' | 'upgrade')[] = [];
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const deploy = (...lines: string[]): Promise<CliResult> => {
    version += 1;
    world.repository.commit({ message: `v${version}`, files: { 'index.html': `v${version}\n` } });
    asked.length = 0;
    const defaults = ['health_retries = 0', 'health_timeout = 5'];
    const given = lines.map((line) => line.split(' ')[0]);
    const only = lines.flatMap((line) => (line.startsWith('only = ') ? [line.slice('only = '.length)] : []));
    world.configure(
      [...defaults, ...lines].filter(
        (line) =>
          !line.startsWith('only = ') && (lines.includes(line) || !given.includes(line.split(' ')[0])),
      ),
      only.length === 0 ? undefined : only,
    );
    return world.run(['--json', 'deploy', 'production']);
  };
  const errorOf = (result: CliResult): { code: string; message: string; changed: boolean } =>
    finishedOf(result)['error'] as { code: string; message: string; changed: boolean };

  before(async () => {
    world = await makeWorld({ servers: [{}, { config: ['AllowTcpForwarding no'] }] });
    web = createServer((request, response) => {
      asked.push(request);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === 'silence') return;
      if (answer === 'upgrade')
        response.writeHead(308, { location: `https://shop.example:${portOf(secure)}/up` });
      else response.writeHead(answer ?? 200, answer === 301 ? { location: '/elsewhere' } : {});
      response.end('body');
    });
    keys = mkdtempSync(join(tmpdir(), 'durant-tls-'));
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=shop.example'],
        ...['-keyout', join(keys, 'key'), '-out', join(keys, 'cert')],
      ],
      { stdio: 'ignore' },
    );
    secure = createSecureServer(
      { key: readFileSync(join(keys, 'key')), cert: readFileSync(join(keys, 'cert')) },
      (_, response) => response.end(),
    );
    for (const server of [web, secure])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    for (const server of [web, secure]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(keys, { recursive: true, force: true });
    await world.remove();
  });

  it('asks each server’s own port with the URL’s host, with forwarding and without', async () => {
    answers = [200];
    const result = await deploy(`health_check = http://shop.example:${portOf(web)}/up?x=1`);
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(
      asked.map(({ headers, url }) => [headers.host, url]),
      [
        [`shop.example:${portOf(web)}`, '/up?x=1'],
        [`shop.example:${portOf(web)}`, '/up?x=1'],
      ],
    );
  });

  it('fails for a redirect, follows none to elsewhere, and says where it leads', async () => {
    answers = [301];
    const result = await deploy(`health_check = http://shop.example:${portOf(web)}/`);
    assert.equal(errorOf(result).code, 'health-check-failed');
    assert.match(
      errorOf(result).message,
      new RegExp(`answered 301 and leads to http://shop\\.example:${portOf(web)}/elsewhere`),
    );
    assert.deepEqual([...new Set(asked.map(({ url }) => url))], ['/']);
  });

  it('follows a redirect to https of the same host, with forwarding and without', async () => {
    answers = ['upgrade'];
    for (const entry of world.servers.map((server) => server.entry)) {
      const result = await deploy(`health_check = http://shop.example:${portOf(web)}/`, `only = ${entry}`);
      // Whoever signed that certificate is nobody that is trusted: it came as far as that.
      assert.match(errorOf(result).message, /certificate.*by https:\/\/shop\.example:\d+\/up/s, entry);
    }
  });

  it('waits for a first certificate', async () => {
    let refusals = 3;
    const late = createTcpServer((socket) => {
      if (refusals-- <= 0) return void secure.emit('connection', socket);
      // A fatal alert, internal_error: what Caddy answers as long as it has none.
      socket.once('data', () => socket.end(Buffer.from('15030300020250', 'hex')));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
    try {
      world.repository.commit({ message: 'late', files: { 'index.html': 'late\n' } });
      const { port } = late.address() as AddressInfo;
      world.configure(
        ['health_retries = 0', 'health_timeout = 30', `health_check = https://shop.example:${port}/`],
        [world.servers[0]?.entry ?? ''],
      );
      const env = { NODE_EXTRA_CA_CERTS: join(keys, 'cert') };
      const result = await world.start(['--json', 'deploy', 'production'], { env }).result;
      assert.equal(result.status, 0, result.stdout);
      assert.equal(refusals, -1, 'it was asked again');
    } finally {
      late.close();
    }
  });

  it('is not asked where nothing changes, and once more asks the same', async () => {
    answers = [200];
    const checked = join(world.project, 'checked-twice');
    const line = (server: number): string => join(world.servers[server]?.home ?? '', 'checked');
    const count = (path: string): number =>
      existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0;
    const counts = () => [asked.length, count(line(0)), count(line(1)), count(checked)];
    const first = await deploy(
      'health_check =',
      `    http://shop.example:${portOf(web)}/up`,
      '    echo x >> ~/checked',
      `    local! echo x >> ${checked}`,
    );
    assert.equal(first.status, 0, first.stdout);
    assert.deepEqual(counts(), [2, 1, 1, 1]);
    const second = await world.run(['--json', 'deploy', 'production']);
    assert.equal(second.status, 0, second.stdout);
    assert.deepEqual(counts(), [2, 1, 1, 1]);
    const dry = await world.run(['--json', '-n', 'deploy', '--again', 'production']);
    assert.equal(dry.status, 0, dry.stdout);
    assert.deepEqual(counts(), [2, 1, 1, 1]);
    const again = await world.run(['--json', 'deploy', '--again', 'production']);
    assert.equal(again.status, 0, again.stdout);
    assert.deepEqual(counts(), [4, 2, 2, 2]);
  });

  it('switches all servers back, says what answered, and keeps the release until the next run', async () => {
    answers = [200, 404];
    const live = world.live();
    const result = await deploy(
      `health_check = http://127.0.0.1:${portOf(web)}/`,
      'after_rollback = basename "$(pwd -P)" > ../../rolled-back',
    );
    assert.equal(result.status, 1);
    assert.equal(errorOf(result).code, 'health-check-failed');
    assert.match(errorOf(result).message, /answered 404/);
    assert.equal(errorOf(result).changed, false);
    const failed = String(finishedOf(result)['release']);
    for (const server of [0, 1]) {
      assert.equal(world.live(server), live);
      assert.equal(readFileSync(join(world.site(server), 'rolled-back'), 'utf8').trim(), live);
      assert.match(
        readFileSync(join(world.site(server), '.durant/releases', `${failed}.ini`), 'utf8'),
        /^state = "failed"$/m,
      );
      assert.ok(existsSync(join(world.site(server), 'releases', failed)));
    }
    assert.equal((await world.run(['rollback', 'production', failed])).status, 1);
    answers = [200];
    const next = await world.run(['--json', 'deploy', 'production']);
    assert.equal(next.status, 0, next.stdout);
    assert.equal(existsSync(join(world.site(), 'releases', failed)), false);
  });

  it('tries again until it is up', async () => {
    answers = [503, 503, 200];
    const result = await deploy(`health_check = http://localhost:${portOf(web)}/`, 'health_retries = 2');
    assert.equal(result.status, 0, result.stdout);
    assert.ok(result.events.some((event) => event['code'] === 'health-check-retry'));
  });

  it('does not wait longer than its timeout', async () => {
    answers = ['silence'];
    const began = performance.now();
    const result = await deploy(`health_check = http://shop.example:${portOf(web)}/`, 'health_timeout = 1');
    assert.equal(errorOf(result).code, 'health-check-failed');
    assert.ok(performance.now() - began < 120_000);
    answers = [200];
  });

  it('refuses a certificate that is not trusted', async () => {
    const result = await deploy(`health_check = https://shop.example:${portOf(secure)}/`);
    assert.equal(errorOf(result).code, 'health-check-failed');
    assert.match(errorOf(result).message, /certificate/i);
  });

  it('asks nobody where nothing listens', async () => {
    const result = await deploy('health_check = http://127.0.0.1:9/');
    assert.equal(errorOf(result).code, 'health-check-failed');
  });

  it('runs commands in the release, one from here once', async () => {
    const result = await deploy(
      'health_check =',
      '    grep -q "^v" index.html',
      '    local! echo "$DURANT_COMMIT" >> ' + join(world.project, 'checked'),
      `    local! http://127.0.0.1:${portOf(web)}/from-here`,
    );
    assert.equal(result.status, 0, result.stdout);
    assert.equal(readFileSync(join(world.project, 'checked'), 'utf8').trimEnd().split('\n').length, 1);
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['/from-here'],
    );
    const failing = await deploy('health_check = echo broken; exit 7');
    assert.match(errorOf(failing).message, /exit status 7.*broken/s);
    const slow = await deploy('health_check = sleep 100', 'health_timeout = 1');
    assert.match(errorOf(slow).message, /did not end within 1 s/);
  });

  it('from here: every command is run, and again until it passes', async () => {
    const tries = join(world.project, 'tries');
    const result = await deploy(
      'health_check =',
      `    local! echo one >> ${tries}; test "$(grep -c one ${tries})" = 2`,
      `    local! echo two >> ${tries}; test "$(grep -c two ${tries})" = 3`,
      'health_retries = 2',
    );
    assert.equal(result.status, 0, result.stdout);
    assert.equal(readFileSync(tries, 'utf8'), 'one\none\ntwo\ntwo\ntwo\n');
  });

  it('cannot be asked where nothing can: a clear error before the switch', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'durant-bin-'));
    for (const tool of readdirSync('/usr/bin'))
      if (!/^(curl|wget)/.test(tool)) symlinkSync(join('/usr/bin', tool), join(bin, tool));
    const bare = await makeWorld({ servers: [{ path: bin, config: ['AllowTcpForwarding no'] }] });
    try {
      bare.configure(['health_check = http://127.0.0.1:80/']);
      for (const args of [['-n', 'deploy'], ['deploy']]) {
        const result = await bare.run(['--json', ...args, 'production']);
        assert.equal(errorOf(result).code, 'tool-missing', result.stdout);
        assert.equal(existsSync(bare.site()), false);
      }
      const check = await bare.run(['--json', 'check', '--connect', 'production']);
      assert.equal(check.status, 1);
      assert.match(check.stdout, /"step":"health_check","ok":false/);
    } finally {
      await bare.remove();
      rmSync(bin, { recursive: true, force: true });
    }
  });
});
