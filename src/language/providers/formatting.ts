/** Formatting in the editor. */
import * as vscode from 'vscode';
import { formatEdits, formatRangeEdits, type FormatOptions } from '../formatDocument.ts';
import type { TextEdit } from '../rename.ts';
import { selector, toRange, type Parse } from './documents.ts';

export function registerFormatting(parse: Parse): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerDocumentFormattingEditProvider(selector, {
      provideDocumentFormattingEdits: (document, options) =>
        toEdits(document, formatEdits(parse(document), indentOf(options))),
    }),
    vscode.languages.registerDocumentRangeFormattingEditProvider(selector, {
      provideDocumentRangeFormattingEdits: (document, range, options) =>
        toEdits(
          document,
          formatRangeEdits(
            parse(document),
            { first: range.start.line, last: range.end.line },
            indentOf(options),
          ),
        ),
    }),
  );
}

function indentOf({ insertSpaces, tabSize }: vscode.FormattingOptions): FormatOptions {
  return { indent: insertSpaces ? ' '.repeat(Math.max(1, tabSize)) : '\t' };
}

function toEdits(document: vscode.TextDocument, edits: readonly TextEdit[]): vscode.TextEdit[] {
  return edits.map(({ range, text }) => vscode.TextEdit.replace(toRange(document, range), text));
}
