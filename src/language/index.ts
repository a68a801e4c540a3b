/** The language of durant.conf in the editor: everything that helps to write one. Nothing here deploys or connects. */
import * as vscode from 'vscode';
import { registerCompletion } from './providers/completion.ts';
import { registerDiagnostics } from './providers/diagnostics.ts';
import { createParse } from './providers/documents.ts';
import { registerFormatting } from './providers/formatting.ts';
import { registerLenses, type LiveStages } from './providers/lenses.ts';
import { registerNavigation } from './providers/navigation.ts';
import { createSurroundings, type ReadProject } from './providers/workspaceContext.ts';

export type { StageLive } from './languageFacts.ts';

export interface LanguageDependencies extends LiveStages {
  /**
   * The git project of a folder. Called in trusted workspaces only, and not before completion or validation of an open durant.conf
   * needs it.
   */
  readonly projectFacts: ReadProject;
}

/** Registers every language feature. */
export function registerLanguage(dependencies: LanguageDependencies): vscode.Disposable {
  const parse = createParse();
  const surroundings = createSurroundings(dependencies.projectFacts);
  return vscode.Disposable.from(
    surroundings,
    registerDiagnostics(parse, surroundings),
    registerCompletion(parse, surroundings),
    registerNavigation(parse),
    registerLenses(parse, dependencies),
    registerFormatting(parse),
  );
}
