/** Completion in the editor. */
import * as vscode from 'vscode';
import { completionsAt } from '../completion.ts';
import type { Suggestion, SuggestionKind } from '../suggestion.ts';
import { selector, toRange, type Parse } from './documents.ts';
import type { SurroundingsOf } from './workspaceContext.ts';

const TRIGGERS = ['[', '(', '!', '/', '@', '=', ':', ' ', ','];

export function registerCompletion(parse: Parse, surroundings: SurroundingsOf): vscode.Disposable {
  return vscode.languages.registerCompletionItemProvider(
    selector,
    {
      async provideCompletionItems(document, position, cancellation, context) {
        // A blank opens the list only where a value starts.
        const before = document.lineAt(position).text.slice(0, position.character);
        if (context.triggerCharacter === ' ' && !/(?:^[^\s#;][^=:]*[=:]|,)\s+$/.test(before)) return [];
        const around = await surroundings.of(document);
        if (cancellation.isCancellationRequested) return [];
        const offset = document.offsetAt(position);
        return completionsAt(parse(document), offset, around, vscode.l10n.t).map((suggestion, index) =>
          toItem(document, position, suggestion, index),
        );
      },
    },
    ...TRIGGERS,
  );
}

const KINDS: Readonly<Record<SuggestionKind, vscode.CompletionItemKind>> = {
  key: vscode.CompletionItemKind.Property,
  section: vscode.CompletionItemKind.Module,
  choice: vscode.CompletionItemKind.EnumMember,
  reference: vscode.CompletionItemKind.Reference,
  resolver: vscode.CompletionItemKind.Function,
  variable: vscode.CompletionItemKind.Variable,
  branch: vscode.CompletionItemKind.Reference,
  tag: vscode.CompletionItemKind.Constant,
  remote: vscode.CompletionItemKind.Interface,
  host: vscode.CompletionItemKind.Interface,
  file: vscode.CompletionItemKind.File,
  folder: vscode.CompletionItemKind.Folder,
  text: vscode.CompletionItemKind.Value,
  snippet: vscode.CompletionItemKind.Snippet,
};

function toItem(
  document: vscode.TextDocument,
  position: vscode.Position,
  suggestion: Suggestion,
  index: number,
): vscode.CompletionItem {
  const item = new vscode.CompletionItem(suggestion.label, KINDS[suggestion.kind]);
  item.insertText =
    suggestion.kind === 'snippet' ? new vscode.SnippetString(suggestion.insert) : suggestion.insert;
  const replacing = toRange(document, suggestion.range);
  // A bracket that the editor closed by itself has to go, whichever way the user accepts suggestions.
  const closes = suggestion.kind === 'reference' || suggestion.kind === 'section';
  const inserting = closes ? replacing : new vscode.Range(replacing.start, position);
  item.range = { inserting, replacing };
  item.filterText = suggestion.kind === 'section' ? suggestion.insert : suggestion.label;
  item.sortText = String(index).padStart(5, '0');
  if (suggestion.detail !== undefined) item.detail = suggestion.detail;
  if (suggestion.documentation !== undefined)
    item.documentation = new vscode.MarkdownString(suggestion.documentation);
  if (suggestion.again === true) item.command = { title: '', command: 'editor.action.triggerSuggest' };
  return item;
}
