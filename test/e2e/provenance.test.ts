/** `verify_commit`, and where a release comes from: with real keys, git's own verification and `ssh-keygen -Y verify`. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { runCliHere } from '../support/cliHere.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

describe('where a release comes from', function () {
  let world: World;
  let allowed = '';
  const key = (name: string): string => join(world.project, name);
  const run = (...args: string[]): Promise<CliResult> =>
    runCliHere(args, { home: world.home, cwd: world.project });
  const kept = (file: string, server = 0): string =>
    join(world.site(server), '.durant/releases', `${world.live(server) ?? ''}.${file}`);
  const commitSigned = (message: string, by: string): string => {
    const { repository } = world;
    repository.commit({ message, files: { 'index.html': `${message}\n` } });
    const config = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key(by)}`];
    repository.git(...config, 'commit', '-q', '--amend', '--no-edit', '-S');
    return repository.git('rev-parse', 'HEAD');
  };

  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
    for (const name of ['ann', 'mallory', 'locked'])
      execFileSync('ssh-keygen', [
        '-q',
        '-t',
        'ed25519',
        '-N',
        name === 'locked' ? 'secret' : '',
        '-C',
        name,
        '-f',
        key(name),
      ]);
    allowed = join(world.project, 'allowed_signers');
    writeFileSync(allowed, `ann@example.org ${readFileSync(`${key('ann')}.pub`, 'utf8')}`);
  });
  after(() => world.remove());

  it('verify_commit refuses what git does not verify, before anything is changed', async () => {
    world.configure(['spare = no', 'verify_commit = yes']);
    const refused = async (why: RegExp, ...args: string[]) => {
      const result = await run('--json', ...args, 'production');
      assert.equal(result.status, 1, result.stdout);
      const { error } = finishedOf(result) as { error: Record<string, unknown> };
      assert.equal(error['code'], 'commit-unverified');
      assert.match(String(error['message']), why);
      assert.equal(existsSync(world.site()), false);
    };
    await refused(/not signed/, 'deploy');
    await refused(/not signed/, '-n', 'deploy');
    const assessed = JSON.parse((await run('--json', 'check', '--connect', 'production')).stdout);
    assert.equal(assessed.ok, false);
    assert.match(JSON.stringify(assessed.assessments), /could not verify its signature/);
    // Nobody has told git yet whose signatures count.
    commitSigned('Second', 'ann');
    await refused(/allowedSignersFile/, 'deploy');
  });

  it('deploys what the project’s own git configuration verifies', async () => {
    execFileSync('git', ['-C', world.project, 'init', '-q']);
    execFileSync('git', ['-C', world.project, 'config', 'gpg.ssh.allowedSignersFile', allowed]);
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('index.html', 1), 'Second\n');
    commitSigned('Third', 'mallory');
    const refused = await run('deploy', 'production');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /git could not verify its signature/);
    assert.equal(world.read('index.html', 1), 'Second\n');
    assert.equal(existsSync(kept('provenance.json.sig')), false, 'nobody asked for one');
  });

  it('an in-toto statement beside the record names commit and manifest, signed with the key of the user', async () => {
    const commit = commitSigned('Fourth', 'ann');
    world.configure(['spare = no', 'verify_commit = yes', `signing_key = ${key('ann')}`]);
    const result = await run('deploy', 'production');
    assert.equal(result.status, 0, result.stderr);
    for (const server of [0, 1]) {
      const text = readFileSync(kept('provenance.json', server), 'utf8');
      const { _type, subject, predicateType, predicate } = JSON.parse(text);
      assert.deepEqual(
        [_type, predicateType],
        ['https://in-toto.io/Statement/v1', 'https://slsa.dev/provenance/v1'],
      );
      const manifest = readFileSync(join(world.site(server), '.durant/manifests', world.live(server) ?? ''));
      const sha256 = createHash('sha256').update(manifest).digest('hex');
      assert.deepEqual(subject, [{ name: world.live(server), digest: { sha256 } }]);
      assert.deepEqual(predicate.buildDefinition.resolvedDependencies[0].digest, { gitCommit: commit });
      assert.equal(predicate.buildDefinition.externalParameters.stage, 'production');
      assert.match(predicate.runDetails.metadata.invocationId, /^\d{14}-[0-9a-f]{8}$/);
      const verify = (input: string) =>
        spawnSync(
          'ssh-keygen',
          [
            '-Y',
            'verify',
            '-f',
            allowed,
            '-I',
            'ann@example.org',
            '-n',
            'durant',
            '-s',
            kept('provenance.json.sig', server),
          ],
          { input, encoding: 'utf8' },
        );
      assert.match(verify(text).stdout, /^Good "durant" signature for ann@example\.org/);
      assert.notEqual(verify(text.replace(commit, 'a'.repeat(40))).status, 0);
    }
  });

  it('a key that cannot sign ends the run before anything is changed', async () => {
    commitSigned('Fifth', 'ann');
    const before = world.live();
    for (const name of ['locked', 'missing']) {
      world.configure(['spare = no', `signing_key = ${key(name)}`]);
      const result = await run('--json', 'deploy', 'production');
      assert.equal(result.status, 1);
      assert.match(
        JSON.stringify(finishedOf(result)['error']),
        /"signing-failed".*nothing was changed.*ssh-add/,
      );
      assert.equal(world.live(), before);
    }
  });

  it('goes with its release', async () => {
    world.configure(['spare = no', 'keep_releases = 1']);
    for (const message of ['Sixth', 'Seventh']) {
      commitSigned(message, 'ann');
      assert.equal((await run('deploy', 'production')).status, 0);
    }
    const names = readdirSync(join(world.site(), '.durant/releases')).map((name) => name.replace(/\..*/, ''));
    assert.deepEqual([...new Set(names)].toSorted(), world.releases());
  });
});
