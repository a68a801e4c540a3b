/** Every failure of a real deploy day: its own code and sentence, the remedy in it, the exit status, and whether anything changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { canHaveAccounts } from '../support/sshd.ts';
import { commitVersion, step } from './faultsSupport.ts';
import { removeTree } from '../support/remove.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly changed: boolean;
}

/** The error of a run, the same in events and in words. */
function errorOf(result: CliResult): Failure {
  return finishedOf(result)['error'] as Failure;
}

describe('errors of a deploy day', function () {
  let world: World;
  const first = () => world.servers[0]?.entry ?? '';
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());
  beforeEach(() => {
    for (const server of [0, 1]) removeTree(world.site(server));
    world.configure(['spare = no']);
  });

  /** Runs and checks code, status and sentence; with nothing live and no lock left. */
  async function assertFails(
    expected: { readonly code: string; readonly says: RegExp; readonly status?: number },
    args: readonly string[] = ['deploy', 'production'],
  ): Promise<CliResult> {
    const result = await world.run(['--json', ...args]);
    const error = errorOf(result);
    assert.equal(error.code, expected.code, result.stdout);
    assert.match(error.message, expected.says);
    assert.equal(error.changed, false);
    assert.equal(result.status, expected.status ?? 1);
    for (const server of [0, 1]) assert.equal(existsSync(join(world.site(server), '.durant/lock')), false);
    const words = await world.run(args);
    assert.equal(words.status, result.status);
    // Of several servers that fail, whichever is first is told first: their ports and keys differ.
    const anyPort = (text: string): string => text.replaceAll(/\d+/g, '#');
    assert.ok(anyPort(words.stderr).includes(anyPort(error.message).slice(0, 25)), words.stderr);
    return result;
  }

  it('host unknown, and key changed', async () => {
    const known = join(world.home.directory, 'ssh/known_hosts');
    const keys = readFileSync(known, 'utf8');
    try {
      writeFileSync(known, '');
      world.configure(['host_key_checking = strict']);
      await assertFails({ code: 'host-unknown', says: /not in known_hosts.*fingerprint/i });
      const [one = '', two = ''] = keys.split('\n').filter((line) => line !== '');
      const swapped = [
        [one.split(' ')[0], ...two.split(' ').slice(1)],
        [two.split(' ')[0], ...one.split(' ').slice(1)],
      ];
      writeFileSync(known, swapped.map((line) => `${line.join(' ')}\n`).join(''));
      await assertFails({ code: 'host-key-changed', says: /ssh-keygen .*-R/ });
    } finally {
      writeFileSync(known, keys);
    }
  });

  it('key refused', async () => {
    const other = join(world.home.directory, 'other_key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    const config = join(world.home.directory, 'ssh/ssh_config');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replaceAll(/IdentityFile .*/g, `IdentityFile ${other}`));
    try {
      await assertFails({
        code: 'authentication-failed',
        says: new RegExp(`${first()}|${world.servers[1]?.entry}`),
      });
    } finally {
      writeFileSync(config, text);
    }
  });

  it('no such branch: did you mean', async () => {
    await assertFails({ code: 'branch-not-found', says: /mian.*main/s }, [
      'deploy',
      '--ref',
      'mian',
      'production',
    ]);
  });

  it('repository unreachable', async () => {
    const file = join(world.project, 'durant.conf');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/repository = .*/, 'repository = ./no-such-repository'),
    );
    await assertFails({ code: 'repository-unreachable', says: /no-such-repository/ });
  });

  it('one server of two unreachable', async () => {
    const { servers } = world;
    world.configure(['connect_timeout = 2s'], [first(), `${servers[0]?.user ?? ''}@127.0.0.1:1`]);
    const result = await assertFails({ code: 'host-unreachable', says: /127\.0\.0\.1:1.*/ });
    const states = finishedOf(result)['servers'] as { server: string; state: string; error: string | null }[];
    assert.deepEqual(
      states.map(({ state }) => state),
      ['unchanged', 'failed'],
    );
    assert.equal(existsSync(world.site(0)), false, 'nothing was made on the other');
  });

  it('all servers that fail are named, unreachable ones and unfit ones', async () => {
    const gone = ['a@127.0.0.1:1', 'b@127.0.0.1:2'];
    world.configure(['connect_timeout = 2s'], [first(), ...gone]);
    const unreachable = await assertFails({ code: 'host-unreachable', says: /^2 of 3 servers failed: / });
    for (const entry of gone) assert.ok(errorOf(unreachable).message.includes(`${entry} cannot be reached`));
    world.configure([]);
    for (const server of [0, 1]) {
      mkdirSync(world.site(server), { recursive: true });
      writeFileSync(join(world.site(server), 'precious.txt'), 'mine');
    }
    const unfit = await assertFails({ code: 'unmanaged-project-dir', says: /^2 of 2 servers failed: / });
    for (const { entry } of world.servers)
      assert.ok(errorOf(unfit).message.includes(`on ${entry} was not made`));
    for (const server of [0, 1]) rmSync(join(world.site(server), 'precious.txt'));
    const one = `127.0.0.1:${world.servers[1]?.port ?? 0}`;
    const ran = await world.run(['--json', 'verify', '--server', one, 'production']);
    assert.deepEqual(
      (finishedOf(ran)['servers'] as { server: string }[]).map(({ server }) => server),
      [world.servers[1]?.entry],
    );
    assert.equal((await world.run(['verify', '--server', '127.0.0.1:9', 'production'])).status, 2);
  });

  it('unmanaged and not empty project_dir: the ways out', async () => {
    mkdirSync(world.site(1), { recursive: true });
    writeFileSync(join(world.site(1), 'precious.txt'), 'mine');
    await assertFails({
      code: 'unmanaged-project-dir',
      says: /precious\.txt.*strategy: inplace.*empty.*durant adopt/s,
    });
    assert.deepEqual(readdirSync(world.site(1)), ['precious.txt']);
    assert.equal(existsSync(world.site(0)), false);
  });

  it('a project_dir that holds only shared/ is taken', async () => {
    mkdirSync(join(world.site(1), 'shared/uploads'), { recursive: true });
    writeFileSync(join(world.site(1), 'shared/uploads/a'), 'a');
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(readFileSync(join(world.site(1), 'shared/uploads/a'), 'utf8'), 'a');
  });

  it('current is a folder', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    for (const server of [0, 1]) {
      rmSync(join(world.site(server), 'current'));
      mkdirSync(join(world.site(server), 'current'));
    }
    await assertFails({ code: 'current-is-folder', says: /Move it away/ });
  });

  it('project_dir is a file', async () => {
    writeFileSync(world.site(0), '');
    await assertFails({ code: 'path-not-writable', says: /not a folder/ });
    rmSync(world.site(0));
  });

  it('a failing before_deploy: its output, its exit status, nothing contacted after', async () => {
    world.configure([
      'before_deploy =',
      '    echo building',
      '    echo broken >&2; exit 7',
      '    touch never',
    ]);
    const result = await assertFails({
      code: 'local-command-failed',
      says: /before_deploy.*exit 7.*exit status 7.*on this machine.*broken/s,
    });
    const lines = result.events.filter((event) => event['event'] === 'output').map((event) => event['line']);
    assert.deepEqual(lines, ['building', 'broken']);
    for (const server of [0, 1]) assert.equal(existsSync(world.site(server)), false);
  });

  it('a failing hook: server, command, exit status and last lines', async () => {
    world.configure([
      'spare = no',
      `after_update_code = for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "line $i"; done; test "$DURANT_SERVER" = ${first()} || exit 9`,
    ]);
    const result = await world.run(['--json', 'deploy', 'production']);
    const { code, message, changed } = errorOf(result);
    assert.equal(code, 'remote-command-failed');
    assert.match(message, /after_update_code.*exit status 9/s);
    assert.ok(message.includes(world.servers[1]?.entry ?? '?'));
    assert.match(message, /line 12$/);
    assert.doesNotMatch(message, /^line 1$/m);
    assert.equal(changed, false);
    assert.ok(result.events.some(step('update_code', 'failed', world.servers[1])));
  });

  it('unknown stage and unknown server: exit 2', async () => {
    const stage = await world.run(['deploy', 'prodction']);
    assert.equal(stage.status, 2);
    assert.match(stage.stderr, /prodction.*production/s);
    const server = await world.run(['deploy', '--server', 'nowhere', 'production']);
    assert.equal(server.status, 2);
    assert.match(server.stderr, /nowhere/);
    assert.ok(server.stderr.includes(first()));
  });

  it('a release that does not exist, was never finished, or is the only one', async () => {
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    await assertFails({ code: 'no-rollback-candidate', says: /--ref/ }, ['rollback', 'production']);
    await assertFails({ code: 'unknown-release', says: /durant releases/ }, [
      'rollback',
      'production',
      'nope',
    ]);
    const live = world.live() ?? '';
    for (const server of [0, 1]) {
      mkdirSync(join(world.site(server), 'releases/half'));
      writeFileSync(
        join(world.site(server), '.durant/releases/half.ini'),
        'name = "half"\nstate = "failed"\n',
      );
    }
    await assertFails({ code: 'failed-release', says: /never finished/ }, ['rollback', 'production', 'half']);
    assert.equal(world.live(), live);
  });

  it('--server: refused while another server has nothing live, allowed after; status shows mixed', async () => {
    const [one = '', two = ''] = world.servers.map(({ entry }) => entry);
    await assertFails({ code: 'servers-disagree', says: new RegExp(`${two}.*all servers`, 's') }, [
      'deploy',
      '--server',
      one,
      'production',
    ]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    const before = world.live(1);
    commitVersion(world, 'one only');
    assert.equal((await world.run(['deploy', '--server', one, 'production'])).status, 0);
    assert.equal(world.read('index.html', 0), 'one only\n');
    assert.equal(world.live(1), before);
    const status = JSON.parse((await world.run(['--json', 'status', 'production'])).stdout);
    assert.equal(status.stages[0].mixed, true);
    assert.deepEqual(
      status.stages[0].servers.map((server: { behind: number }) => server.behind),
      [0, 1],
    );
    // A rollback compares with the newest live one, and brings them together.
    assert.equal((await world.run(['rollback', 'production'])).status, 0);
    assert.deepEqual([world.live(0), world.live(1)], [before, before]);
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
    assert.equal(world.live(0), world.live(1));
  });

  it('protected: exit 2 without a terminal, names --yes; typed on a terminal', async () => {
    world.configure(['protected = yes']);
    const refused = await world.run(['--json', 'deploy', 'production']);
    assert.equal(refused.status, 2);
    assert.equal(errorOf(refused).code, 'confirmation-needed');
    assert.match(errorOf(refused).message, /--yes/);
    assert.equal(existsSync(world.site()), false);

    const wrong = world.start(['deploy', 'production'], { on: 'terminal' });
    await wrong.waitForOutput(/production\? |production.*to go on/);
    wrong.type('yes\r');
    assert.notEqual((await wrong.result).status, 0);
    assert.equal(existsSync(join(world.site(), 'current')), false);

    const right = world.start(['deploy', 'production'], { on: 'terminal' });
    await right.waitForOutput(/production\? |production.*to go on/);
    right.type('production\r');
    const result = await right.result;
    assert.equal(result.status, 0, result.stdout);
    assert.equal((await world.run(['rollback', 'production', world.live() ?? ''])).status, 0, 'already so');
    commitVersion(world, 'next');
    assert.equal((await world.run(['deploy', '--yes', 'production'])).status, 0);
    assert.equal((await world.run(['rollback', 'production'])).status, 2);
    assert.equal((await world.run(['rollback', '--yes', 'production'])).status, 0);
  });
});

describe('a server that lacks something', function () {
  for (const missing of ['tar', 'readlink', 'mktemp', 'awk'] as const)
    it(`${missing} on the PATH`, async () => {
      const tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
      for (const name of readdirSync('/usr/bin'))
        // bsdtar is a tar, too.
        if (name !== missing && !(missing === 'tar' && name === 'bsdtar'))
          symlinkSync(`/usr/bin/${name}`, join(tools, name));
      const world = await makeWorld({ servers: [{}, { path: tools }] });
      try {
        const result = await world.run(['--json', 'deploy', 'production']);
        assert.equal(result.status, 1);
        const { code, message, changed } = errorOf(result);
        assert.equal(code, 'tool-missing', message);
        assert.match(message, new RegExp(`no ${missing}\\. Install it there`));
        assert.equal(changed, false);
        for (const server of [0, 1]) assert.equal(existsSync(world.site(server)), false);
      } finally {
        await world.remove();
        rmSync(tools, { recursive: true });
      }
    });

  it('the right to write, or to enter', async function () {
    if (!(await canHaveAccounts())) return this.skip();
    const account = { name: 'durant-writer', password: 'unused', uid: 4711 };
    const world = await makeWorld({ servers: [{ account }] });
    const site = world.site();
    try {
      const assertRefused = async (code: string, says: RegExp): Promise<void> => {
        const result = await world.run(['--json', 'deploy', 'production']);
        assert.equal(result.status, 1, result.stdout);
        assert.equal(errorOf(result).code, code, result.stdout);
        assert.match(errorOf(result).message, says);
        assert.match(errorOf(result).message, /durant-writer/);
        const check = JSON.parse((await world.run(['--json', 'check', '--connect', 'production'])).stdout);
        assert.ok(check.assessments.some(({ ok }: { ok: boolean }) => !ok));
      };
      chmodSync(world.servers[0]?.home ?? '', 0o555);
      await assertRefused('path-not-writable', /cannot create project_dir/);
      mkdirSync(site);
      await assertRefused('path-not-writable', /cannot write.*chown durant-writer/s);
      chmodSync(site, 0o700);
      await assertRefused('permission-denied', /cannot enter/);
      chownSync(site, account.uid, account.uid);
      const result = await world.run(['deploy', 'production']);
      assert.equal(result.status, 0, result.stderr);
      // A part of the layout that somebody else owns.
      commitVersion(world, 'next');
      chownSync(join(site, 'releases'), 0, 0);
      await assertRefused('path-not-writable', /cannot write/);
      assert.equal(world.read('index.html'), 'version 1\n');
    } finally {
      chmodSync(world.servers[0]?.home ?? '', 0o755);
      await world.remove();
    }
  });
});
