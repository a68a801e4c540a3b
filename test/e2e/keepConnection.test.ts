/** `keep_connection`: the command line's next command finds the line open, and whatever changed or broke meanwhile makes a new one. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnect } from '../../src/remote/connect.ts';
import { requestFor } from '../remote/targets.ts';
import { quote } from '../../src/remote/shell.ts';
import { startSshd } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { commitVersion } from './faultsSupport.ts';
import { makeWorld, type World } from './world.ts';

describe('keep_connection', function () {
  let world: World;
  let folder: string;
  let runtime: string;
  before(async () => {
    world = await makeWorld({ line: 'proxied', conf: ['spare = no'] });
    // The path of a socket has to be short.
    runtime = mkdtempSync('/tmp/d-');
    world.home.env['XDG_RUNTIME_DIR'] = runtime;
    folder = join(runtime, 'durant');
  });
  after(async () => {
    await world.remove();
    rmSync(runtime, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const proxy of world.proxies) proxy.mend();
  });

  const sockets = () => (existsSync(folder) ? readdirSync(folder) : []);
  const allEnded = () =>
    waitFor('all holders to end', async () => sockets().length === 0 && (await holders()).length === 0);
  const holders = async () =>
    (await world.home.leftovers()).filter(({ command }) => command.includes('__hold-connection'));
  /** Logins that the server saw while a command ran, and the command's round trips. */
  async function costOf(...args: readonly string[]) {
    const [proxy] = world.proxies;
    assert.ok(proxy);
    proxy.resetCounters();
    const { status, stdout, stderr } = await world.start(args).result;
    assert.equal(status, 0, stdout + stderr);
    return { logins: proxy.connections, turns: proxy.turns };
  }
  /** One command, and its connection kept by a process that is logged in. */
  async function keep(conf = 'keep_connection = 4s') {
    world.configure(['spare = no', conf]);
    await costOf('status', 'production');
    const [proxy] = world.proxies;
    await waitFor('the kept connection', () => sockets().length === 1 && proxy?.open === 1);
  }

  it('keeps nothing where nobody asks for it, or the stage wants none', async () => {
    for (const lines of [[], ['keep_connection = 0s', '[DEFAULT]', 'keep_connection = 60s']]) {
      world.configure(['spare = no', ...lines]);
      assert.equal((await costOf('status', 'production')).logins, 1);
      assert.deepEqual(sockets(), []);
      assert.deepEqual(await holders(), []);
    }
  });

  it('has the next command log in no more, for the user alone, and ends by itself', async () => {
    await keep('keep_connection = 60s');
    assert.equal(lstatSync(folder).mode & 0o777, 0o700);
    assert.equal(lstatSync(join(folder, sockets()[0] ?? '')).mode & 0o777, 0o600);
    const costs = [];
    // The first may meet a holder that is still logging in; acknowledgements may be counted as well.
    for (let time = 0; time < 4; time += 1) costs.push(await costOf('status', 'production'));
    assert.deepEqual(
      costs.map(({ logins }) => logins),
      [0, 0, 0, 0],
    );
    const turns = Math.min(...costs.slice(1).map((cost) => cost.turns));
    assert.ok(turns <= 4, `${turns} round trips`);
    commitVersion(world, 'kept');
    assert.equal((await costOf('deploy', 'production')).logins, 0);
    assert.equal(world.read('index.html'), 'kept\n');
    const [holder] = await holders();
    assert.ok(holder);
    assert.doesNotMatch(holder.command, /127\.0\.0\.1|production/, 'no command line says where it leads');
    world.configure(['spare = no', 'keep_connection = 1s']);
    await costOf('status', 'production');
    await allEnded();
  });

  it('logs in anew where known_hosts has changed', async () => {
    await keep();
    const known = readdirSync(join(world.home.directory, 'ssh')).find((name) => name.includes('known_hosts'));
    assert.ok(known);
    appendFileSync(join(world.home.directory, 'ssh', known), '# changed\n');
    assert.notEqual((await costOf('status', 'production')).logins, 0);
    await allEnded();
  });

  it('logs in anew where the line was cut, or its holder killed', async () => {
    await keep();
    const [proxy] = world.proxies;
    proxy?.cut();
    await waitFor('the line to be gone', () => proxy?.open === 0);
    proxy?.mend();
    await waitFor('its holder to end', async () => (await holders()).length === 0);
    assert.notEqual((await costOf('status', 'production')).logins, 0);
    await allEnded();

    await keep();
    for (const { pid } of await holders()) process.kill(pid, 'SIGKILL');
    assert.notEqual((await costOf('status', 'production')).logins, 0);
    await waitFor('another holder', async () => (await holders()).length === 1);
    await allEnded();
  });

  it('keeps no login that asked for something', async () => {
    const mark = mkdtempSync(join(tmpdir(), 'keep-'));
    const asking = await startSshd({ passphrase: 'open' });
    const silent = await startSshd();
    try {
      // Instead of the command line: notes what it was to keep.
      const program = [
        'sh',
        '-c',
        `cat > ${quote(mark)}/$$.new && mv ${quote(mark)}/$$.new ${quote(mark)}/$$`,
      ];
      for (const server of [asking, silent]) {
        const connect = createConnect({ keeping: { folder: join(mark, 'sockets'), program } });
        const prompt = async () => 'open';
        (await connect({ ...requestFor(server, { prompt }), keepMs: 1000 })).close();
      }
      const noted = () => readdirSync(mark).filter((name) => /^\d+$/.test(name));
      await waitFor('the one to be kept', () => noted().length > 0);
      assert.deepEqual(
        noted().map((name) => JSON.parse(readFileSync(join(mark, name), 'utf8')).request.address.port),
        [silent.port],
      );
    } finally {
      await asking.stop();
      await silent.stop();
      rmSync(mark, { recursive: true, force: true });
    }
  });
});
