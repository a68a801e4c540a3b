/** `durant app exec` and `shell`: standard input, a terminal, and what neither of them shows. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorld, type World } from './world.ts';

describe('durant app exec', function () {
  const secret = 'hunter22-and-more';
  let world: World;
  before(async () => {
    world = await makeWorld({ servers: [{}, {}] });
    writeFileSync(join(world.project, 'app.env'), `API_TOKEN=${secret}\nGREETING=hello-there\n`);
    configure();
    assert.equal((await world.run(['deploy', 'production'])).status, 0);
  });
  after(() => world.remove());

  const configure = (...lines: readonly string[]) => world.configure(['env_file = app.env', ...lines]);
  const app = (...args: readonly string[]) => ['app', 'production', ...args];

  it('hands standard input on, byte for byte and with --json, too', async () => {
    for (const client of ['ssh2', 'openssh']) {
      configure(`ssh_client = ${client}`);
      const input = 'ä line\n'.repeat(40_000);
      const counted = await world.start(app('exec', '--', 'wc', '-c'), { input }).result;
      assert.equal(counted.stdout.trim(), String(Buffer.byteLength(input)), counted.stderr);
    }
    const shell = await world.start(app('shell'), { input: 'echo "<$GREETING>"; exit 5\n' }).result;
    assert.equal(shell.stdout, '<hello-there>\n');
    assert.equal(shell.status, 5);
    const read = await world.start(['--json', ...app('exec', '--', 'cat')], { input: 'as it is' }).result;
    assert.equal(JSON.parse(read.stdout).stdout, 'as it is');
    const none = await world.run(app('exec', '--', 'cat'));
    assert.deepEqual([none.status, none.stdout], [0, '']);
  });

  it('shows no secret on a terminal, whole or in pieces, and what is none at once', async () => {
    configure();
    const run = world.start(app('shell'), { on: 'terminal' });
    const parts =
      'printf %s "${API_TOKEN%-and-more}"; sleep 0.2; echo "-and-more"; printf %s "$API_TOKEN" | base64';
    run.type(`stty -echo; PS1=; printf 'Ready? '\n`);
    await run.waitForOutput(/Ready\? (?!')/);
    run.type(`tty -s && ${parts}; echo "<$GREETING>"; exit 4\n`);
    const { status, stdout } = await run.result;
    assert.equal(status, 4);
    // What ssh and bash say to the terminal at their ends may come between.
    assert.match(stdout, /Ready\? /);
    assert.equal(stdout.match(/^\*\*\*\r*$/gm)?.length, 2, stdout);
    assert.match(stdout, /<hello-there>/);
    assert.doesNotMatch(stdout, /hunter|-and-more/);

    const asked = await world.start(app('exec', '--', 'sh', '-c', 'tty -s && echo "[$API_TOKEN]"'), {
      on: 'terminal',
    }).result;
    assert.match(asked.stdout, /\[\*\*\*\]/);
  });

  it('and durant ssh check host keys as strictly as the ssh configuration wants', async () => {
    configure('host_key_checking = accept-new');
    const folder = join(world.home.directory, 'ssh');
    const [config, known] = [join(folder, 'ssh_config'), join(folder, 'known_hosts')];
    const before = [readFileSync(config, 'utf8'), readFileSync(known, 'utf8')] as const;
    writeFileSync(config, `StrictHostKeyChecking yes\n${before[0]}`);
    writeFileSync(known, '');
    const refused = await world.start(['ssh', 'production'], { on: 'terminal' }).result;
    assert.match(refused.stdout, /Host key verification failed/);
    assert.equal(refused.status, 255);
    assert.equal(readFileSync(known, 'utf8'), '');
    writeFileSync(config, before[0]);
    const run = world.start(['ssh', 'production'], { on: 'terminal' });
    await run.waitForOutput(/current# |current\$ /);
    run.type('exit 3\n');
    assert.equal((await run.result).status, 3);
    assert.notEqual(readFileSync(known, 'utf8'), '');
    writeFileSync(known, before[1]);
  });
});
