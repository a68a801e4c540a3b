/**
 * npm run l10n: writes l10n/bundle.l10n.json, every text of the extension that VS Code translates, from the calls of `t` in the sources.
 * `@vscode/l10n-dev` does this for calls of `vscode.l10n.t` alone; here most of them are of a `t` that pure code is handed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUNDLE = 'l10n/bundle.l10n.json';
const SOURCES = ['commands', 'editor', 'language', 'views'];

/** What runs without the editor, or writes to its output channel: its texts are those of the command line, in English. */
const UNTRANSLATED = /^src\/editor\/log\.ts$/;

/** A text in the sources; `text` is undefined where it is put together at run time. */
export interface Message {
  readonly text: string | undefined;
  /** How many arguments follow it; undefined where they are spread. */
  readonly arguments: number | undefined;
  /** `src/views/nodes.ts:12`. */
  readonly place: string;
}

/** Every call of `t`, and every text that looks as if people were to read it although it is not given to `t`. */
export function readSources(): {
  readonly messages: readonly Message[];
  readonly strays: readonly Message[];
} {
  const messages: Message[] = [];
  const strays: Message[] = [];
  for (const path of sourceFiles()) {
    const file = ts.createSourceFile(path, readFileSync(ROOT + path, 'utf8'), ts.ScriptTarget.Latest);
    const placeOf = (node: ts.Node): string =>
      `${path}:${String(file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1)}`;
    const visit = (node: ts.Node, inError: boolean): void => {
      if (isTranslation(node)) {
        const [first, ...rest] = node.arguments;
        const text = first !== undefined && ts.isStringLiteralLike(first) ? first.text : undefined;
        const spread = rest.some((argument) => ts.isSpreadElement(argument));
        messages.push({ text, arguments: spread ? undefined : rest.length, place: placeOf(node) });
        for (const argument of rest) visit(argument, inError);
        return;
      }
      if (isCodeOnly(node)) return;
      const text = textOf(node);
      if (text !== undefined && isProse(text) && !inError && !UNTRANSLATED.test(path))
        strays.push({ text, arguments: undefined, place: placeOf(node) });
      ts.forEachChild(node, (child) => {
        visit(child, inError || isError(node));
      });
    };
    visit(file, false);
  }
  return { messages, strays };
}

function sourceFiles(): readonly string[] {
  const inFolders = SOURCES.flatMap((folder) =>
    readdirSync(`${ROOT}src/${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `src/${folder}/${name.replaceAll('\\', '/')}`),
  );
  return [...inFolders, 'src/agents/confirmation.ts', 'src/extension.ts', 'src/format.ts'].sort();
}

/** `t(…)`, `view.t(…)`, `vscode.l10n.t(…)`. */
function isTranslation(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(name) && name.text === 't';
}

/** Types, imports and comparisons. */
function isCodeOnly(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node))
    return (
      /^[!=]==$/.test(ts.tokenToString(node.operatorToken.kind) ?? '') && ts.isStringLiteralLike(node.right)
    );
  return ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
}

/** An error's sentence is the same in the editor and on the command line, so that it can be searched for. */
function isError(node: ts.Node): boolean {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) && /Error$/.test(node.expression.text);
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('…');
}

/** A capitalised word, or the start of a sentence; what the code compares is written small. A name is no text. */
function isProse(text: string): boolean {
  return text !== 'Durant' && /^\W*[A-Z][a-z]+(?:[ .,:;!?…]|$)/.test(text);
}

/** The bundle that the sources ask for. */
export function bundleText(): string {
  const texts = readSources().messages.flatMap(({ text }) => text ?? []);
  const entries = [...new Set(texts)].sort().map((text) => [text, text]);
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(ROOT + BUNDLE, bundleText());
  for (const name of readdirSync(`${ROOT}l10n`).filter((each) => /^bundle\.l10n\..+\.json$/.test(each)))
    sayMissing(name);
}

/** What a translation still lacks, and what it has too much. */
function sayMissing(name: string): void {
  const keysOf = (path: string): readonly string[] =>
    Object.keys(JSON.parse(readFileSync(ROOT + path, 'utf8')) as Record<string, string>);
  const wanted = new Set(keysOf(BUNDLE));
  const there = new Set(keysOf(`l10n/${name}`));
  for (const text of wanted) if (!there.has(text)) console.log(`${name} lacks ${JSON.stringify(text)}`);
  for (const text of there)
    if (!wanted.has(text)) console.log(`${name} no longer needs ${JSON.stringify(text)}`);
}
