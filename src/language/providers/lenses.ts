/** CodeLens in the editor. Opening a file connects to nobody: only what is known already is shown. */
import * as vscode from 'vscode';
import { redrawAges } from '../../editor/ageClock.ts';
import { commands, languageId, type StageArgument } from '../../editor/ids.ts';
import type { StageLive } from '../languageFacts.ts';
import { lensesOf, type Lens, type LensAction } from '../lenses.ts';
import { selector, toRange, type Parse } from './documents.ts';
import { mayLookAround } from './workspaceContext.ts';

/** What the views know of a stage. */
export interface LiveStages {
  readonly lensFacts: (stage: StageArgument) => StageLive | undefined;
  /** What `text` of a durant.conf would do otherwise than what lies on disk, by stage. */
  readonly whatIf: (file: string, text: string) => (stage: string) => readonly string[];
  readonly onDidChangeLensFacts: vscode.Event<unknown>;
}

const COMMANDS: Readonly<Record<Exclude<LensAction, 'live' | 'what-if'>, string>> = {
  deploy: commands.deploy,
  'dry-run': commands.dryRun,
  'roll-back': commands.rollback,
  unlock: commands.unlock,
  check: commands.checkConnection,
};

export function registerLenses(parse: Parse, live: LiveStages): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const fire = (): void => {
    changed.fire();
  };
  return vscode.Disposable.from(
    changed,
    live.onDidChangeLensFacts(fire),
    vscode.workspace.onDidGrantWorkspaceTrust(fire),
    redrawAges(
      () => vscode.window.visibleTextEditors.some(({ document }) => document.languageId === languageId),
      fire,
    ),
    vscode.languages.registerCodeLensProvider(selector, {
      onDidChangeCodeLenses: changed.event,
      provideCodeLenses(document) {
        if (!mayLookAround(document)) return [];
        const file = document.uri.fsPath;
        const lenses = lensesOf(
          parse(document),
          (stage) => live.lensFacts({ file, stage }),
          vscode.l10n.t,
          document.isDirty ? live.whatIf(file, document.getText()) : undefined,
        );
        return lenses.map((lens) => toCodeLens(document, lens));
      },
    }),
  );
}

function toCodeLens(document: vscode.TextDocument, { range, action, title, stage }: Lens): vscode.CodeLens {
  const argument: StageArgument = { file: document.uri.fsPath, stage };
  const command =
    action === 'live' || action === 'what-if'
      ? { title, command: '' }
      : { title, command: COMMANDS[action], arguments: [argument] };
  return new vscode.CodeLens(toRange(document, range), command);
}
