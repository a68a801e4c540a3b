/** The language of durant.conf as VS Code itself asks for it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

const STAGE = '[production]\nrepository: .\nserver: web1\nproject_dir: /var/www/shop\n';

describe('durant.conf in the editor', () => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const project = join(folder, 'language');
  const file = join(project, 'durant.conf');
  let document: vscode.TextDocument;

  before(async () => {
    mkdirSync(join(homedir(), '.ssh'), { recursive: true });
    writeFileSync(join(homedir(), '.ssh/config'), 'Host web-alias\n  HostName 127.0.0.1\n');
    mkdirSync(join(project, 'public'), { recursive: true });
    writeFileSync(join(project, 'public/index.html'), '');
    writeFileSync(file, STAGE);
    const git = (...args: readonly string[]): void => {
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: project });
    };
    git('init', '-q', '-b', 'trunk');
    git('add', '.');
    git('commit', '-qm', 'first');
    git('tag', 'v1.0');
    git('branch', 'feature/cart');
    document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
  });

  after(async () => {
    await write(STAGE);
    await document.save();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(project, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    rmSync(join(homedir(), '.ssh/config'));
  });

  /** Replaces the unsaved text; `|` marks the cursor. */
  async function write(marked: string): Promise<vscode.Position> {
    const offset = marked.indexOf('|');
    const text = marked.replace('|', '');
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
    return document.positionAt(Math.max(0, offset));
  }

  async function ask<T>(command: string, ...args: readonly unknown[]): Promise<T> {
    return await vscode.commands.executeCommand<T>(command, document.uri, ...args);
  }

  function codesOf(diagnostics: readonly vscode.Diagnostic[]): readonly string[] {
    return diagnostics.map(({ code }) => (typeof code === 'object' ? String(code.value) : String(code)));
  }

  /** The diagnostics once they are as wanted. */
  async function diagnosed(...codes: readonly string[]): Promise<readonly vscode.Diagnostic[]> {
    const now = (): readonly vscode.Diagnostic[] => vscode.languages.getDiagnostics(document.uri);
    const isThere = (): boolean => [...codesOf(now())].sort().join() === [...codes].sort().join();
    if (isThere()) return now();
    return await new Promise((done, fail) => {
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        listener.dispose();
        finish();
      };
      const timer = setTimeout(() => {
        end(() => {
          fail(new Error(`Waited for ${codes.join()}, there is ${codesOf(now()).join()}`));
        });
      }, 10_000);
      const listener = vscode.languages.onDidChangeDiagnostics(() => {
        if (isThere())
          end(() => {
            done(now());
          });
      });
    });
  }

  async function completions(marked: string): Promise<readonly vscode.CompletionItem[]> {
    const position = await write(marked);
    const list = await ask<vscode.CompletionList>('vscode.executeCompletionItemProvider', position);
    return list.items;
  }

  const labelsOf = (items: readonly vscode.CompletionItem[]): readonly string[] =>
    items.map(({ label }) => (typeof label === 'string' ? label : label.label));

  it('has its own language', () => {
    assert.equal(document.languageId, 'durant-conf');
  });

  it('marks mistakes in the unsaved text, with code and link, and takes them away', async () => {
    await write(`${STAGE}brnch: trunk\n`);
    const [found] = await diagnosed('unknown-key');
    assert.ok(found);
    assert.equal(found.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(document.getText(found.range), 'brnch');
    assert.ok(typeof found.code === 'object');
    assert.match(found.code.target.toString(true), /docs\/configuration\.md#unknown-key$/);
    await write(STAGE);
    await diagnosed();
  });

  it('corrects them by the bulb', async () => {
    await write(`${STAGE}brnch: trunk\n`);
    const [found] = await diagnosed('unknown-key');
    const actions = await ask<vscode.CodeAction[]>('vscode.executeCodeActionProvider', found?.range);
    const fix = actions.find(({ isPreferred }) => isPreferred === true);
    assert.equal(fix?.title, 'Change to "branch"');
    assert.ok(fix.edit);
    await vscode.workspace.applyEdit(fix.edit);
    assert.equal(document.getText(), `${STAGE}branch: trunk\n`);
    await diagnosed();
  });

  it('knows the branches of the project', async () => {
    await write(`${STAGE}branch: trnk\n`);
    await diagnosed('unknown-branch');
    const found = labelsOf(await completions(`${STAGE}branch: |\n`));
    for (const label of ['trunk', 'feature/cart', 'v1.0']) assert.ok(found.includes(label), found.join(' '));
  });

  it('makes a private key private', async () => {
    const key = join(project, 'key');
    writeFileSync(key, '');
    chmodSync(key, 0o644);
    await write(`${STAGE}ssh_identity: ./key\n`);
    const [found] = await diagnosed('identity-permissions');
    const [action] = await ask<vscode.CodeAction[]>('vscode.executeCodeActionProvider', found?.range);
    assert.ok(action?.command);
    await vscode.commands.executeCommand(action.command.command, ...(action.command.arguments ?? []));
    assert.equal(statSync(key).mode & 0o777, 0o600);
    await diagnosed();
    chmodSync(key, 0o644);
    // A file that the text does not name is left alone, whoever asks.
    await vscode.commands.executeCommand(action.command.command, document.uri.toString(), './durant.conf');
    await write(STAGE);
    await vscode.commands.executeCommand(action.command.command, ...(action.command.arguments ?? []));
    assert.equal(statSync(key).mode & 0o777, 0o644);
    rmSync(key);
  });

  it('completes keys, hosts, paths and references', async () => {
    const keys = await completions(`${STAGE}kee|`);
    const keep = keys.find(({ label }) => label === 'keep_releases');
    assert.equal(keep?.insertText, 'keep_releases: ');
    assert.ok(!labelsOf(keys).includes('server'));
    assert.ok(labelsOf(await completions('[a]\nserver: |')).includes('web-alias'));
    assert.ok(labelsOf(await completions(`${STAGE}exclude: /|`)).includes('/public/'));
    assert.ok(labelsOf(await completions(`${STAGE}user: %(|`)).includes('server'));
    assert.ok(labelsOf(await completions('[|')).includes('[production]'));
  });

  it('offers snippets where a line starts, and nowhere else', async () => {
    const snippets = async (marked: string): Promise<readonly string[]> =>
      labelsOf((await completions(marked)).filter(({ kind }) => kind === vscode.CompletionItemKind.Snippet));
    const [health] = (await completions(`${STAGE}|`)).filter(({ label }) => label === 'Health check');
    assert.ok(health?.insertText instanceof vscode.SnippetString);
    for (const marked of [`${STAGE}branch: |`, `${STAGE}shared_dirs:\n    |`, `${STAGE}# |`])
      assert.deepEqual(await snippets(marked), [], marked);
  });

  it('explains options, and trusts nothing of the file', async () => {
    const position = await write('[a]\nrepo|sitory: https://me:hunter2hunter2@example.com/x.git\n');
    const hovers = await ask<vscode.Hover[]>('vscode.executeHoverProvider', position);
    const parts = hovers.flatMap(({ contents }) => contents).map((part) => part as vscode.MarkdownString);
    const text = parts.map(({ value }) => value).join('\n');
    assert.match(text, /What to deploy/);
    assert.match(text, /\*\*\*/);
    assert.ok(!text.includes('hunter2'));
    assert.ok(parts.every(({ isTrusted, supportHtml }) => isTrusted !== true && supportHtml !== true));
  });

  it('offers what can be done above each stage', async () => {
    await write(`${STAGE}[staging]\n`);
    const lenses = await ask<vscode.CodeLens[]>('vscode.executeCodeLensProvider', 20);
    const titles = lenses.map(({ command, range }) => `${String(range.start.line)} ${command?.title ?? ''}`);
    for (const line of [0, 4])
      for (const title of ['Deploy', 'Dry run', 'Roll back', 'Unlock'])
        assert.ok(titles.includes(`${String(line)} ${title}`), titles.join(', '));
    const deploy = lenses.find(({ command }) => command?.title === 'Deploy');
    assert.deepEqual(deploy?.command?.arguments, [{ file: document.uri.fsPath, stage: 'production' }]);
    const known = await vscode.commands.getCommands(true);
    for (const { command } of lenses) assert.ok(command && known.includes(command.command), command?.command);
  });

  it('finds its way', async () => {
    const position = await write('[DEFAULT]\nsite: x\n[a]\nuser: %(si|te)s\n');
    const [definition] = await ask<vscode.LocationLink[]>('vscode.executeDefinitionProvider', position);
    assert.equal(definition?.targetRange.start.line, 1);
    const references = await ask<vscode.Location[]>('vscode.executeReferenceProvider', position);
    assert.deepEqual(
      references.map(({ range }) => range.start.line),
      [1, 3],
    );
    const edit = await ask<vscode.WorkspaceEdit>('vscode.executeDocumentRenameProvider', position, 'name1');
    await vscode.workspace.applyEdit(edit);
    assert.equal(document.getText(), '[DEFAULT]\nname1: x\n[a]\nuser: %(name1)s\n');
    await assert.rejects(
      Promise.resolve(ask('vscode.executeDocumentRenameProvider', new vscode.Position(3, 1), 'x')),
      /option of Durant/,
    );
  });

  it('has an outline, folds and links', async () => {
    await write(
      `${STAGE}env_file: ./public/index.html\nshared_dirs: public\nhealth_check: https://example.com/up\nvendors:\n    a\n    b\n`,
    );
    const symbols = await ask<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider');
    assert.deepEqual(
      symbols.map(({ name }) => name),
      ['production'],
    );
    assert.ok(symbols[0]?.children.some(({ name }) => name === 'vendors'));
    const folds = await ask<vscode.FoldingRange[]>('vscode.executeFoldingRangeProvider');
    assert.ok(folds.some(({ start, end }) => start === 7 && end === 9));
    const links = await ask<vscode.DocumentLink[]>('vscode.executeLinkProvider', 20);
    const targets = links.map(({ target }) => target?.toString(true) ?? '');
    assert.ok(
      targets.some((target) => target.endsWith('/language/public/index.html')),
      targets.join(),
    );
    assert.ok(
      targets.some((target) => target.startsWith('command:revealInExplorer')),
      targets.join(),
    );
    assert.ok(targets.includes('https://example.com/up'), targets.join());
  });

  it('formats', async () => {
    await write('[a]\n  server:\n     x\n  user=y  \n');
    const edits = await ask<vscode.TextEdit[]>('vscode.executeFormatDocumentProvider', {
      tabSize: 4,
      insertSpaces: true,
    });
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, edits);
    await vscode.workspace.applyEdit(edit);
    assert.equal(document.getText(), '[a]\nserver:\n    x\nuser = y\n');
  });

  it('keeps up with a file of 10,000 lines', async () => {
    const long = Array.from({ length: 500 }, (_, index) => {
      const name = `stage${String(index)}`;
      return `[${name}]\nrepository: .\nserver: ${name}\nproject_dir: /srv/${name}\n${'# comment\n'.repeat(16)}`;
    }).join('');
    await write(long);
    await diagnosed();
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(1, 0), 'brnch: x\n');
    await vscode.workspace.applyEdit(edit);
    // How fast it is, test/bench/language.ts measures.
    await diagnosed('unknown-key');
  });
});
