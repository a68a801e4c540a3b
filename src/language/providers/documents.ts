/** durant.conf as the editor has it: parsed once per version, and places turned into the editor's. */
import type * as vscode from 'vscode';
import { Range as EditorRange } from 'vscode';
import type { ConfDocument, Range } from '../../config/syntax/document.ts';
import { parseConf } from '../../config/syntax/parse.ts';
import { languageId } from '../../editor/ids.ts';

/** What every provider registers for. */
export const selector: vscode.DocumentSelector = { language: languageId };

export type Parse = (document: vscode.TextDocument) => ConfDocument;

/** A parser that keeps the last version of each document that is open. */
export function createParse(): Parse {
  const known = new WeakMap<vscode.TextDocument, { readonly version: number; readonly doc: ConfDocument }>();
  return (document) => {
    const before = known.get(document);
    if (before?.version === document.version) return before.doc;
    const doc = parseConf(document.getText());
    known.set(document, { version: document.version, doc });
    return doc;
  };
}

/** Offsets of the text as positions of the editor. */
export function toRange(document: vscode.TextDocument, range: Range): vscode.Range {
  return new EditorRange(document.positionAt(range.start), document.positionAt(range.end));
}
