/** Squiggles while typing, on the unsaved text, and their quick fixes. */
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { problemLink, type Problem } from '../../config/syntax/problems.ts';
import { validate } from '../../config/rules/validate.ts';
import { languageId } from '../../editor/ids.ts';
import { fixesFor, type Fix } from '../fixes.ts';
import { localPath } from '../machine.ts';
import { selector, toRange, type Parse } from './documents.ts';
import { mayLookAround, type SurroundingsOf } from './workspaceContext.ts';

/** How long the keyboard rests before the text is judged, ms. */
const PAUSE = 25;
/** The editor shows no more of one file; errors come first. */
const MOST_SHOWN = 1000;
/** Makes a private key readable by its owner only. Takes the document's URI and the path as written. */
const CHMOD_COMMAND = 'durant.language.restrictKey';

export function registerDiagnostics(parse: Parse, surroundings: SurroundingsOf): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection(languageId);
  const problems = new WeakMap<
    vscode.TextDocument,
    { readonly version: number; readonly found: readonly Problem[] }
  >();
  const timers = new Map<vscode.TextDocument, NodeJS.Timeout>();

  const check = (document: vscode.TextDocument): readonly Problem[] => {
    const found = validate(parse(document), undefined, surroundings.known(document).facts);
    problems.set(document, { version: document.version, found });
    return found;
  };
  const publish = (document: vscode.TextDocument): void => {
    timers.delete(document);
    if (document.isClosed) return;
    collection.set(
      document.uri,
      foremost(check(document)).map((problem) => toDiagnostic(document, problem)),
    );
  };
  const schedule = (document: vscode.TextDocument, delay: number): void => {
    if (document.languageId !== languageId) return;
    clearTimeout(timers.get(document));
    timers.set(
      document,
      setTimeout(() => {
        publish(document);
      }, delay),
    );
  };
  const scheduleAll = (): void => {
    for (const document of vscode.workspace.textDocuments) schedule(document, 0);
  };
  const drop = (document: vscode.TextDocument): void => {
    clearTimeout(timers.get(document));
    timers.delete(document);
    if (document.languageId === languageId) collection.delete(document.uri);
  };
  const current = (document: vscode.TextDocument): readonly Problem[] => {
    const before = problems.get(document);
    return before?.version === document.version ? before.found : check(document);
  };

  scheduleAll();
  return vscode.Disposable.from(
    collection,
    {
      dispose: () => {
        for (const timer of timers.values()) clearTimeout(timer);
      },
    },
    surroundings.onDidChange(scheduleAll),
    vscode.workspace.onDidGrantWorkspaceTrust(scheduleAll),
    vscode.workspace.onDidOpenTextDocument((document) => {
      schedule(document, 0);
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      schedule(document, PAUSE);
    }),
    vscode.workspace.onDidSaveTextDocument((document) => {
      if (document.languageId === languageId) surroundings.forget(document);
      schedule(document, 0);
    }),
    vscode.window.onDidChangeActiveTextEditor((editor) => {
      if (editor?.document.languageId !== languageId) return;
      surroundings.forget(editor.document);
      schedule(editor.document, 0);
    }),
    vscode.workspace.onDidCloseTextDocument(drop),
    vscode.languages.registerCodeActionsProvider(
      selector,
      {
        provideCodeActions: (document, range) =>
          actionsFor(document, range, { problems: current(document), parse, surroundings }),
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
    vscode.commands.registerCommand(CHMOD_COMMAND, async (uri: unknown, path: unknown) => {
      const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri);
      // Only a key that the text names at this moment, whoever calls.
      const named =
        document !== undefined &&
        mayLookAround(document) &&
        check(document).some((found) => found.code === 'identity-permissions' && found.data?.path === path);
      if (!named || typeof path !== 'string') return;
      const file = localPath(path, dirname(document.uri.fsPath), process.env);
      if (file === undefined) return;
      await chmod(file, 0o600);
      surroundings.forget(document);
      schedule(document, 0);
    }),
  );
}

function foremost(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MOST_SHOWN) return problems;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const others = problems.filter(({ severity }) => severity !== 'error');
  return [...errors, ...others].slice(0, MOST_SHOWN);
}

function toDiagnostic(document: vscode.TextDocument, problem: Problem): vscode.Diagnostic {
  const severity =
    problem.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const diagnostic = new vscode.Diagnostic(toRange(document, problem.range), problem.message, severity);
  diagnostic.source = 'durant';
  diagnostic.code = { value: problem.code, target: vscode.Uri.parse(problemLink(problem.code)) };
  const related = problem.data?.related ?? [];
  diagnostic.relatedInformation = related.map(
    ({ range, message }) =>
      new vscode.DiagnosticRelatedInformation(
        new vscode.Location(document.uri, toRange(document, range)),
        message,
      ),
  );
  if (problem.code === 'exclude-matches-nothing') diagnostic.tags = [vscode.DiagnosticTag.Unnecessary];
  return diagnostic;
}

function actionsFor(
  document: vscode.TextDocument,
  range: vscode.Range,
  {
    problems,
    parse,
    surroundings,
  }: { readonly problems: readonly Problem[]; readonly parse: Parse; readonly surroundings: SurroundingsOf },
): vscode.CodeAction[] {
  const doc = parse(document);
  const start = document.offsetAt(range.start);
  const end = document.offsetAt(range.end);
  const known = surroundings.known(document).surroundings;
  return problems
    .filter((problem) => problem.range.start <= end && start <= problem.range.end)
    .flatMap((problem) => {
      const diagnostic = toDiagnostic(document, problem);
      return fixesFor(doc, problem, known, vscode.l10n.t).map((fix) => toAction(document, diagnostic, fix));
    });
}

function toAction(document: vscode.TextDocument, diagnostic: vscode.Diagnostic, fix: Fix): vscode.CodeAction {
  const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
  action.diagnostics = [diagnostic];
  action.isPreferred = fix.preferred;
  if (fix.edits.length > 0) {
    action.edit = new vscode.WorkspaceEdit();
    for (const edit of fix.edits) action.edit.replace(document.uri, toRange(document, edit.range), edit.text);
  }
  if (fix.chmod !== undefined)
    action.command = {
      title: fix.title,
      command: CHMOD_COMMAND,
      arguments: [document.uri.toString(), fix.chmod],
    };
  return action;
}
