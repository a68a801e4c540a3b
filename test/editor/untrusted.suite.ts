/** A folder that is not trusted: whatever is called, nothing runs and nothing connects. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { commands, nodeCommands } from '../../src/editor/ids.ts';
import { makeRepository } from '../support/repo.ts';

describe('commands in an untrusted folder', () => {
  const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'hostile');
  const file = join(folder, 'durant.conf');
  const ran = join(folder, 'ran');
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });

  before(async () => {
    await new Promise<void>((listening) => {
      server.listen(0, '127.0.0.1', () => {
        listening();
      });
    });
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    mkdirSync(folder);
    makeRepository([{ message: 'First', files: { 'index.html': 'one\n' } }], folder);
    writeFileSync(
      file,
      `[production]\nrepository: .\nproject_dir: ~/x\nserver: root@127.0.0.1:${String(port)}\nuser: sh!touch ${ran}; echo root\nbefore_deploy: touch ${ran}\ndomain_name: shop.test\n[process web]\ncommand: touch ${ran}\n`,
    );
    const extension = vscode.extensions.getExtension('durant.durant');
    await extension?.activate();
  });

  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('run nothing and connect to nobody', async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    const stage = { file, stage: 'production' };
    const node = { ...stage, kind: 'server', server: 'root@127.0.0.1', release: 'x', process: 'web' };
    const kind = (id: string) => ['release', 'process'].find((each) => id.includes(each)) ?? 'server';
    const asking: readonly string[] = [commands.forgetSecrets, commands.createConfig, commands.showOutput];
    const all = [...Object.values(commands), ...Object.values(nodeCommands)].filter(
      (id) => !asking.includes(id),
    );
    for (const id of all) await vscode.commands.executeCommand(id, { ...node, kind: kind(id) });
    assert.equal(existsSync(ran), false);
    assert.equal(connections, 0);
  });

  it('and nothing for agents', async () => {
    for (const name of ['durant_status', 'durant_check', 'durant_dry_run'])
      await vscode.lm
        .invokeTool(name, {
          input: { stage: 'production', ...(name === 'durant_check' ? { connect: true } : {}) },
          toolInvocationToken: undefined,
        })
        .then(({ content }) => {
          assert.match(JSON.stringify(content), /not trusted/);
        });
    assert.equal(existsSync(ran), false);
    assert.equal(connections, 0);
  });
});
