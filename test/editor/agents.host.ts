/** The language-model tools, called as an agent of the editor calls them, inside VS Code and against a real server. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { AGENT_TOOLS } from '../../src/agents/tools.ts';
import { makeRepository, type Repository } from '../support/repo.ts';
import { startSshd, writeSshForServers, type TestServer } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';
import { hands } from './rig/hands.ts';

describe('tools of agents in the editor', () => {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const folder = join(workspace, 'agents');
  const file = join(folder, 'durant.conf');
  const config = 'agents/durant.conf';
  const scratch = mkdtempSync(join(tmpdir(), 'durant-agents-'));
  let server: TestServer;
  let project: Repository;

  before(async function () {
    server = await startSshd();
    const { bin } = await writeSshForServers(join(scratch, 'ssh'), [server]);
    await vscode.workspace
      .getConfiguration('durant')
      .update('sshPath', join(bin, 'ssh'), vscode.ConfigurationTarget.Global);
    mkdirSync(folder);
    project = makeRepository([{ message: 'First', files: { 'index.html': 'one\n' } }], folder);
    configure('');
    await vscode.extensions.getExtension('durant.durant')?.activate();
    await waitFor(
      'the stage to be found',
      async () => (await call('durant_check', { config }))['ok'] === true,
    );
  });
  beforeEach(() => {
    hands.forget();
  });
  after(async () => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  function configure(more: string): void {
    writeFileSync(file, `[agents]\nrepository: .\nproject_dir: ~/shop\nserver: ${server.entry}\n${more}\n`);
  }
  const page = (): string => {
    const path = join(server.home, 'shop', 'current', 'index.html');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };

  async function call(name: string, input: object): Promise<Record<string, unknown>> {
    return read(await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }));
  }
  /** As VS Code calls it once it may: it has asked, or was told not to. */
  async function allowed(name: string, input: object): Promise<Record<string, unknown>> {
    const { token } = new vscode.CancellationTokenSource();
    return read(await hands.tool(name).invoke({ input, toolInvocationToken: undefined }, token));
  }
  function read(result: vscode.LanguageModelToolResult | null | undefined): Record<string, unknown> {
    const [part] = result?.content ?? [];
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    return JSON.parse(part.value) as Record<string, unknown>;
  }
  const codeOf = ({ error }: Record<string, unknown>): unknown => Reflect.get(Object(error), 'code');

  it('are those that an MCP client has', async () => {
    await waitFor('the tools to be listed', () => {
      const names = vscode.lm.tools.map(({ name }) => name);
      return AGENT_TOOLS.every(({ name }) => names.includes(name));
    });
  });

  it('tell status, mistakes and what a deploy would do', async () => {
    assert.equal((await call('durant_check', { config }))['ok'], true);
    const { stages: found } = await call('durant_status', { stage: 'agents' });
    assert.match(JSON.stringify(found), /"release":null/);
    const dry = await call('durant_dry_run', { stage: 'agents' });
    assert.equal(dry['pending'], true, JSON.stringify(dry));
    assert.equal(existsSync(join(server.home, 'shop')), false);
    assert.equal(codeOf(await call('durant_status', { stage: 'agents', config: 'nowhere' })), 'usage');
  });

  it('deploy and roll back only what was reviewed, when a person says yes, whatever VS Code allows by itself', async () => {
    assert.equal(codeOf(await allowed('durant_deploy', { plan: 'a'.repeat(64) })), 'usage');
    const { plan } = await call('durant_dry_run', { stage: 'agents' });
    // What it says of connections that end may come late.
    const connections = (): number => server.log().match(/^Connection from /gm)?.length ?? 0;
    const before = connections();
    const { token } = new vscode.CancellationTokenSource();
    const prepared = await hands.tool('durant_deploy').prepareInvocation?.({ input: { plan } }, token);
    const { title = '', message } = prepared?.confirmationMessages ?? {};
    assert.match(title, /^Deploy [0-9a-f]{7} to agents\?$/);
    assert.ok(message instanceof vscode.MarkdownString && message.isTrusted !== true);
    assert.ok(message.value.includes(String(plan)));
    // In a test VS Code shows no dialog of its own: the older one refuses then, the newer one goes on.
    assert.equal(await call('durant_deploy', { plan }).then(codeOf, () => 'cancelled'), 'cancelled');
    hands.forget();
    assert.equal(codeOf(await allowed('durant_deploy', { plan })), 'cancelled');
    const asked = hands.shown().find(({ modal }) => modal);
    assert.match(asked?.text ?? '', /^Deploy [0-9a-f]{7} to agents\?$/);
    assert.ok(asked?.detail.includes(String(plan)));
    // Nobody was connected to.
    assert.equal(connections(), before);
    assert.equal(page(), '');

    hands.reply(/^Deploy [0-9a-f]{7} to agents/, 'Deploy');
    const done = await allowed('durant_deploy', { plan });
    assert.equal(done['ok'], true, JSON.stringify(done));
    assert.equal(page(), 'one\n');

    project.commit({ message: 'Second', files: { 'index.html': 'two\n' } });
    configure('');
    const second = await call('durant_dry_run', { stage: 'agents' });
    hands.reply(/^Deploy [0-9a-f]{7} to agents/, 'Deploy');
    await allowed('durant_deploy', { plan: second['plan'] });
    assert.equal(page(), 'two\n');
    const back = await call('durant_dry_run', { stage: 'agents', action: 'rollback' });
    hands.reply(/^Roll back agents to /, 'Roll Back');
    const rolled = await allowed('durant_rollback', { plan: back['plan'] });
    assert.equal(rolled['ok'], true, JSON.stringify(rolled));
    assert.equal(page(), 'one\n');
  });

  it('explain the failure of a run that a person began', async () => {
    configure('before_deploy: echo no compiler >&2; exit 3');
    project.commit({ message: 'Third', files: { 'index.html': 'three\n' } });
    configure('before_deploy: echo no compiler >&2; exit 3');
    await vscode.commands.executeCommand('durant.deploy', { file, stage: 'agents' });
    const explained = await waitFor('the failure', async () => {
      const found = await call('durant_explain_failure', { stage: 'agents' });
      return found['from'] === 'session' ? found : undefined;
    });
    assert.match(JSON.stringify(explained['failure']), /no compiler/);
    assert.equal(page(), 'one\n');
  });
});
