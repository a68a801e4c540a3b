/** Roles and waves on five real servers: what runs where, what is switched when, and what a wave that turns bad leaves. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitVersion, onEvent, step } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const ROLES = ['web', 'web', 'web', 'db', 'db worker'];

describe('a fleet of five servers', function () {
  let world: World;
  const everywhere = [0, 1, 2, 3, 4];
  const entry = (server: number) => world.servers[server]?.entry ?? '';
  const configure = (...lines: readonly string[]): void =>
    world.configure(
      ['spare = no', ...lines],
      everywhere.map((server) => `${entry(server)} [${ROLES[server] ?? ''}]`),
    );
  /** What commands have written into a file of each server's home. */
  const notes = (name: string) =>
    everywhere.map((server) => {
      const file = join(world.servers[server]?.home ?? '', name);
      if (!existsSync(file)) return '';
      const text = readFileSync(file, 'utf8').trim().replaceAll('\n', ' ');
      rmSync(file);
      return text;
    });
  const versions = () =>
    everywhere.map((server) =>
      world.live(server) === undefined ? '-' : world.read('index.html', server).trim(),
    );
  const statusOf = async () =>
    JSON.parse((await world.run(['--json', 'status', 'production'])).stdout).stages[0];
  const record = (server: number) =>
    readFileSync(join(world.site(server), '.durant/releases', `${world.live(server) ?? ''}.ini`), 'utf8');

  before(async () => {
    world = await makeWorld({ servers: everywhere.map(() => ({})) });
  });
  after(() => world.remove());

  it('runs commands on the servers with their role, migrations on the first of release_role', async () => {
    configure(
      'release_role = db',
      'release_command = echo migrated >> ~/notes',
      'vendors =',
      '    on web! echo assets >> ~/notes',
      '    once db! echo schema >> ~/notes',
      '    once! echo first >> ~/notes',
      '    echo all >> ~/notes',
      'health_check = on worker! echo asked >> ~/notes',
    );
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(notes('notes'), [
      'assets first all',
      'assets all',
      'assets all',
      'schema all migrated',
      'all asked',
    ]);
    assert.match(record(4), /^roles = "db,worker"$/m);
    assert.doesNotMatch(record(0), /^wave/m);
    const status = await statusOf();
    assert.deepEqual(
      status.servers.map(({ server, roles }: { server: string; roles: string[] }) => [
        server,
        roles.join(' '),
      ]),
      everywhere.map((server) => [entry(server), ROLES[server]]),
    );
    assert.equal(status.wave, null);
    assert.deepEqual(
      result.events.find(({ event }) => event === 'run-started')?.['servers'],
      everywhere.map(entry),
    );
  });

  it('--role limits a run; without a server of release_role the command is left out, and that is said', async () => {
    const result = await world.run(['--json', 'deploy', '--role', 'web', '--again', 'production']);
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(notes('notes'), ['assets first all', 'assets all', 'assets all', '', '']);
    assert.deepEqual(
      result.events.flatMap(({ event, code }) => (event === 'warning' ? [code] : [])),
      ['release-command-skipped'],
    );
    const unknown = await world.run(['deploy', '--role', 'wbe', 'production']);
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /No server of the stage has the role "wbe"\. Its roles are web, db, worker/);
  });

  it('switches wave after wave, with hooks around each and checks in the pause', async () => {
    configure(
      'waves = 1, 25%, rest',
      'wave_pause = 6s',
      'health_check = while [ -e ~/hold ]; do sleep 0.1; done; echo checked >> ~/checks',
      'health_timeout = 2m',
      'before_wave =',
      `    local! echo "drain $DURANT_WAVE: $DURANT_SERVERS" >> ${world.project}/balancer`,
      '    once! echo $DURANT_WAVE >> ~/notes',
      'after_wave = local! echo "enable $DURANT_WAVE" >> ' + `${world.project}/balancer`,
    );
    commitVersion(world, 'v2');
    const dry = await world.run(['--json', '-n', 'deploy', 'production']);
    const waveOf = new Map(
      dry.events.flatMap(({ event, step: name, server, reason }) =>
        event === 'step' && name === 'symlink' ? [[server, /wave \d of \d/.exec(String(reason))?.[0]]] : [],
      ),
    );
    assert.deepEqual(
      everywhere.map((server) => waveOf.get(entry(server))),
      ['wave 1 of 3', 'wave 2 of 3', 'wave 2 of 3', 'wave 3 of 3', 'wave 3 of 3'],
    );
    const started = world.start(['--json', 'deploy', 'production']);
    // The pause ends no sooner than somebody has looked.
    const hold = join(world.servers[0]?.home ?? '', 'hold');
    const seen: string[][] = [];
    const looks: Promise<{ readonly wave: unknown }>[] = [];
    for (const wave of ['wave 1', 'wave 2'])
      onEvent(
        started,
        (event) => step('wave_pause', 'running')(event) && String(event['reason']).startsWith(wave),
        () => {
          writeFileSync(hold, '');
          seen.push(versions());
          looks.push(statusOf().finally(() => rmSync(hold)));
        },
      );
    const result = await started.result;
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(versions(), Array(5).fill('v2'));
    assert.deepEqual(
      seen.map((each) => each.map((version) => version === 'v2')),
      [
        [true, false, false, false, false],
        [true, true, true, false, false],
      ],
    );
    assert.deepEqual(
      (await Promise.all(looks)).map(({ wave }) => wave),
      [
        { number: 1, of: 3 },
        { number: 2, of: 3 },
      ],
    );
    const name = (from: number, to: number) => everywhere.slice(from, to).map(entry).join(' ');
    assert.deepEqual(readFileSync(join(world.project, 'balancer'), 'utf8').trim().split('\n'), [
      `drain 1 of 3: ${name(0, 1)}`,
      'enable 1 of 3',
      `drain 2 of 3: ${name(1, 3)}`,
      'enable 2 of 3',
      `drain 3 of 3: ${name(3, 5)}`,
      'enable 3 of 3',
    ]);
    assert.deepEqual(notes('notes'), ['1 of 3', '2 of 3', '', '3 of 3', '']);
    // Once after its own switch, then in each pause of 6 s twice; once where looking at the first server took long.
    const [first = 0, ...others] = notes('checks').map((text) => text.split(' ').length);
    assert.ok(first >= 3 && first <= 5, String(first));
    assert.ok(
      others.slice(0, 2).every((count) => count >= 2 && count <= 3),
      others.join(),
    );
    assert.deepEqual(others.slice(2), [1, 1]);
    assert.equal((await statusOf()).wave, null);
    assert.doesNotMatch(record(0), /^wave/m);
  });

  it('a wave that turns bad in its pause is switched back, and later ones never were', async () => {
    configure('waves = 2', 'wave_pause = 6s', 'health_retries = 0', 'health_check = test ! -e ~/bad');
    commitVersion(world, 'v3');
    const started = world.start(['--json', 'deploy', 'production']);
    let live: string[] = [];
    onEvent(started, step('wave_pause', 'running'), () => {
      live = versions();
      writeFileSync(join(world.servers[1]?.home ?? '', 'bad'), '');
    });
    const result = await started.result;
    assert.equal(result.status, 1, result.stdout);
    assert.deepEqual(live, ['v3', 'v3', 'v2', 'v2', 'v2']);
    assert.deepEqual(versions(), Array(5).fill('v2'));
    const { error, servers } = finishedOf(result) as {
      error: { code: string; changed: boolean };
      servers: { state: string }[];
    };
    assert.deepEqual([error.code, error.changed], ['health-check-failed', false]);
    assert.deepEqual(
      servers.map(({ state }) => state),
      ['reverted', 'reverted', 'unchanged', 'unchanged', 'unchanged'],
    );
    rmSync(join(world.servers[1]?.home ?? '', 'bad'));
  });

  it('a run that died between two waves: its servers agree again before the next deploy', async () => {
    configure('waves = 2', 'wave_pause = 1h', 'dead_man = no');
    const started = world.start(['--json', 'deploy', 'production']);
    onEvent(started, step('wave_pause', 'running'), () => started.kill());
    await started.result;
    assert.deepEqual(versions(), ['v3', 'v3', 'v2', 'v2', 'v2']);
    const status = await statusOf();
    assert.deepEqual(status.wave, { number: 1, of: 3 });
    assert.equal(status.mixed, true);
    configure();
    const again = await world.run(['--json', 'deploy', 'production']);
    assert.equal(again.status, 0, again.stdout);
    assert.ok(again.events.some(({ code }) => code === 'switched-back'));
    assert.deepEqual(versions(), Array(5).fill('v3'));
    const back = await world.run(['--json', 'rollback', 'production']);
    assert.equal(back.status, 0, back.stdout);
    assert.deepEqual(versions(), Array(5).fill('v2'));
  });

  it('installs on the servers with the roles that are for it, and a dry run says so', async () => {
    configure(
      'install_mode = binary',
      'install_roles = web, worker',
      'app = tool',
      'before_deploy = echo tool > built',
      'distfile = built',
      'vendors =',
      '    on worker! echo assets >> ~/notes',
    );
    const dry = await world.run(['--json', '-n', 'deploy', 'production']);
    const reasons = (name: string) =>
      everywhere.map(
        (server) =>
          dry.events.find((event) => event['step'] === name && event['server'] === entry(server))?.['reason'],
      );
    const [installed, left] = [
      'built to install as tool',
      'only on servers with a role of install_roles: web, worker',
    ];
    assert.deepEqual(reasons('install'), [installed, installed, installed, left, installed]);
    const none = 'none of them is for this server';
    assert.deepEqual(reasons('vendors'), [none, none, none, none, '1 to run']);
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(
      everywhere.map((server) => existsSync(join(world.site(server), 'current/tool'))),
      [true, true, true, false, true],
    );
    assert.deepEqual(notes('notes'), ['', '', '', '', 'assets']);
  });
});
