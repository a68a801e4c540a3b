/** `fan_out`: what servers hand on to each other, what they refuse, and what nothing is handed on for. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { waitFor } from '../support/wait.ts';
import { commitVersion } from './faultsSupport.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

const ROLES = ['web', 'web', 'web', 'web', 'db'];
const servers = ROLES.map((_, index) => index);
const realSsh = '/usr/bin/ssh';

describe('fan_out', function () {
  this.timeout(180_000);
  let world: World;
  let tools: string;
  before(async () => {
    tools = mkdtempSync(join(tmpdir(), 'durant-fanout-'));
    useSsh('');
    world = await makeWorld({
      servers: servers.map(() => ({ path: `${tools}:${process.env['PATH'] ?? ''}` })),
    });
  });
  after(async () => {
    await world.remove();
    rmSync(tools, { recursive: true, force: true });
  });
  beforeEach(() => useSsh(''));

  /** The `ssh` of every server: notes who logs in to whom, then runs `instead`, or the real one. */
  function useSsh(instead: string): void {
    writeFileSync(
      join(tools, 'ssh'),
      `#!/bin/sh\necho "$HOME AGENT=$SSH_AUTH_SOCK $*" >>${tools}/calls\n${instead}\nexec ${realSsh} "$@"\n`,
      { mode: 0o755 },
    );
    rmSync(join(tools, 'calls'), { force: true });
  }
  /** `FROM>TO` for each hand-on, by the servers' numbers. */
  function handedOn(): readonly string[] {
    if (!existsSync(join(tools, 'calls'))) return [];
    const calls = readFileSync(join(tools, 'calls'), 'utf8').trim().split('\n');
    return calls.map((call) => {
      const from = world.servers.findIndex(({ home }) => call.startsWith(`${home} `));
      const to = world.servers.findIndex(({ port }) => call.includes(` -p ${port} `));
      return `${from}>${to}`;
    });
  }
  function configure(...lines: readonly string[]): void {
    world.configure(
      ['spare = no', 'fan_out = yes', ...lines],
      servers.map((index) => `${world.servers[index]?.entry ?? ''} [${ROLES[index] ?? ''}]`),
    );
  }
  async function deploy(version: string, ...args: readonly string[]) {
    commitVersion(world, version, { 'large.bin': randomBytes(1_500_000) });
    const result = await world.run(['--json', 'deploy', ...args, 'production']);
    assert.equal(result.status, 0, result.stdout);
    for (const index of servers) assert.equal(world.read('index.html', index), `${version}\n`);
    assertNothingLeft();
    return result;
  }
  const warnings = ({ events }: CliResult) =>
    events.flatMap(({ event, code, message }) =>
      event === 'warning' && code === 'fan-out' ? [String(message)] : [],
    );
  /** No agent, no known_hosts, nothing that was on its way. */
  function assertNothingLeft(): void {
    for (const index of servers) {
      const home = world.servers[index]?.home ?? '';
      assert.deepEqual(
        readdirSync(join(home, 'site/.durant')).filter((name) => name.startsWith('incoming')),
        [],
      );
      assert.deepEqual(readdirSync(home).sort(), ['site']);
    }
  }

  const cleared = (): void => {
    for (const index of servers) rmSync(world.site(index), { recursive: true, force: true });
  };

  for (const client of ['ssh2', 'openssh'])
    it(`one server of each role gets a first release from here, the others from each other (${client})`, async () => {
      configure(`ssh_client = ${client}`);
      cleared();
      const result = await deploy(`first by ${client}`);
      assert.deepEqual(warnings(result), []);
      const handed = handedOn();
      assert.deepEqual(handed.map((each) => each.split('>')[1]).sort(), ['1', '2', '3']);
      assert.match(handed[0] ?? '', /^0>/);
      const told = new Set(
        result.events.flatMap(({ event, server }) => (event === 'transfer' ? [server] : [])),
      );
      assert.equal(told.size, servers.length);
    });

  it('of a later release only what differs is handed on, and nothing of the environment file', async () => {
    useSsh(`tee ${tools}/stream.$$ | ${realSsh} "$@"; exit`);
    writeFileSync(join(world.project, 'production.env'), 'TOKEN=topsecretvalue\n');
    configure('env_file = production.env');
    commitVersion(world, 'planned', { 'large.bin': randomBytes(1_500_000) });
    const dry = await world.run(['--json', 'deploy', '-n', 'production']);
    const reasons = new Map(
      dry.events.flatMap(({ event, step, server, reason }) =>
        event === 'step' && step === 'update_code' ? [[server, String(reason)]] : [],
      ),
    );
    const first = world.servers[0]?.entry ?? '';
    assert.deepEqual(
      world.servers.map(({ entry }) =>
        reasons.get(entry)?.includes(`; from ${first}, or from a server that has it by then`),
      ),
      [false, true, true, true, false],
      [...reasons.values()].join('\n'),
    );
    const result = await deploy('later');
    assert.deepEqual(warnings(result), []);
    const streams = readdirSync(tools).filter((name) => name.startsWith('stream.'));
    assert.equal(streams.length, 3);
    for (const name of streams) {
      const stream = readFileSync(join(tools, name));
      assert.ok(stream.includes('./large.bin') && stream.includes('./index.html'));
      assert.ok(
        !stream.includes('same.txt') && !stream.includes('topsecretvalue') && !stream.includes('PRIVATE KEY'),
      );
    }
    assert.match(readFileSync(join(world.site(2), 'current/.env'), 'utf8'), /topsecretvalue/);
  });

  it('what was changed on the way is refused, and sent from here', async () => {
    useSsh(`LC_ALL=C sed s/genuine/altered/ | ${realSsh} "$@"; exit`);
    configure('after_release = echo hook > hook.txt');
    cleared();
    const result = await deploy('genuine');
    const told = warnings(result);
    assert.ok(told.length >= 2, told.join('\n'));
    for (const each of told)
      assert.match(
        each,
        /gets the release from this machine, as .* could not hand it on: what arrived was not what was sent\.$/,
      );
    for (const index of servers) assert.equal(world.read('hook.txt', index), 'hook\n');
  });

  it('a receiver that is not reached gets it from here', async () => {
    useSsh('echo "ssh: connect to host 127.0.0.1: Connection timed out" >&2; exit 255');
    configure();
    const told = warnings(await deploy('apart'));
    assert.ok(told.length >= 2, told.join('\n'));
    for (const each of told)
      assert.match(each, /could not hand it on: ssh said there: ssh: connect to host .*timed out\.$/);
  });

  it('a server whose ssh is too old hands nothing on', async () => {
    useSsh('echo "command-line: line 0: Bad configuration option: knownhostscommand" >&2; exit 255');
    configure();
    const told = warnings(await deploy('old'));
    assert.equal(told.length, 2);
    for (const each of told) assert.match(each, /hands nothing on: its ssh is older than OpenSSH 8\.9\.$/);
  });

  it('less than 1 MB comes from here', async () => {
    configure();
    commitVersion(world, 'small');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.deepEqual(handedOn(), []);
  });

  for (const [how, signal] of [
    ['killed', 'SIGKILL'],
    ['interrupted', 'SIGINT'],
  ] as const)
    it(`a client that is ${how} midway leaves nothing: no agent, no process, and a way on`, async () => {
      useSsh('');
      writeFileSync(
        join(tools, 'tar'),
        `#!/bin/sh\n[ "$*" = "-xpof -" ] || exec /usr/bin/tar "$@"\ntouch ${tools}/begun\nwhile [ "$(dd bs=20000 count=1 2>/dev/null | wc -c)" -gt 0 ]; do sleep 0.2; done\nexit 1\n`,
        { mode: 0o755 },
      );
      configure();
      commitVersion(world, how, { 'large.bin': randomBytes(6_000_000) });
      const started = world.start(['--json', 'deploy', 'production']);
      await waitFor('a server to hand on', () => existsSync(join(tools, 'begun')), 60_000);
      const sockets =
        readFileSync(join(tools, 'calls'), 'utf8')
          .match(/AGENT=\S+/g)
          ?.map((each) => each.slice(6)) ?? [];
      assert.ok(sockets.length > 0 && sockets.every((socket) => existsSync(socket)));
      started.child.kill(signal);
      await started.result;
      await waitFor(
        'everything to end on the servers',
        async () =>
          (await Promise.all(world.servers.map((server) => server.processes()))).flat().length === 0,
        60_000,
      );
      assert.ok(sockets.every((socket) => !existsSync(socket)));
      rmSync(join(tools, 'tar'));
      rmSync(join(tools, 'begun'));
      if (signal === 'SIGINT') assertNothingLeft();
      const again = await world.run(['--json', 'deploy', 'production']);
      assert.equal(finishedOf(again)['ok'], true, again.stdout);
      assertNothingLeft();
    });
});

describe('fan_out where the first server forwards no agent', function () {
  this.timeout(120_000);
  let world: World;
  before(async () => {
    world = await makeWorld({
      servers: [{ config: ['AllowAgentForwarding no'] }, {}, {}],
      conf: ['spare = no', 'fan_out = yes'],
    });
  });
  after(() => world.remove());

  it('is told once, and the next one that has it hands it on', async () => {
    commitVersion(world, 'one', { 'large.bin': randomBytes(1_500_000) });
    const result = await world.run(['--json', 'deploy', 'production']);
    assert.equal(result.status, 0, result.stdout);
    assert.deepEqual(
      result.events.flatMap(({ code, message }) => (code === 'fan-out' ? [message] : [])),
      [
        `${world.servers[0]?.entry ?? ''} hands nothing on: its sshd forwards no agent (AllowAgentForwarding).`,
      ],
    );
    for (const index of [0, 1, 2]) assert.equal(world.read('index.html', index), 'one\n');
    // The second logs in to the third as the client does.
    const logins = (index: number) => world.servers[index]?.log().match(/Accepted publickey/g)?.length ?? 0;
    assert.ok(logins(2) > logins(1) - 1, `${logins(1)} ${logins(2)}`);
  });
});
