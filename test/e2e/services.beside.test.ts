/** A new release beside the one before it, on a real systemd behind a real Caddy: visitors who never stop asking meet neither a gap nor a bad release. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BUILT_IN_TEMPLATES } from '../../src/engine/app/builtInTemplates.ts';
import { makeCliHome, runCli, startCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { useSystemd, canBootSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';
import { finishedOf } from './world.ts';

/** How often a visitor asks, at least, in the whole of this file. */
const REQUESTS = 10_000;
/** Each connects anew; without TLS, which would take the processors from what is tested. At most a quarter of a visitor's time goes into asking. */
const PAUSE_MS = 4;

/** The same program where it makes its socket or opens its port itself. */
const listening = (version: string): string =>
  webApp(version).replace(
    'server.socket = socket.socket(fileno=3)',
    `where = sys.argv[1]
if where.isdigit():
    server.socket = socket.create_server(("127.0.0.1", int(where)), backlog=64)
else:
    server.socket = socket.socket(socket.AF_UNIX)
    server.socket.bind(where)
    server.socket.listen(64)`,
  );

describe('a release beside the one before it, on a real systemd', function () {
  this.timeout(240_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  let httpPort: number;
  let stop: () => Promise<void>;
  /** Two of them; `answers`: how many each got. */
  const visitor = { answers: [0, 0] as [number, number], failures: [] as string[], seen: new Set<string>() };

  const socket = ['[process web]', 'command = python3 app.py', 'socket = yes'];
  const port = ['[process web]', 'command = python3 app.py {port}'];
  const configure = (...lines: string[]): void => {
    const isSet = lines.some((line) => line.startsWith('drain'));
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.entry('deploy')}`,
        'project_dir = ~/site',
        'app = shop',
        'spare = no',
        'watch = 2s',
        ...(isSet ? [] : ['drain = 2s']),
        'health_retries = 0',
        'ports = 20100-20119',
        ...lines,
        '',
      ].join('\n'),
    );
  };
  const site = (...lines: string[]): void => configure('domain_name = shop.test', ...lines);
  const checked = ['health_check = /'];
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { home, cwd: project });
  const commit = (version: string, app = webApp(version)): void => {
    repository.commit({ message: version, files: { 'app.py': app } });
  };
  const deploy = async (): Promise<void> => {
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stdout + result.stderr);
  };
  const live = async (): Promise<string> =>
    (await machine.sh('basename $(readlink /home/deploy/site/current)')).trim();
  /** Unit files of the project, without releases' names. */
  const units = (): string[] =>
    readdirSync(join(machine.root, 'etc/systemd/system'))
      .filter((name) => name.startsWith('shop'))
      .map((name) => name.replace(/@\d{14}-\w+/, '@R'))
      .toSorted();
  const drained = (): Promise<unknown> =>
    waitFor('the end of what drains', () =>
      readdirSync(join(machine.root, 'home/deploy/site/.durant')).every(
        (name) => !name.startsWith('draining'),
      ),
    );

  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = get(
        {
          host: '127.0.0.1',
          port: httpPort,
          headers: { host: 'shop.test' },
          agent: new Agent({ keepAlive: false }),
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => (body += piece));
          response.on('error', reject);
          response.on('end', () =>
            response.statusCode === 200
              ? resolve(/^version ([^:]+):/.exec(body)?.[1] ?? body)
              : reject(new Error(`${response.statusCode} ${body}`)),
          );
        },
      );
      asked.setTimeout(20_000, () => asked.destroy(new Error('No answer.')));
      asked.on('error', reject);
    });
  function startVisitor(): () => Promise<void> {
    let going = true;
    const loop = async (index: 0 | 1): Promise<void> => {
      while (going) {
        const began = performance.now();
        await ask().then(
          (version) => {
            visitor.answers[index] += 1;
            visitor.seen.add(version);
          },
          (error: unknown) => visitor.failures.push(String(error)),
        );
        await pause(Math.max(PAUSE_MS, 3 * (performance.now() - began)));
      }
    };
    const both = Promise.all([loop(0), loop(1)]);
    return async () => {
      going = false;
      await both;
    };
  }
  /** No failed request so far, and only these versions answered since the last look. */
  const assertSaw = async (...versions: string[]): Promise<void> => {
    // Of each, as what one has asked for long may be answered late.
    const [one, two] = visitor.answers;
    await waitFor('further answers', () => visitor.answers[0] > one + 10 && visitor.answers[1] > two + 10);
    assert.deepEqual(visitor.failures, []);
    assert.deepEqual([...visitor.seen].toSorted(), versions.toSorted());
    visitor.seen.clear();
  };
  /** A deploy that fails, of which visitors see nothing. */
  async function assertNobodyMet(code: string, pattern: RegExp, still: string): Promise<void> {
    const before = await live();
    const result = await run('--json', 'deploy', 'production');
    assert.equal(result.status, 1, result.stdout);
    const error = finishedOf(result)['error'] as { code: string; message: string };
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    await assertSaw(still);
    assert.equal(await live(), before);
    assert.equal(units().filter((name) => name.includes('@R.service')).length, 1, units().join());
    assert.equal(await machine.sh(`systemctl is-enabled shop-web@${before}.service`), 'enabled\n');
  }

  /** As `durant setup` sets it: else Linux resets what Caddy has not accepted when it reloads. The container has the network of this machine. */
  const migrate = '/proc/sys/net/ipv4/tcp_migrate_req';
  let migrateBefore: string | undefined;

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    if (existsSync(migrate)) {
      migrateBefore = readFileSync(migrate, 'utf8');
      writeFileSync(migrate, '1');
    }
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([{ message: '1', files: { 'app.py': webApp('1'), 'public/a.css': '1' } }]);
    httpPort = Number(/\d+/.exec(await machine.sh('grep -o "http_port .*" /etc/caddy/Caddyfile'))?.[0]);
    mkdirSync(join(project, '.durant/templates'), { recursive: true });
    writeFileSync(
      join(project, '.durant/templates/Caddyfile'),
      (BUILT_IN_TEMPLATES['Caddyfile'] ?? '').replace('{{domain_name}} {', 'http://{{domain_name}} {'),
    );
  });
  beforeEach(() => visitor.seen.clear());
  after(async () => {
    if (migrateBefore !== undefined) writeFileSync(migrate, migrateBefore);
    await stop?.();
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  it('is an instance of its own, also the first', async () => {
    site(...checked, 'statics = /static/ = public/', ...socket, '[process worker]', 'command = sleep 1000');
    const dry = await run('--json', '-n', 'deploy', 'production');
    const step = dry.events.find((event) => event['step'] === 'beside');
    assert.match(
      String(step?.['reason']),
      /^shop-web@\S+\.service to start and to be asked .*; publish: beside, as web listens on a socket of systemd's$/,
    );
    await deploy();
    assert.deepEqual(units(), ['shop-web@R.service', 'shop-web@R.socket', 'shop-worker.service']);
    assert.equal(await ask(), '1');
    stop = startVisitor();
  });

  it('gets the visitors, and the one before is gone within its time; a boot starts the right one', async () => {
    const first = await live();
    commit('2');
    await deploy();
    assert.equal(await machine.sh(`systemctl is-enabled shop-web@${await live()}.service`), 'enabled\n');
    assert.doesNotMatch(
      await machine.sh(`systemctl is-enabled shop-web@${first}.service 2>&1 || :`),
      /^enabled/,
    );
    const verified = await run('verify', 'production');
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    await drained();
    assert.deepEqual(units(), ['shop-web@R.service', 'shop-web@R.socket', 'shop-worker.service']);
    assert.equal(await machine.sh('ls /run/shop | grep @'), `web@${await live()}.sock\n`);
    await assertSaw('1', '2');
  });

  it('answers nobody when it answers 500', async () => {
    commit('500', webApp('500').replace('send_response(200)', 'send_response(500)'));
    await assertNobodyMet(
      'health-check-failed',
      /\/ answered 500 \(asked of unix.*Nobody was led to it/,
      '2',
    );
    commit('500 by address', webApp('500').replace('send_response(200)', 'send_response(500)'));
    site(
      `health_check = http://shop.test:${httpPort}/`,
      ...socket,
      '[process worker]',
      'command = sleep 1000',
    );
    await assertNobodyMet('health-check-failed', /answered 500 \(asked of unix/, '2');
  });

  it('answers nobody when it dies at its start, and its log is shown', async () => {
    site(...checked, ...socket);
    commit('dead', 'raise SystemExit("no module named shop")\n');
    await assertNobodyMet(
      'health-check-failed',
      /shop-web@\S+\.service (was restarted|is failed)[^]*no module named shop/,
      '2',
    );
    assert.match((await run('app', 'production', 'logs')).stdout, /no module named shop/);
  });

  it('answers nobody when it fails its check', async () => {
    site('health_check = /ready', ...socket);
    commit(
      'unready',
      webApp('unready').replace('send_response(200)', 'send_response(503 if self.path == "/ready" else 200)'),
    );
    await assertNobodyMet('health-check-failed', /\/ready answered 503/, '2');
  });

  it('answers nobody when it ends before its time is up', async () => {
    site(...socket);
    commit(
      'ends',
      `import threading, os\nthreading.Timer(1, lambda: os._exit(3)).start()\n${webApp('ends')}`,
    );
    await assertNobodyMet('health-check-failed', /shop-web@\S+\.service (was restarted|is failed)/, '2');
  });

  it('answers nobody when Caddy refuses the site', async () => {
    await machine.sh(
      "printf 'taken.test {\\n\\trespond hi\\n}\\n' >> /etc/caddy/Caddyfile; systemctl reload caddy",
    );
    configure('domain_name = shop.test, taken.test', ...checked, ...socket);
    commit('refused');
    await assertNobodyMet('services-failed', /Caddy refused the site file/, '2');
  });

  it('listens on a port of its own, or on a socket, and answers nobody where it does neither', async () => {
    site(...checked, ...port);
    commit('3', listening('3'));
    await deploy();
    assert.match(
      readFileSync(join(machine.root, 'etc/caddy/conf.d/shop.caddy'), 'utf8'),
      /reverse_proxy 127\.0\.0\.1:201[01]\d$/m,
    );
    await assertSaw('2', '3');
    commit('deaf', 'import time\ntime.sleep(1000)\n');
    await assertNobodyMet(
      'health-check-failed',
      /nothing listens at 127\.0\.0\.1:201\d\d 2 s after its start/,
      '3',
    );

    site(...checked, '[process web]', 'command = python3 app.py {socket}');
    commit('4', listening('4'));
    await deploy();
    await assertSaw('3', '4');
  });

  it('may have another name', async () => {
    site(
      'upstream = unix//run/shop/shop.sock',
      ...checked,
      '[process shop]',
      'command = python3 app.py',
      'socket = yes',
    );
    commit('5');
    await deploy();
    await drained();
    assert.deepEqual(units(), ['shop-shop@R.service', 'shop-shop@R.socket']);
    await assertSaw('4', '5');
  });

  it('takes over from one that was restarted, and back', async () => {
    site('publish = restart', ...checked, ...socket);
    commit('6');
    await deploy();
    await drained();
    assert.deepEqual(units(), ['shop.service', 'shop.socket']);
    site(...checked, ...socket);
    commit('7');
    await deploy();
    await drained();
    assert.deepEqual(units(), ['shop-web@R.service', 'shop-web@R.socket']);
    await assertSaw('5', '6', '7');
  });

  it('is gone back to, also while it drains', async () => {
    site(...checked, ...port);
    const one = await ask();
    commit('8', listening('8'));
    await deploy();
    await drained();
    const back = await run('rollback', 'production');
    assert.equal(back.status, 0, back.stdout + back.stderr);
    assert.equal(await ask(), one);
    await drained();
    await assertSaw(one, '8');

    site('drain = 10m', ...checked, ...port);
    commit('9', listening('9'));
    const old = await live();
    const started = (): Promise<string> =>
      machine.sh(`systemctl show -p ExecMainStartTimestampMonotonic shop-web@${old}.service`);
    const since = await started();
    await deploy();
    site('drain = 1s', ...checked, ...port);
    const again = await run('rollback', 'production');
    assert.equal(again.status, 0, again.stdout + again.stderr);
    assert.equal(await started(), since, 'the very process');
    assert.equal(await machine.sh(`systemctl is-enabled shop-web@${old}.service`), 'enabled\n');
    await drained();
    await waitFor('the end of the other', () => units().filter((name) => name.includes('@R')).length === 2);
    await assertSaw(one, '9');
  });

  it('waits for what drains, and says so; with 0s nothing drains', async () => {
    site('drain = 10m', ...checked, ...port);
    commit('drains', listening('drains'));
    await deploy();
    site('drain = 0s', ...checked, ...port);
    commit('waited', listening('waited'));
    const next = startCli(['deploy', 'production'], { home, cwd: project });
    await next.waitForOutput(
      /waits at most \d{3} s for the end of the process before the live one \(drain\)/,
      60_000,
    );
    await machine.sh('rm /home/deploy/site/.durant/draining');
    assert.equal((await next.result).status, 0);
    assert.equal(await ask(), 'waited');
    await waitFor('the end of the others', () => units().filter((name) => name.includes('@R')).length === 1);
    await drained();
    visitor.seen.clear();
  });

  it('runs for the login user', async () => {
    await machine.sh('loginctl enable-linger deploy');
    site('systemd = user', ...checked, ...port);
    commit('10', listening('10'));
    await deploy();
    commit('11', listening('11'));
    await deploy();
    await drained();
    const folder = join(machine.root, 'home/deploy/.config/systemd/user');
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('.service')).length, 1);
    assert.equal(await ask(), '11');
  });

  it(`has failed none of ${REQUESTS} requests`, async () => {
    await waitFor('all of them', () => visitor.answers[0] + visitor.answers[1] >= REQUESTS, 200_000);
    await stop();
    assert.deepEqual(visitor.failures, []);
    const down = await run('down', 'production', '--yes');
    assert.equal(down.status, 0, down.stdout + down.stderr);
    assert.deepEqual(units(), []);
    assert.equal(existsSync(join(machine.root, 'etc/caddy/conf.d/shop.caddy')), false);
  });
});
