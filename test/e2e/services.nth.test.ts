/**
 * Services on a real systemd, and one command of the server fails: each that changes or asks about units and the site, at its N-th call. The
 * site answers with what is live, and the same again succeeds. A sample here; `NTH=1 npm test -- e2e/services.nth` fails each from the first.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeCliHome, runCli, type CliHome, type CliResult } from '../support/cli.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { canBootSystemd, useSystemd, type SystemdServer } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';
import { webApp } from '../support/webApp.ts';
import { finishedOf } from './world.ts';

const COMMANDS = [
  'mv',
  'ln',
  'cp',
  'rm',
  'mkdir',
  'chmod',
  'cmp',
  'grep',
  'systemctl',
  'sudo',
  'flock',
  'tail',
];
const FROM = Number(process.env['NTH'] ?? 0);
const SAMPLE = [31];

/** Only what has to do with services counts; a command that sudo starts counts as sudo's. */
const wrapper = (name: string): string => `#!/bin/sh
real=/usr/bin/${name}; [ -x $real ] || real=/bin/${name}
case "${name} $*" in *systemctl*|*/etc/*|*.durant/services*|*caddy*) ;; *) exec $real "$@";; esac
[ -f /var/nth/at ] || exec $real "$@"
[ "${name}" = sudo ] || [ "$(id -u)" != 0 ] || exec $real "$@"
n=0; [ ! -f /var/nth/last ] || read -r n < /var/nth/last
while n=$((n + 1)); ! (set -C; echo "${name} $*" > /var/nth/call.$n) 2>/dev/null; do :; done
echo $n > /var/nth/last
read -r at < /var/nth/at
if [ "$n" = "$at" ]; then echo "${name}: Input/output error" >&2; case ${name} in grep|cmp) exit 2;; *) exit 1;; esac; fi
exec $real "$@"
`;

describe('the N-th command for services fails', function () {
  this.timeout(3_600_000);
  let machine: SystemdServer;
  let home: CliHome;
  let project: string;
  let repository: Repository;
  let version = 0;
  const calls = (): string => join(machine.root, 'var/nth');
  const bin = (): string => join(machine.root, 'usr/local/bin');

  before(async function () {
    this.timeout(600_000);
    if (!canBootSystemd()) return this.skip();
    machine = await useSystemd();
    home = await makeCliHome([machine.server]);
    project = mkdtempSync(join(tmpdir(), 'durant-project-'));
    repository = makeRepository([{ message: 'none', files: { 'app.py': webApp('0') } }]);
    for (const name of COMMANDS) {
      writeFileSync(join(bin(), name), wrapper(name));
      chmodSync(join(bin(), name), 0o755);
    }
    configure('more');
    assert.equal((await deploy()).status, 0);
  });
  after(async () => {
    if (machine !== undefined) {
      for (const name of COMMANDS) rmSync(join(bin(), name), { force: true });
      rmSync(calls(), { recursive: true, force: true });
    }
    await home?.remove();
    repository?.remove();
    if (project !== undefined) rmSync(project, { recursive: true, force: true });
  });

  /** Two ways to run the application, so that units and the site are installed, changed and removed. */
  function configure(how: 'more' | 'fewer'): void {
    const processes =
      how === 'more'
        ? [
            '[process worker]',
            'command = sleep 1000',
            'replicas = 2',
            '[process extra]',
            'command = sleep 999',
          ]
        : ['[process worker]', 'command = sleep 1001', 'replicas = 1'];
    writeFileSync(
      join(project, 'durant.conf'),
      [
        '[production]',
        `repository = ${repository.directory}`,
        `server = ${machine.server.entry}`,
        'project_dir = ~/site',
        'app = shop',
        'spare = no',
        'dead_man = no',
        'keep_releases = 1',
        'health_retries = 0',
        'domain_name = shop.test',
        'publish = restart',
        ...(how === 'more' ? ['statics = /static/ = public'] : []),
        '[process web]',
        'command = python3 app.py',
        'socket = yes',
        ...processes,
        '',
      ].join('\n'),
    );
  }
  const deploy = (): Promise<CliResult> => runCli(['--json', 'deploy', 'production'], { home, cwd: project });
  const answer = async (): Promise<string> =>
    /^version \d+/.exec((await machine.visit('shop.test')).body)?.[0] ?? '';
  const live = (): string =>
    /version \d+/.exec(readFileSync(join(machine.root, 'home/deploy/site/current/app.py'), 'utf8'))?.[0] ??
    '';
  const units = async (): Promise<readonly string[]> =>
    (await machine.sh("systemctl list-units --all --plain --no-legend 'shop*' | awk '{ print $1, $3 }'"))
      .trim()
      .split('\n')
      .toSorted();
  const EXPECTED = {
    more: [
      'shop-extra.service',
      'shop-worker@1.service',
      'shop-worker@2.service',
      'shop.service',
      'shop.socket',
    ],
    fewer: ['shop-worker.service', 'shop.service', 'shop.socket'],
  };

  /** @returns the command that failed; undefined where there were fewer. */
  async function attempt(how: 'more' | 'fewer', n: number): Promise<string | undefined> {
    version += 1;
    repository.commit({
      message: `Version ${version}`,
      files: { 'app.py': webApp(String(version)), 'public/style.css': `/* ${version} */\n` },
    });
    configure(how);
    rmSync(calls(), { recursive: true, force: true });
    mkdirSync(calls());
    chmodSync(calls(), 0o777);
    writeFileSync(join(calls(), 'last'), '0\n');
    chmodSync(join(calls(), 'last'), 0o666);
    writeFileSync(join(calls(), 'at'), `${n}\n`);
    const broken = await deploy();
    rmSync(join(calls(), 'at'));
    const call = join(calls(), `call.${n}`);
    const failed = existsSync(call) ? readFileSync(call, 'utf8').trim() : undefined;
    const { error } = finishedOf(broken) as { error: { code: string; message: string } | null };
    const what = `${failed ?? 'nothing'} failed: ${error?.message ?? 'ok'}`;
    if (FROM > 0) console.log(`      ${how} ${n}: ${what.split('\n', 1).join('').slice(0, 160)}`);
    assert.equal(await answer(), live(), `what answers is what is live; ${what}`);
    const again = await deploy();
    assert.equal(again.status, 0, `${what}\n${again.stdout}`);
    assert.equal(await answer(), `version ${version}`, what);
    const expected = EXPECTED[how].map((unit) => `${unit} active`);
    // systemd forgets a unit that was asked about when it has nothing else to do.
    await waitFor('the units', async () => isDeepStrictEqual(await units(), expected)).catch(() => undefined);
    assert.deepEqual(await units(), expected, what);
    const left = readdirSync(join(machine.root, 'home/deploy/site/.durant'));
    assert.deepEqual(left.toSorted(), ['history.log', 'manifests', 'releases', 'version'], what);
    return failed;
  }

  if (FROM > 0)
    it('at each', async () => {
      const wrong: string[] = [];
      for (let n = FROM, more = true; more; n += 1) {
        more = false;
        for (const how of ['fewer', 'more'] as const)
          try {
            more = (await attempt(how, n)) !== undefined || more;
          } catch (error) {
            more = true;
            wrong.push(`${how} ${n}: ${String(error)}`);
            assert.ok(wrong.length < 10, wrong.join('\n'));
            await deploy();
          }
      }
      assert.deepEqual(wrong, []);
    });
  else
    for (const [index, n] of SAMPLE.entries())
      it(`at call ${n}`, async () => {
        assert.ok(await attempt(index % 2 === 0 ? 'fewer' : 'more', n), 'no command failed');
      });
});
