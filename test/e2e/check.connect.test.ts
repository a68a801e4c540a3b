/** `check --connect` of what a deploy brings beside its files: environment file, install, room. It says what fails, and changes nothing. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWorld, type World } from './world.ts';

interface Assessment {
  readonly server: string | null;
  readonly step: string;
  readonly ok: boolean;
  readonly message: string;
}

/** What one row of the tables says: the lines of durant.conf, and which step fails, where, how; undefined for none. */
type Row = readonly [
  title: string,
  lines: readonly string[],
  expected: readonly [step: string, where: 'here' | 'there', says: RegExp] | undefined,
];

describe('check --connect', function () {
  let world: World;
  let tools: string;
  before(async () => {
    // Neither server has systemd or Caddy; the second has no interpreter that could make an environment, and no uv.
    tools = mkdtempSync(join(tmpdir(), 'durant-tools-'));
    const path = (name: string, without: RegExp): string => {
      const folder = join(tools, name);
      mkdirSync(folder);
      for (const from of ['/usr/bin', '/bin'])
        for (const tool of readdirSync(from))
          if (!without.test(tool) && !existsSync(join(folder, tool)))
            symlinkSync(join(from, tool), join(folder, tool));
      return folder;
    };
    world = await makeWorld({
      servers: [
        { path: path('first', /^(systemctl|caddy|uv|setsid)$/) },
        { path: path('second', /^(systemctl|caddy|uv|python.*)$/) },
      ],
    });
    world.repository.commit({
      message: 'A build',
      files: { 'dist/app-1.2.bin': 'program\n', 'package.json': '{"version": "1.2"}\n' },
    });
    writeFileSync(join(world.project, 'good.env'), 'A=one\nB=$GIVEN\n');
    writeFileSync(join(world.project, 'plain.env'), 'A=one\n');
    writeFileSync(join(world.project, 'unset.env'), 'A=$NOT_GIVEN\n');
    writeFileSync(join(world.project, 'unwritable.env'), `TOKEN="it's \\$5"\n`);
    writeFileSync(join(world.project, 'bad-name.env'), 'a.b=$GIVEN\n');
    writeFileSync(join(world.project, 'binary.env'), Buffer.from([0x41, 0x3d, 0xff, 0xfe]));
    // Bitwarden's CLI, which would notice it if it were asked.
    const bin = join(world.project, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'bw'), `#!/bin/sh\necho "$*" >> ${join(world.project, 'asked')}\n`);
    chmodSync(join(bin, 'bw'), 0o755);
  });
  after(async () => {
    await world.remove();
    rmSync(tools, { recursive: true, force: true });
  });

  async function check(lines: readonly string[]): Promise<readonly Assessment[]> {
    world.configure(lines);
    const PATH = `${join(world.project, 'bin')}:${world.home.env['PATH'] ?? ''}`;
    const result = await world.run(['--json', 'check', '--connect', 'production'], {
      env: { PATH, GIVEN: 'given word' },
    });
    assert.equal((result.stdout + result.stderr).includes('given word'), false, 'a value was shown');
    const { ok, assessments } = JSON.parse(result.stdout);
    assert.equal(
      ok,
      assessments.every((each: Assessment) => each.ok),
    );
    assert.equal(result.status, ok === true ? 0 : 1, result.stdout);
    for (const server of [0, 1]) assert.equal(existsSync(world.site(server)), false, 'something was changed');
    return assessments;
  }

  it("says where the dead man's switch ends with its run's processes", async () => {
    const said = (await check([])).filter(({ step }) => step === 'symlink');
    assert.deepEqual(
      said.map(({ server, ok }) => [server, ok]),
      [[world.servers[0]?.entry, true]],
    );
    assert.match(said[0]?.message ?? '', /no setsid.*Install setsid/);
    assert.deepEqual(
      (await check(['dead_man = no'])).filter(({ step }) => step === 'symlink'),
      [],
    );
  });

  const ROWS: readonly Row[] = [
    ['nothing asked for', [], undefined],
    ['an environment file whose values are all there', ['env_file = good.env'], undefined],
    ['no environment file', ['env_file = nowhere.env'], ['env_file', 'here', /nowhere\.env cannot be read/]],
    ['an environment file that is none', ['env_file = binary.env'], ['env_file', 'here', /not UTF-8/]],
    [
      'a variable that is not set',
      ['env_file = unset.env'],
      ['env_file', 'here', /NOT_GIVEN, which is not set/],
    ],
    [
      'a value that not all read alike',
      ['env_file = unwritable.env'],
      ['env_file', 'here', /TOKEN has a value with an apostrophe/],
    ],
    [
      'a secret that nobody gives',
      ['env_file = unset.env', 'secrets = editor'],
      ['env_file', 'here', /DURANT_SECRET_NOT_GIVEN/],
    ],
    [
      'a password manager without its CLI',
      ['env_file = good.env', 'secrets = doppler'],
      ['env_file', 'here', /doppler.*not on the PATH/],
    ],
    ['no need of a CLI that is not there', ['env_file = plain.env', 'secrets = doppler'], undefined],
    [
      'a vault that nothing opens',
      ['env_file = good.env', 'secrets = bitwarden'],
      ['env_file', 'here', /vault is locked/],
    ],
    [
      'a vault that a variable opens, which is not asked',
      ['env_file = good.env', 'secrets = bitwarden', 'secrets_password_env = GIVEN'],
      undefined,
    ],
    [
      'a name that no shell takes, of a value that is not looked up',
      ['env_file = bad-name.env', 'secrets = bitwarden', 'secrets_password_env = GIVEN'],
      ['env_file', 'here', /a\.b is not a name of a variable/],
    ],
    [
      'an environment file where a shared one goes',
      ['env_file = plain.env', 'shared_dirs = config', 'env_target = config/.env'],
      ['env_file', 'there', /would be the same file for all releases/],
    ],
    [
      'a build of the commit, its version found',
      ['install_mode = binary', 'distfile = dist/app-{version}.bin', 'app = tool'],
      undefined,
    ],
    [
      'a build that the commit does not have',
      ['install_mode = binary', 'distfile = dist/other-{version}.bin'],
      ['checkout', 'here', /no dist\/other-1\.2\.bin/],
    ],
    [
      'a build that before_deploy makes first',
      ['install_mode = binary', 'distfile = dist/other-{version}.bin', 'before_deploy = false'],
      undefined,
    ],
    [
      'a version that does not fit into a name',
      ['install_mode = binary', 'distfile = dist/app-{version}.bin', 'version = 1/2'],
      ['fetch', 'here', /version "1\/2" does not fit/],
    ],
    ['nothing to install', ['install_mode = python'], ['install', 'there', /needs a wheel or requirements/]],
    [
      'a server that can make no virtual environment',
      ['install_mode = python', 'requirements = package.json'],
      ['install', 'there', /neither uv nor a Python/],
    ],
    [
      'a Python that no server has',
      ['install_mode = python', 'requirements = package.json', 'python_version = 2.6'],
      ['install', 'there', /nor a Python 2\.6/],
    ],
    [
      'processes on a server without systemd',
      ['[process web]', 'command = x'],
      ['services', 'there', /no systemd/],
    ],
    [
      'a site on a server without Caddy',
      ['domain_name = a.example', 'upstream = 127.0.0.1:8000'],
      ['services', 'there', /no caddy/],
    ],
    [
      'a domain that nothing answers for',
      ['domain_name = a.example'],
      ['services', 'there', /no \[process web\] with a socket/],
    ],
  ];

  for (const [title, lines, expected] of ROWS)
    it(`says how it stands with ${title}`, async () => {
      const failed = (await check(lines)).filter(({ ok }) => !ok);
      if (expected === undefined) return assert.deepEqual(failed, []);
      const [step, where, says] = expected;
      assert.ok(failed.length > 0, 'it fails');
      for (const each of failed) {
        assert.equal(each.step, step, each.message);
        assert.equal(each.server === null, where === 'here', each.message);
        assert.match(each.message, says);
      }
    });

  it('says what is there, too', async () => {
    const all = await check([
      'env_file = good.env',
      'install_mode = binary',
      'distfile = dist/app-{version}.bin',
      'app = tool',
    ]);
    const said = (step: string) => all.filter((each) => each.step === step).map(({ message }) => message);
    assert.deepEqual(said('env_file'), ['good.env: 2 variables, 1 looked up']);
    assert.match(said('fetch')[0] ?? '', /, version 1\.2$/);
    assert.deepEqual(said('install'), Array(2).fill('dist/app-1.2.bin becomes tool'));
    assert.deepEqual(said('release'), Array(2).fill('there is room for it'));
    const entries = world.servers.map(({ entry }) => entry);
    assert.deepEqual([...new Set(all.map(({ server }) => server))], [null, ...entries]);
  });

  it('asks no password manager for anything', async () => {
    rmSync(join(world.project, 'asked'), { force: true });
    const all = await check(['env_file = good.env', 'secrets = bitwarden', 'secrets_password_env = GIVEN']);
    assert.match(all[0]?.message ?? '', /1 to look up by Bitwarden's CLI \(bw\), which was not asked/);
    assert.equal(existsSync(join(world.project, 'asked')), false);
  });

  it('one server that lacks something does not hide the others', async () => {
    const all = await check(['install_mode = python', 'requirements = package.json']);
    assert.deepEqual(
      all.filter(({ step }) => step === 'install').map(({ ok }) => ok),
      [true, false],
    );
  });
});
