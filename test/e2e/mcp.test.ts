/** `durant mcp`, as an MCP client has it: the official SDK's client over standard input, against a real server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { cliBundle } from '../support/cli.ts';
import { waitFor } from '../support/wait.ts';
import { finishedOf, makeWorld, type World } from './world.ts';

/** Of the protocol: clients of before and of after its revision 2026-07-28. */
type Era = '2025' | '2026';

interface Answer {
  readonly isError: boolean;
  readonly result: Readonly<Record<string, unknown>>;
}

interface Agent {
  readonly client: Client;
  readonly call: (name: string, input?: Record<string, unknown>) => Promise<Answer>;
  readonly asked: readonly string[];
}

describe('durant mcp', function () {
  let world: World;
  const open: Client[] = [];

  before(async () => {
    world = await makeWorld({ conf: ['env = TOKEN=secret!deploy_token'] });
  });
  after(() => world.remove());
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
  });

  const secret = 'hunter2-hunter2';

  /** @param person what a person types when asked; undefined: the client cannot ask. */
  async function connect(
    options: readonly string[] = [],
    person?: (message: string) => string | undefined,
    era: Era = '2025',
    starter: readonly string[] = [],
  ): Promise<Agent> {
    const asked: string[] = [];
    const client = new Client(
      { name: 'test', version: '1' },
      {
        capabilities: person === undefined ? {} : { elicitation: {} },
        versionNegotiation: { mode: era === '2025' ? 'legacy' : { pin: '2026-07-28' } },
      },
    );
    if (person !== undefined)
      client.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        const stage = person(params.message);
        return stage === undefined ? { action: 'decline' } : { action: 'accept', content: { stage } };
      });
    open.push(client);
    await client.connect(
      new StdioClientTransport({
        command: starter[0] ?? process.execPath,
        args: [
          ...starter.slice(1),
          ...(starter.length === 0 ? [] : [process.execPath]),
          cliBundle(),
          'mcp',
          ...options,
        ],
        cwd: world.project,
        env: { ...definedOf(world.home.env), DURANT_SECRET_DEPLOY_TOKEN: secret },
        stderr: 'pipe',
      }),
    );
    return {
      client,
      asked,
      call: async (name, input = {}) => {
        const {
          isError = false,
          structuredContent,
          content,
        } = await client.callTool({
          name,
          arguments: input,
        });
        const text = JSON.stringify(content);
        assert.ok(!text.includes(secret), `${name} shows the secret`);
        return { isError, result: (structuredContent ?? { text }) as Record<string, unknown> };
      },
    };
  }

  const names = async ({ client }: Agent): Promise<readonly string[]> =>
    (await client.listTools()).tools.map(({ name }) => name);
  const codeOf = ({ result }: Answer): unknown => Reflect.get(Object(result['error']), 'code');
  const reading = ['durant_status', 'durant_check', 'durant_dry_run', 'durant_log', 'durant_explain_failure'];

  for (const era of ['2025', '2026'] as const)
    it(`offers what only reads, and nothing else, unless it is allowed (${era})`, async () => {
      const reader = await connect([], undefined, era);
      assert.deepEqual(await names(reader), reading);
      const refused = await reader.call('durant_deploy', { plan: 'a'.repeat(64) }).catch(() => undefined);
      assert.ok(refused === undefined || refused.isError);
      const actor = await connect(['--allow-deploy'], undefined, era);
      assert.deepEqual(await names(actor), [...reading, 'durant_deploy', 'durant_rollback']);
    });

  it('checks the text and contacts nobody', async () => {
    const agent = await connect();
    const good = await agent.call('durant_check', { stage: 'production' });
    assert.equal(good.result['ok'], true);
    world.configure(['brnch = main']);
    const bad = await agent.call('durant_check');
    assert.equal(bad.isError, true);
    assert.match(JSON.stringify(bad.result['problems']), /"code":"unknown-key"/);
    world.configure(['env = TOKEN=secret!deploy_token']);
    assert.equal((await agent.call('durant_check', { stge: 'production' })).isError, true);
    assert.equal(codeOf(await agent.call('durant_check', { stage: 'nowhere' })), 'unknown-stage');
  });

  it('deploys and rolls back by the plan of its own dry run alone, and says what became of it', async () => {
    const agent = await connect(['--allow-deploy']);
    const wrong = await agent.call('durant_deploy', { plan: 'a'.repeat(64) });
    assert.equal(codeOf(wrong), 'usage');
    assert.equal(existsSync(world.site()), false);

    const dry = await agent.call('durant_dry_run', { stage: 'production' });
    assert.equal(dry.isError, false, JSON.stringify(dry.result));
    assert.equal(dry.result['pending'], true);
    assert.match(JSON.stringify(dry.result['changes']), /"path":"index.html","kind":"added"/);
    assert.equal(existsSync(world.site()), false);
    const plan = String(dry.result['plan']);
    assert.match(plan, /^[0-9a-f]{64}$/);
    // Another session has not reviewed it.
    const other = await connect(['--allow-deploy']);
    assert.equal(codeOf(await other.call('durant_deploy', { plan })), 'usage');
    // And what goes forward is no way back.
    assert.equal(codeOf(await agent.call('durant_rollback', { plan })), 'usage');

    const done = await agent.call('durant_deploy', { plan });
    assert.equal(done.result['ok'], true, JSON.stringify(done.result));
    assert.equal(world.live(), done.result['release']);
    assert.equal(codeOf(await agent.call('durant_deploy', { plan })), 'usage');
    const nothing = await agent.call('durant_dry_run', { stage: 'production' });
    assert.deepEqual([nothing.result['pending'], nothing.result['plan']], [false, null]);

    world.repository.commit({ message: 'Second', files: { 'index.html': 'version 2\n' } });
    const second = await agent.call('durant_dry_run', { stage: 'production' });
    assert.equal((await agent.call('durant_deploy', { plan: second.result['plan'] })).isError, false);
    assert.equal(world.read('index.html'), 'version 2\n');

    const status = await agent.call('durant_status');
    assert.match(JSON.stringify(status.result['stages']), new RegExp(`"release":"${String(world.live())}"`));

    const back = await agent.call('durant_dry_run', { stage: 'production', action: 'rollback' });
    assert.equal(back.result['release'], done.result['release'], JSON.stringify(back.result));
    const rolled = await agent.call('durant_rollback', { plan: back.result['plan'] });
    assert.equal(rolled.isError, false, JSON.stringify(rolled.result));
    assert.equal(world.read('index.html'), 'version 1\n');
    const { runs } = (await agent.call('durant_log', { stage: 'production' })).result;
    assert.ok(Array.isArray(runs));
    assert.deepEqual(
      runs.map((run: { readonly action: string }) => run.action),
      ['rollback', 'deploy', 'deploy'],
    );
  });

  it('does nothing by a plan that is stale', async () => {
    const agent = await connect(['--allow-deploy']);
    world.repository.commit({ message: 'Third', files: { 'index.html': 'version 3\n' } });
    const deploy = await agent.call('durant_dry_run', { stage: 'production' });
    const finished = finishedOf(
      await world.run(['deploy', '--json', 'production'], {
        env: { DURANT_SECRET_DEPLOY_TOKEN: secret },
      }),
    );
    assert.equal(finished['ok'], true, JSON.stringify(finished));
    const late = await agent.call('durant_deploy', { plan: deploy.result['plan'] });
    assert.equal(codeOf(late), 'plan-stale', JSON.stringify(late.result));

    const back = await agent.call('durant_dry_run', { stage: 'production', action: 'rollback' });
    world.repository.commit({ message: 'Fourth', files: { 'index.html': 'version 4\n' } });
    await world.run(['deploy', 'production'], { env: { DURANT_SECRET_DEPLOY_TOKEN: secret } });
    const lateBack = await agent.call('durant_rollback', { plan: back.result['plan'] });
    assert.equal(codeOf(lateBack), 'plan-stale', JSON.stringify(lateBack.result));
    assert.equal(world.read('index.html'), 'version 4\n');
  });

  for (const era of ['2025', '2026'] as const)
    it(`asks a person where the client can, with what was reviewed (${era})`, async () => {
      world.repository.commit({ message: `For ${era}`, files: { 'index.html': `for ${era}\n` } });
      const before = world.live();
      let types: string | undefined;
      const agent = await connect(['--allow-deploy'], () => types, era);
      const { plan } = (await agent.call('durant_dry_run', { stage: 'production' })).result;
      for (types of [undefined, 'staging']) {
        const refused = await agent.call('durant_deploy', { plan });
        assert.equal(codeOf(refused), 'cancelled', JSON.stringify(refused.result));
      }
      assert.equal(world.live(), before);
      types = 'production';
      const done = await agent.call('durant_deploy', { plan });
      assert.equal(done.isError, false, JSON.stringify(done.result));
      assert.equal(world.read('index.html'), `for ${era}\n`);
      assert.equal(agent.asked.length, 3);
      for (const message of agent.asked) {
        assert.match(message, /^Deploy [0-9a-f]{7} to production\?/);
        assert.ok(message.includes(String(plan)));
      }
    });

  it('connects to nobody for a protected stage that nobody can confirm', async () => {
    world.repository.commit({ message: 'Guarded', files: { 'index.html': 'guarded\n' } });
    world.configure(['env = TOKEN=secret!deploy_token', 'protected = yes']);
    const agent = await connect(['--allow-deploy']);
    const { plan } = (await agent.call('durant_dry_run', { stage: 'production' })).result;
    const server = world.servers[0];
    assert.ok(server);
    // What it says of connections that end may come late.
    const connections = () => server.log().match(/^Connection from /gm)?.length;
    const before = connections();
    const refused = await agent.call('durant_deploy', { plan });
    assert.equal(codeOf(refused), 'confirmation-needed', JSON.stringify(refused.result));
    assert.equal(connections(), before);
    world.configure(['env = TOKEN=secret!deploy_token']);
  });

  it('explains a failure that it saw, and one that the servers have noted, without secrets', async () => {
    world.repository.commit({ message: 'Broken', files: { 'index.html': 'broken\n' } });
    world.configure([
      'env = TOKEN=secret!deploy_token',
      'before_symlink = echo "the token is $TOKEN"; echo "no database" >&2; exit 3',
    ]);
    const agent = await connect(['--allow-deploy']);
    const { plan } = (await agent.call('durant_dry_run', { stage: 'production' })).result;
    const failed = await agent.call('durant_deploy', { plan });
    assert.equal(failed.isError, true);
    const seen = await agent.call('durant_explain_failure', { stage: 'production' });
    assert.equal(seen.result['from'], 'session');
    const said = JSON.stringify(seen.result);
    assert.match(said, /"code":"remote-command-failed"/);
    assert.match(said, /no database/);
    assert.match(said, /the token is /);
    const other = await connect();
    const noted = await other.call('durant_explain_failure', { stage: 'production' });
    assert.equal(noted.result['from'], 'history');
    assert.match(JSON.stringify(noted.result['failure']), /"code":"remote-command-failed"/);
    assert.deepEqual(noted.result['succeeded_since'], []);
    world.configure(['env = TOKEN=secret!deploy_token']);
  });

  it('undoes a run whose client goes away, and ends', async () => {
    world.repository.commit({ message: 'Slow', files: { 'index.html': 'slow\n' } });
    world.configure(['env = TOKEN=secret!deploy_token', 'release_command = touch ~/began; sleep 100']);
    const live = world.live();
    // The SDK's client kills in a few seconds what it has started, and a busy machine takes longer to undo a run.
    const besides = ['sh', '-c', '"$@" <&3 3<&- & wait', 'sh'];
    const agent = await connect(['--allow-deploy'], undefined, '2025', [
      'sh',
      '-c',
      'exec "$@" 3<&0',
      'sh',
      ...besides,
    ]);
    const { plan } = (await agent.call('durant_dry_run', { stage: 'production' })).result;
    const steps: string[] = [];
    const call = agent.client
      .callTool(
        { name: 'durant_deploy', arguments: { plan } },
        { onprogress: ({ message = '' }) => steps.push(message) },
      )
      .catch(() => undefined);
    await waitFor('the command to begin', () => steps.some((step) => step.startsWith('release_command')));
    await agent.client.close();
    await call;
    await waitFor('the run to be undone', () => !existsSync(`${world.site()}/.durant/lock`));
    assert.equal(world.live(), live);
    await world.home.quiet();
    world.configure(['env = TOKEN=secret!deploy_token']);
  });

  it('writes nothing but the protocol to standard output', async () => {
    const child = spawn(process.execPath, [cliBundle(), 'mcp'], {
      cwd: world.project,
      env: world.home.env,
    });
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
    const say = (message: object): void => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    };
    say({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    say({ method: 'notifications/initialized' });
    say({ id: 2, method: 'tools/call', params: { name: 'durant_status', arguments: {} } });
    await waitFor('the answer', () => written.includes('"id":2'));
    child.stdin.end();
    const status = await new Promise((resolve) => child.on('exit', resolve));
    assert.equal(status, 0);
    const lines = written.trimEnd().split('\n');
    for (const line of lines) assert.equal(JSON.parse(line).jsonrpc, '2.0');
    assert.equal(lines.length, 2);
  });

  it('says at once where there is no durant.conf', async () => {
    const { status, stdout, stderr } = await world.run(['mcp', '--config', 'none.conf']);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /There is no file none\.conf/);
  });
});

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
