/** Hover, definition, references, rename, links, outline and folding in the editor. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { TextEdit } from '../rename.ts';
import { renameEdits, prepareRename } from '../rename.ts';
import { definitionsAt, referencesAt } from '../navigation.ts';
import { hoverAt } from '../hover.ts';
import { linksOf, type LinkTarget } from '../links.ts';
import { fileState, localPath } from '../machine.ts';
import { foldsOf, outlineOf, type OutlineNode } from '../outline.ts';
import { selector, toRange, type Parse } from './documents.ts';
import { mayLookAround } from './workspaceContext.ts';

export function registerNavigation(parse: Parse): vscode.Disposable {
  const { languages } = vscode;
  return vscode.Disposable.from(
    languages.registerHoverProvider(selector, {
      provideHover(document, position) {
        const hover = hoverAt(parse(document), document.offsetAt(position), vscode.l10n.t);
        return hover === undefined
          ? undefined
          : new vscode.Hover(hover.markdown.map(untrusted), toRange(document, hover.range));
      },
    }),
    languages.registerDefinitionProvider(selector, {
      provideDefinition(document, position) {
        const found = definitionsAt(parse(document), document.offsetAt(position));
        return found?.targets.map((target) => ({
          originSelectionRange: toRange(document, found.origin),
          targetUri: document.uri,
          targetRange: toRange(document, target),
        }));
      },
    }),
    languages.registerReferenceProvider(selector, {
      provideReferences: (document, position, { includeDeclaration }) =>
        referencesAt(parse(document), document.offsetAt(position), { includeDeclaration }).map(
          (range) => new vscode.Location(document.uri, toRange(document, range)),
        ),
    }),
    languages.registerDocumentHighlightProvider(selector, {
      provideDocumentHighlights: (document, position) =>
        referencesAt(parse(document), document.offsetAt(position), { includeDeclaration: true }).map(
          (range) => new vscode.DocumentHighlight(toRange(document, range)),
        ),
    }),
    languages.registerRenameProvider(selector, {
      prepareRename(document, position) {
        const prepared = prepareRename(parse(document), document.offsetAt(position), vscode.l10n.t);
        // The editor shows the message of what is thrown here.
        if (prepared.refused !== undefined) throw new Error(prepared.refused);
        return { range: toRange(document, prepared.range), placeholder: prepared.name };
      },
      provideRenameEdits(document, position, newName) {
        const renamed = renameEdits(parse(document), document.offsetAt(position), newName, vscode.l10n.t);
        if (renamed.refused !== undefined) throw new Error(renamed.refused);
        return workspaceEdit(document, renamed.edits);
      },
    }),
    languages.registerDocumentSymbolProvider(selector, {
      provideDocumentSymbols: (document) =>
        outlineOf(parse(document), vscode.l10n.t).map((node) => toSymbol(document, node)),
    }),
    languages.registerFoldingRangeProvider(selector, {
      provideFoldingRanges: (document) =>
        foldsOf(parse(document)).map(
          ({ first, last, kind }) =>
            new vscode.FoldingRange(
              first,
              last,
              kind === 'comment' ? vscode.FoldingRangeKind.Comment : undefined,
            ),
        ),
    }),
    languages.registerDocumentLinkProvider(selector, createLinks(parse)),
  );
}

/** Shown as Markdown, but without commands, HTML or icons. */
function untrusted(markdown: string): vscode.MarkdownString {
  const text = new vscode.MarkdownString(markdown);
  text.isTrusted = false;
  text.supportHtml = false;
  text.supportThemeIcons = false;
  return text;
}

export function workspaceEdit(
  document: vscode.TextDocument,
  edits: readonly TextEdit[],
): vscode.WorkspaceEdit {
  const all = new vscode.WorkspaceEdit();
  for (const edit of edits) all.replace(document.uri, toRange(document, edit.range), edit.text);
  return all;
}

const SYMBOLS: Readonly<Record<OutlineNode['kind'], vscode.SymbolKind>> = {
  DEFAULT: vscode.SymbolKind.Namespace,
  vars: vscode.SymbolKind.Namespace,
  stage: vscode.SymbolKind.Module,
  goal: vscode.SymbolKind.Event,
  process: vscode.SymbolKind.Function,
  key: vscode.SymbolKind.Property,
};

function toSymbol(document: vscode.TextDocument, node: OutlineNode): vscode.DocumentSymbol {
  const symbol = new vscode.DocumentSymbol(
    node.name,
    node.detail,
    SYMBOLS[node.kind],
    toRange(document, node.range),
    toRange(document, node.selection),
  );
  symbol.children = node.children.map((child) => toSymbol(document, child));
  return symbol;
}

/** A link that remembers what it leads to until it is clicked. */
class TargetLink extends vscode.DocumentLink {
  readonly document: vscode.TextDocument;
  readonly to: LinkTarget;

  constructor(document: vscode.TextDocument, range: vscode.Range, to: LinkTarget) {
    super(range);
    this.document = document;
    this.to = to;
  }
}

function createLinks(parse: Parse): vscode.DocumentLinkProvider<TargetLink> {
  return {
    provideDocumentLinks: (document) =>
      linksOf(parse(document)).flatMap(({ range, target }) =>
        target.kind === 'url' || mayLookAround(document)
          ? [new TargetLink(document, toRange(document, range), target)]
          : [],
      ),
    async resolveDocumentLink(link) {
      const target = await uriOf(link);
      if (target !== undefined) link.target = target;
      return link;
    },
  };
}

/** Files are opened; folders are shown in the explorer, or in the system's own. */
async function uriOf({ document, to }: TargetLink): Promise<vscode.Uri | undefined> {
  if (to.kind === 'url') return vscode.Uri.parse(to.url, true);
  const path = localPath(to.path, dirname(document.uri.fsPath), process.env);
  if (path === undefined) return undefined;
  const uri = vscode.Uri.file(path);
  const { isFolder } = await fileState(path);
  if (isFolder !== true) return uri;
  const command =
    vscode.workspace.getWorkspaceFolder(uri) === undefined ? 'revealFileInOS' : 'revealInExplorer';
  return vscode.Uri.parse(`command:${command}?${encodeURIComponent(JSON.stringify([uri]))}`);
}
