/** A hostile durant.conf in a folder that is trusted: opening it, hovering, completing and asking for a run does no harm. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { OPTIONS } from '../../src/config/options/options.ts';
import { hands, stages } from './rig/hands.ts';

describe('a hostile durant.conf', () => {
  const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'hostile');
  const file = join(folder, 'durant.conf');
  const ran = join(folder, 'ran');
  const uri = vscode.Uri.file(file);
  let counter: Server;
  let connections = 0;
  let looked = 0;

  before(async () => {
    mkdirSync(folder);
    counter = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((done) => {
      counter.listen(0, '127.0.0.1', () => {
        done();
      });
    });
    writeFileSync(file, '[a]\n');
    await vscode.extensions.getExtension('durant.durant')?.activate();
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    hands.forget();
    assert.ok(!existsSync(ran));
    assert.equal(connections, 0);
  });

  after(() => {
    counter.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  function port(): string {
    const address = counter.address();
    return address !== null && typeof address === 'object' ? String(address.port) : '';
  }

  /** Everything that happens by itself or by looking at it. */
  async function lookAt(text: string): Promise<string> {
    // A file of its own: no editor has to notice that another text is in it.
    looked += 1;
    const uri = vscode.Uri.file(join(folder, String(looked), 'durant.conf'));
    await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document);
    const hovers: string[] = [];
    const lines = Math.min(document.lineCount, text.length > 100_000 ? 5 : 100);
    for (let line = 0; line < lines; line += 1) {
      for (const character of [1, document.lineAt(line).text.length]) {
        const at = new vscode.Position(line, character);
        const found = await vscode.commands.executeCommand<vscode.Hover[]>(
          'vscode.executeHoverProvider',
          uri,
          at,
        );
        for (const content of found.flatMap(({ contents }) => contents)) {
          assert.ok(content instanceof vscode.MarkdownString);
          assert.ok(content.isTrusted !== true, 'a hover is trusted');
          assert.ok(content.supportHtml !== true, 'a hover takes HTML');
          hovers.push(content.value);
        }
      }
    }
    const end = document.lineAt(document.lineCount - 1).range.end;
    await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', uri, end);
    await vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 20);
    await vscode.commands.executeCommand('vscode.executeDocumentSymbolProvider', uri);
    await vscode.commands.executeCommand('vscode.executeLinkProvider', uri, 20);
    await vscode.commands.executeCommand('vscode.executeFormatDocumentProvider', uri, {});
    await vscode.commands.executeCommand(
      'vscode.executeCodeActionProvider',
      uri,
      new vscode.Range(0, 0, lines, 0),
    );
    return hovers.join('\n');
  }

  const attack = (): string =>
    `; touch ${ran}; $(touch ${ran}) \`touch ${ran}\` | touch ${ran} & "touch ${ran}"`;

  it('with shell characters in every value runs nothing while it is looked at', async () => {
    const values = Object.keys(OPTIONS)
      .map((name) => `${name} = sh!touch ${ran}${attack()}`)
      .join('\n');
    await lookAt(`[production]\n${values}\n`);
    await lookAt(
      `[production]\nrepository = .\nserver = -oProxyCommand=touch\${IFS}${ran}@127.0.0.1:${port()}\nproject_dir = /x${attack()}\n`,
    );
  });

  it('whose server is an option of ssh or a command reaches no shell, whoever asks', async () => {
    for (const server of [
      `-oProxyCommand=touch ${ran}`,
      `"-oProxyCommand=touch ${ran}"@x`,
      `x;touch ${ran}`,
      `$(touch ${ran})@127.0.0.1`,
    ]) {
      await vscode.workspace.fs.writeFile(
        uri,
        Buffer.from(`[production]\nrepository = .\nproject_dir = /x\nserver = ${server}\n`),
      );
      await vscode.commands.executeCommand('durant.dryRun', { file, stage: 'production' });
      const said = await hands.sees(/^production \(.*\): /);
      assert.equal(said.kind, 'error');
      await vscode.commands.executeCommand('durant.server.openTerminal', {
        kind: 'server',
        file,
        stage: 'production',
        server,
      });
      hands.forget();
    }
    assert.deepEqual(
      vscode.window.terminals.filter(({ name }) => name.includes('ProxyCommand')),
      [],
    );
  });

  it('shows its own text in hovers, never links of it', async () => {
    const link =
      '[click](command:workbench.action.quit) ![](http://127.0.0.1/x.png) <img src=x> [a]: command:x';
    const hovers = await lookAt(
      `[DEFAULT]\nrepository = ${link}\n[production] \nserver = web1\nproject_dir = /srv/${link}\nbranch = ${link}\nown_${'`'} = ${link}\nbefore_deploy = ${'`'.repeat(5)} ${link}\n`,
    );
    assert.notEqual(hovers, '');
    // Outside of code spans and blocks nothing of it may be left that Markdown takes for a link.
    const plain = hovers.replace(/(`{3,})[\s\S]*?\1/g, '').replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
    assert.doesNotMatch(plain, /(?<!\\)\]\(\s*(command|http:\/\/127)/);
    assert.doesNotMatch(plain, /(?<!\\|&lt;)<img/);
  });

  it('that is binary, cyclic or endless is read and judged', async () => {
    const binary = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256);
    await vscode.workspace.fs.writeFile(uri, binary);
    // The editor itself opens no binary file as text; whoever asks for a run is told.
    await vscode.commands.executeCommand('durant.dryRun', { file, stage: 'production' });
    assert.equal((await hands.sees(/^production \(.*\): /)).kind, 'error');
    await lookAt('[a]\nx = %(y)s\ny = %(z)s\nz = %(x)s\nserver = %(x)s\nproject_dir = %(project_dir)s\n');
    await lookAt(`[a]\n${'server = '.repeat(10)}\nproject_dir = ${'%('.repeat(5000)}\n`);
    await lookAt(
      `[a]\nrepository = .\nserver =\n${Array.from({ length: 100_000 }, (_, index) => `    web${String(index)}\n`).join('')}`,
    );
  });

  it('with thousands of stages leaves the tree and the picks usable', async () => {
    await vscode.workspace.fs.writeFile(
      uri,
      Buffer.from(Array.from({ length: 5000 }, (_, index) => `[s${String(index)}]\nserver = web\n`).join('')),
    );
    const configuration = await stages.row(/\/hostile $/);
    await stages.row(/^s4999/, configuration);
  });
});
