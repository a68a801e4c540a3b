import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from '../support/cli.ts';
import { makeWorld, type World } from './world.ts';

/** Every file below a folder as one text, to look for what must not be in it. */
function everything(folder: string, but?: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() && entry.name !== but)
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

function assertHidden(result: CliResult, ...secrets: string[]): void {
  for (const secret of secrets)
    assert.equal((result.stdout + result.stderr).includes(secret), false, `${secret} was shown`);
}

describe('env_file', () => {
  let world: World;
  const write = (text: string) => writeFileSync(join(world.project, '.env.production'), text);
  const conf = (...lines: string[]) =>
    world.configure(['env_file = .env.production', 'spare = no', ...lines]);
  const env = { DB_PASSWORD: 'open sesame', API_KEY: 'k-1234567' };
  before(async () => {
    world = await makeWorld({ servers: [{}, { tools: 'busybox' }] });
  });
  after(() => world.remove());

  it('is on the server for its owner alone, linked from the release, and seen by every command', async () => {
    write(
      'MODE=production\nDB=$DB_PASSWORD\nAPI_KEY=$API_KEY\nPLAIN="a literal $HOME"\nLOG_LEVEL=info and more\nADMIN_TOKEN="written out"\n',
    );
    conf(
      'env_target = config/.env',
      'release_command = printf %s "$DB" > seen-by-command',
      'after_symlink = printf "%s|%s" "$PLAIN" "$DURANT_STAGE" > seen-by-hook; echo "says $DB $ADMIN_TOKEN, $PLAIN at $LOG_LEVEL"; tr "\\0" " " < /proc/$$/cmdline > argv',
      'after_deploy = local! echo "here $API_KEY"',
    );
    const result = await world.run(['--verbose', 'deploy', 'production'], { env });
    assert.equal(result.status, 0, result.stderr);
    assertHidden(result, 'open sesame', 'k-1234567', 'written out');
    assert.match(result.stderr, /says \*\*\* \*\*\*, a literal \$HOME at info and more/);
    assert.match(result.stderr, /here \*\*\*/);
    for (const server of [0, 1]) {
      const name = world.live(server) ?? '';
      const file = join(world.site(server), '.durant/env', name);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(
        readlinkSync(join(world.site(server), 'current/config/.env')),
        `../../../.durant/env/${name}`,
      );
      assert.match(world.read('config/.env', server), /^DB='open sesame'$/m);
      assert.equal(world.read('seen-by-hook', server), 'a literal $HOME|production');
      assert.doesNotMatch(world.read('argv', server), /sesame/);
      const record = readFileSync(join(world.site(server), `.durant/releases/${name}.ini`), 'utf8');
      assert.match(record, /^env_names = "MODE,DB,API_KEY,PLAIN,LOG_LEVEL,ADMIN_TOKEN"$/m);
      assert.match(record, /^env_looked_up = "DB,API_KEY"$/m);
      assert.match(record, /^env_digest = "[0-9a-f]{64}"$/m);
      assert.doesNotMatch(everything(join(world.site(server), '.durant/releases')), /sesame|k-123/);
    }
    assert.equal(world.read('seen-by-command'), 'open sesame');
    const found = spawnSync('grep', ['-rl', 'open sesame', world.home.directory], { encoding: 'utf8' });
    assert.equal(found.stdout, '');
  });

  it('is part of the recipe: unchanged it is live already, a changed value makes a release', async () => {
    const before = world.live();
    assert.equal((await world.run(['deploy', 'production'], { env })).status, 0);
    assert.equal(world.live(), before);
    const changed = { ...env, API_KEY: 'k-7654321' };
    write('MODE=production\nDB=$DB_PASSWORD\nAPI_KEY=$API_KEY\nEXTRA_SECRET=more of it\n');
    const dry = await world.run(['--json', '-n', 'deploy', 'production'], { env: changed });
    assert.equal(dry.status, 0, dry.stderr);
    const step = dry.events.find((event) => event['step'] === 'env_file');
    assert.equal(step?.['state'], 'pending');
    assert.match(String(step['reason']), /ADMIN_TOKEN removed, API_KEY changed, EXTRA_SECRET added/);
    assert.doesNotMatch(String(step['reason']), /DB|MODE/);
    assertHidden(dry, 'k-7654321', 'k-1234567', 'open sesame', 'more of it');
    assert.equal(world.live(), before);
    const deployed = await world.run(['deploy', 'production'], { env: changed });
    assert.equal(deployed.status, 0, deployed.stderr);
    assert.notEqual(world.live(), before);
    assert.match(world.read('config/.env'), /k-7654321/);
  });

  it('goes back with a rollback, without the values on this machine, and they stay hidden', async () => {
    conf('env_target = config/.env', 'after_rollback = echo "back to $API_KEY and $DB"');
    const result = await world.run(['rollback', 'production']);
    assert.equal(result.status, 0, result.stderr);
    assert.match(world.read('config/.env'), /k-1234567/);
    assert.match(result.stderr, /back to \*\*\* and \*\*\*/);
    assertHidden(result, 'k-1234567', 'k-7654321', 'open sesame');
    const said = await world.run([
      'app',
      'production',
      'exec',
      '--',
      'sh',
      '-c',
      'echo "$DB,$MODE"; echo "$DB" | base64',
    ]);
    assert.equal(said.stdout, '***,production\n***\n');
  });

  it('goes with its release', async () => {
    conf('keep_releases = 1');
    for (const value of ['one one', 'two two', 'three three']) {
      write(`VALUE=${value}\n`);
      const result = await world.run(['deploy', 'production']);
      assert.equal(result.status, 0, result.stderr);
    }
    assert.deepEqual(readdirSync(join(world.site(), '.durant/env')).sort(), world.releases());
  });

  for (const [title, text, lines, pattern] of [
    ['a variable that is not set', 'A=$NO_SUCH_VARIABLE\n', [], /NO_SUCH_VARIABLE, which is not set/],
    ['a value that not all read alike', `TOKEN="it's \\$5"\n`, [], /env_file: TOKEN/],
    ['a CLI that is not there', 'A=$NAME\n', ['secrets = doppler'], /doppler.*not on the PATH/],
    ['1Password without its CLI', 'A=$op://a/b/c\n', ['secrets = 1password'], /\(op\) is not on the PATH/],
    ['Bitwarden without its CLI', 'A=$NAME\n', ['secrets = bitwarden'], /\(bw\) is not on the PATH/],
    ['a secret that nobody gives', 'A=$NAME\n', ['secrets = editor'], /DURANT_SECRET_NAME/],
    ['a place that is shared', 'A=b\n', ['shared_files = .env'], /env_target .env and the shared path/],
  ] as const)
    it(`ends the run before anything is changed: ${title}`, async () => {
      write(text);
      conf(...lines);
      // That a run failed is in the log all the same.
      const state = (): string => everything(join(world.site(), '.durant'), 'history.log');
      const before = state();
      const result = await world.run(['deploy', 'production']);
      assert.notEqual(result.status, 0);
      assert.match(result.stderr, pattern);
      assert.equal(state(), before);
    });

  it('needs its file', async () => {
    world.configure(['env_file = nowhere.env']);
    const result = await world.run(['deploy', 'production']);
    assert.equal(result.status, 2);
    assert.match(result.stderr, /nowhere\.env cannot be read/);
    writeFileSync(
      join(world.project, 'half.env'),
      "# it's fine\nA='one\nDEBUG hunter2\n'\nexport B: two\n\nPASSWORD hunter2\nC=3\n",
    );
    world.configure(['env_file = half.env']);
    const half = await world.run(['deploy', 'production']);
    assert.equal(half.status, 2);
    assert.match(half.stderr, /half\.env.* line 7 .*=/);
    assert.doesNotMatch(half.stderr, /hunter2/);
  });
});

describe('secrets', () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
  });
  after(() => world.remove());

  /** Puts a program on a PATH of its own; it notes its arguments, then runs `body`. */
  function program(name: string, body: string): { PATH: string; calls: () => string } {
    const bin = join(world.home.directory, `bin-${name}`);
    mkdirSync(bin, { recursive: true });
    const log = join(bin, 'calls');
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$*" >> '${log}'\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
    return {
      PATH: `${bin}:${world.home.env['PATH'] ?? ''}`,
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    };
  }

  /** Each of two look-ups waits until both have begun. */
  const meet = 'n=$(ls "$0".*.begun 2>/dev/null | wc -l)';
  const together = (name: string) =>
    `: > "$0.${name}.begun"; i=0; while ${meet}; [ "$n" -lt 2 ]; do i=$((i+1)); [ $i -gt 1200 ] && exit 9; sleep 0.05; done`;

  it('come from Bitwarden, unlocked with the password of secrets_password_env, in parallel', async () => {
    const bw = program(
      'bw',
      `case $1 in
  unlock) [ "$(printenv "$5")" = 'master word' ] || { echo 'Invalid master password.' >&2; exit 1; }; echo session-abcdef;;
  sync) ;;
  get) [ "$BW_SESSION" = session-abcdef ] || { echo 'Vault is locked.' >&2; exit 1; }; ${together('$3')}; echo "secret of $3";;
esac`,
    );
    writeFileSync(join(world.project, 'e'), 'ONE=$first\nTWO=$second\n');
    world.configure(['env_file = e', 'secrets = bitwarden', 'secrets_password_env = VAULT', 'spare = no']);
    const wrong = await world.run(['deploy', 'production'], { env: { PATH: bw.PATH, VAULT: 'guessed' } });
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /Invalid master password\. Check the variable VAULT/);
    assertHidden(wrong, 'guessed');
    const result = await world.run(['deploy', 'production'], {
      env: { PATH: bw.PATH, VAULT: 'master word' },
    });
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('.env'), "ONE='secret of first'\nTWO='secret of second'\n");
    assert.doesNotMatch(bw.calls(), /master|session-|guessed/);
  });

  it('come from 1Password by reference', async () => {
    const op = program('op', '[ "$1" = read ] && printf "%s\\n" "value at $3"');
    writeFileSync(join(world.project, 'e'), 'ONE=$op://Private/db/password\n');
    world.configure(['env_file = e', 'secrets = 1password', 'spare = no']);
    const result = await world.run(['deploy', 'production'], { env: { PATH: op.PATH } });
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('.env'), "ONE='value at op://Private/db/password'\n");
  });

  it('come from Doppler, whose failure names the secret', async () => {
    const doppler = program(
      'doppler',
      '[ "$3" = KNOWN ] && { echo "doppler value"; exit; }; echo "Doppler Error: Could not find requested secret: $3" >&2; exit 1',
    );
    world.configure(['env_file = e', 'secrets = doppler', 'spare = no']);
    writeFileSync(join(world.project, 'e'), 'ONE=$KNOWN\nTWO=$UNKNOWN\n');
    const failed = await world.run(['deploy', 'production'], { env: { PATH: doppler.PATH } });
    assert.equal(failed.status, 2);
    assert.match(failed.stderr, /doppler could not give UNKNOWN.*Could not find requested secret/s);
    writeFileSync(join(world.project, 'e'), 'ONE=$KNOWN\n');
    const result = await world.run(['deploy', 'production'], { env: { PATH: doppler.PATH } });
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('.env'), "ONE='doppler value'\n");
  });

  it("come from the editor's store, on the command line from DURANT_SECRET_", async () => {
    writeFileSync(join(world.project, 'e'), 'ONE=$db_password\n');
    world.configure(['env_file = e', 'secrets = editor', 'spare = no']);
    const result = await world.run(['deploy', 'production'], {
      env: { DURANT_SECRET_DB_PASSWORD: 'from the store' },
    });
    assert.equal(result.status, 0, result.stderr);
    assert.equal(world.read('.env'), "ONE='from the store'\n");
  });
});
