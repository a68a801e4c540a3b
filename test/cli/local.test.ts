/** Whole commands against this machine as the server: what is shown, where, and the exit status. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCliHome, runCli, startCli, type CliHome, type CliResult } from '../support/cli.ts';
import { waitFor } from '../support/wait.ts';
import { makeRepository, type Repository } from '../support/repo.ts';

describe('durant on this machine', () => {
  let home: CliHome;
  let repository: Repository;
  let server = '';

  beforeEach(async () => {
    home = await makeCliHome();
    server = mkdtempSync(join(tmpdir(), 'durant-local-'));
    repository = makeRepository([
      { message: 'One', files: { 'index.html': 'one\n', 'old.html': 'old\n' } },
      { message: 'Two', files: { 'index.html': 'second\n', 'old.html': null }, branch: 'next' },
    ]);
    conf();
  });
  afterEach(async () => {
    await home.remove();
    repository.remove();
    rmSync(server, { recursive: true, force: true });
  });

  function conf(...lines: readonly string[]): void {
    const stage = [
      'repository = .',
      'branch = main',
      'server = local',
      `project_dir = ${server}/www`,
      'spare = no',
    ];
    writeFileSync(
      join(repository.directory, 'durant.conf'),
      ['[production]', ...stage, ...lines, ''].join('\n'),
    );
  }

  const durant = (line: string): Promise<CliResult> =>
    runCli(line.split(' '), { home, cwd: repository.directory });
  const live = (file: string): string => readFileSync(join(server, 'www/current', file), 'utf8');
  const last = ({ events }: CliResult) => events.at(-1) ?? {};

  it('deploys, says so on standard output, and finds it done the second time', async () => {
    const first = await durant('deploy production');
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /^production is live: release \S+ \(commit [0-9a-f]{12}\) on 1 server/);
    assert.equal(live('index.html'), 'one\n');
    const second = await durant('deploy production');
    assert.equal(second.status, 0);
    assert.match(second.stdout, /was live already on 1 server; nothing was changed/);
  });

  it('says in deploy, dry run and status what is in no commit', async () => {
    writeFileSync(join(repository.directory, 'index.html'), 'changed\n');
    writeFileSync(join(repository.directory, 'new.html'), 'new\n');
    const said = /^(.*: )?2 changed files are not committed and will not be deployed$/m;
    for (const line of ['deploy -n production', 'deploy production', 'status production'])
      assert.match((await durant(line)).stderr, said, line);
    assert.equal(live('index.html'), 'one\n');
    repository.git('checkout', '-q', 'index.html');
    rmSync(join(repository.directory, 'new.html'));
    assert.doesNotMatch((await durant('deploy production')).stderr, /not committed/);
  });

  it('reviews a dry run: deletions first; --detailed-exitcode tells 0 from 4', async () => {
    assert.equal((await durant('deploy -n --detailed-exitcode production')).status, 4);
    assert.equal(existsSync(join(server, 'www')), false);
    await durant('deploy production');
    assert.equal((await durant('deploy -n --detailed-exitcode production')).status, 0);
    const review = await durant('-n deploy --ref next production');
    assert.equal(review.status, 0);
    assert.match(review.stdout, /1 file deleted, 4 B\n {4}- old\.html {2}4 B\n {2}1 file changed/);
    assert.match(review.stdout, /update_code +pending: /);
    assert.match(review.stdout, /Nothing was changed \(dry run\)/);
    assert.equal(live('old.html'), 'old\n');
  });

  it('rolls back, and lists releases and status', async () => {
    await durant('deploy production');
    const first = readlinkSync(join(server, 'www/current'));
    await durant('deploy --ref next production');
    assert.equal(live('index.html'), 'second\n');
    const back = await durant('rollback production');
    assert.equal(back.status, 0, back.stderr);
    assert.equal(readlinkSync(join(server, 'www/current')), first);
    const releases = await durant('releases production');
    assert.match(releases.stdout, /→ {2}\S+ {2}live .* One$/m);
    assert.match(releases.stdout, /\S+ {2}bad .* Two$/m);
    const status = await durant('status');
    assert.equal(status.status, 0);
    assert.match(status.stdout, /^production\n {2}local {2}\S+ .* up to date .* free {2}One$/m);
  });

  it('--json is the events, and nothing else anywhere', async () => {
    const run = await durant('deploy --json production');
    assert.equal(run.stderr, '');
    assert.equal(run.stdout.trimEnd().split('\n').length, run.events.length);
    assert.equal(run.events[0]?.['event'], 'run-started');
    assert.equal(last(run)['event'], 'run-finished');
    assert.equal(last(run)['ok'], true);
  });

  it('asks before a protected stage changes; without a terminal the error names --yes', async () => {
    conf('protected = yes');
    const refused = await durant('deploy production');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--yes/);
    const json = await durant('deploy --json production');
    assert.equal(json.status, 2);
    assert.match(JSON.stringify(last(json)['error']), /confirmation-needed.*--yes/);
    assert.equal(existsSync(join(server, 'www/current')), false);

    const asked = startCli(['deploy', 'production'], { home, cwd: repository.directory, on: 'terminal' });
    await asked.waitForOutput(/production\? /);
    asked.type('production\r');
    assert.equal((await asked.result).status, 0);
    assert.equal(live('index.html'), 'one\n');
    assert.equal((await durant('deploy --yes --again production')).status, 0);
  });

  it('asks for a secret on a terminal without showing it, or takes it from the environment', async () => {
    conf('env = TOKEN=secret!token', `after_symlink = echo "got $TOKEN" > ${server}/got; echo "say $TOKEN"`);
    const refused = await durant('deploy production');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /DURANT_SECRET_TOKEN/);

    const asked = startCli(['deploy', 'production'], { home, cwd: repository.directory, on: 'terminal' });
    await asked.waitForOutput(/token: /);
    asked.type('hunter22\r');
    const result = await asked.result;
    assert.equal(result.status, 0, result.stdout);
    assert.equal(readFileSync(join(server, 'got'), 'utf8'), 'got hunter22\n');
    assert.doesNotMatch(result.stdout, /hunter22/);
    assert.match(result.stdout, /say \*\*\*/);

    const env = { DURANT_SECRET_TOKEN: 'other-secret' };
    const given = await runCli(['deploy', '--again', 'production'], { home, cwd: repository.directory, env });
    assert.equal(given.status, 0);
    assert.equal(readFileSync(join(server, 'got'), 'utf8'), 'got other-secret\n');
    assert.doesNotMatch(given.stdout + given.stderr, /other-secret/);
  });

  it('Ctrl+C puts everything back and exits 130', async () => {
    conf('before_deploy = touch started; sleep 60');
    const run = startCli(['deploy', 'production'], { home, cwd: repository.directory, on: 'terminal' });
    await run.waitForOutput(/before_deploy/);
    run.interrupt();
    const { status, stdout } = await run.result;
    assert.equal(status, 130);
    assert.match(stdout, /No release was made live\./);
    assert.equal(existsSync(join(server, 'www/current')), false);
    await home.quiet();
  });

  it('a second Ctrl+C stops at once and says what is left; the next deploy clears it up', async () => {
    // The hook ignores what asks it to end, as long as it is let.
    conf(
      `after_release = trap '' TERM; touch ${server}/waiting; while [ -e ${server}/waiting ]; do sleep 0.1; done`,
    );
    const run = startCli(['deploy', 'production'], { home, cwd: repository.directory });
    await waitFor('the hook to run', () => existsSync(join(server, 'waiting')));
    run.interrupt();
    await run.waitForOutput(/Ctrl\+C again stops at once/);
    run.interrupt();
    const { status, stderr } = await run.result;
    assert.equal(status, 130);
    assert.match(stderr, /Stopped at once\. The lock and an unfinished release are left on local/);
    assert.equal(existsSync(join(server, 'www/.durant/lock')), true);

    rmSync(join(server, 'waiting'));
    conf();
    const next = await durant('deploy production');
    assert.equal(next.status, 0, next.stderr);
    assert.equal(live('index.html'), 'one\n');
  });

  it("someone else's lock is exit 3, and unlock asks or is forced", async () => {
    await durant('deploy production');
    const lock = ['run', 'stage', 'user', 'host', 'started', 'action', 'message'].map((key) =>
      key === 'started' ? 'started = "2026-11-21T10:00:00.000Z"' : `${key} = "bob-${key}"`,
    );
    writeFileSync(join(server, 'www/.durant/lock'), `${lock.join('\n')}\n`);
    const locked = await durant('deploy --again production');
    assert.equal(locked.status, 3);
    assert.match(locked.stderr, /bob-user/);
    assert.match((await durant('status')).stdout, /local is locked by bob-user@bob-host/);

    const refused = await durant('unlock production');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /bob-user@bob-host.*--force/);
    const asked = startCli(['unlock', 'production'], { home, cwd: repository.directory, on: 'terminal' });
    await asked.waitForOutput(/\[yes\/no\] /);
    asked.type('no\r');
    assert.notEqual((await asked.result).status, 0);
    assert.equal(existsSync(join(server, 'www/.durant/lock')), true);

    const forced = await durant('unlock --force --json production');
    assert.equal(forced.status, 0);
    const [unlocked] = forced.events;
    assert.deepEqual(Object.keys(unlocked ?? {}), ['stage', 'servers']);
    assert.equal(existsSync(join(server, 'www/.durant/lock')), false);
  });
});
