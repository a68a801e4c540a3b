/** `durant app exec` and `shell`: standard input, a terminal, and what neither of them shows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorld, type World } from './world.ts';

describe('durant app exec', function () {
  this.timeout(60_000);
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
    // Without what bash says to the terminal.
    const shown = stdout.replaceAll(/\x1b\[\?2004[hl]|\r/g, '');
    assert.match(shown, /Ready\? \n?\*\*\*\n\*\*\*\n<hello-there>/);
    assert.doesNotMatch(stdout, /hunter|-and-more/);

    const asked = await world.start(app('exec', '--', 'sh', '-c', 'tty -s && echo "[$API_TOKEN]"'), {
      on: 'terminal',
    }).result;
    assert.match(asked.stdout, /\[\*\*\*\]/);
  });
});
