/**
 * What differs from what is live: in the gutter by VS Code's quick diff, in the Explorer by a letter, and in a comparison. For one stage
 * that the user chose; all of it from git and what is known, no server is asked.
 */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { isOlder } from '../engine/server/releases.ts';
import { commands, contextKeys } from '../editor/ids.ts';
import { formatAge, shortCommit } from '../format.ts';
import { stageKey, type ReleaseKnown, type StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { commitUri } from './commitChanges.ts';
import { comparedWith, sentPath, type Compared } from './compared.ts';
import { pickStage } from './pickStage.ts';

const memoryKey = 'durant.comparedStage';

export interface LiveGutter extends vscode.Disposable {
  /** Compares with a stage from now on, also in later windows; undefined: with none. */
  readonly follow: (stage: StageId | undefined) => Promise<void>;
  readonly followed: () => StageId | undefined;
}

export function createLiveGutter(app: App, memory: vscode.Memento): LiveGutter {
  let stage = memory.get<StageId | undefined>(memoryKey, undefined);
  let control: vscode.SourceControl | undefined;
  /** Of which commit the letters in the Explorer are. */
  let shown = '';
  let changed: ReadonlySet<string> = new Set();
  const decorated = new vscode.EventEmitter<undefined>();

  const compared = (): Compared | undefined => (stage === undefined ? undefined : comparedWith(app, stage));
  const refresh = async (): Promise<void> => {
    const now = compared();
    void vscode.commands.executeCommand('setContext', contextKeys.compared, stage !== undefined);
    const key = now === undefined ? '' : `${stageKey(now.stage)} ${now.live.commit}`;
    if (key !== shown || now === undefined) {
      control?.dispose();
      control = now === undefined ? undefined : createControl(now);
    }
    shown = key;
    const paths = now === undefined ? [] : await app.heads.changedSince(now.stage.file, now.live.commit);
    // Something else may have gone live, or another stage been chosen meanwhile.
    if (key !== shown) return;
    changed = new Set(paths);
    decorated.fire(undefined);
  };
  const subscriptions = [
    decorated,
    vscode.window.registerFileDecorationProvider({
      onDidChangeFileDecorations: decorated.event,
      provideFileDecoration: (uri) => {
        if (uri.scheme !== 'file' || !changed.has(uri.fsPath) || stage === undefined) return undefined;
        const decoration = new vscode.FileDecoration(
          '↑',
          vscode.l10n.t('Differs from what is live on {0}', app.store.nameOf(stage)),
        );
        return decoration;
      },
    }),
    vscode.languages.registerHoverProvider(
      { scheme: 'file' },
      {
        provideHover: async (document, position) => {
          const now = compared();
          if (now === undefined || sentPath(app, now.stage, document.uri.fsPath) === undefined)
            return undefined;
          // What is not saved has other line numbers than what git knows.
          if (document.isDirty) return undefined;
          const text = await lineText(app, now, { file: document.uri.fsPath, line: position.line });
          return text === undefined
            ? undefined
            : new vscode.Hover(new vscode.MarkdownString().appendText(text));
        },
      },
    ),
    app.heads.onDidChangeFiles(() => void refresh()),
    { dispose: app.store.subscribe((which) => (isAbout(which, stage) ? void refresh() : undefined)) },
  ];
  void refresh();
  return {
    follow: async (next) => {
      stage = next;
      await memory.update(memoryKey, next);
      await refresh();
    },
    followed: () => stage,
    dispose: () => {
      control?.dispose();
      for (const subscription of subscriptions) subscription.dispose();
    },
  };

  function createControl({ stage: of, live }: Compared): vscode.SourceControl {
    const made = vscode.scm.createSourceControl(
      'durant',
      vscode.l10n.t('Live on {0}', app.store.nameOf(of)),
      vscode.Uri.file(dirname(of.file)),
    );
    made.inputBox.visible = false;
    made.quickDiffProvider = {
      provideOriginalResource: (uri) => {
        const path = uri.scheme === 'file' ? sentPath(app, of, uri.fsPath) : undefined;
        return path === undefined ? undefined : commitUri(of, live.commit, path);
      },
    };
    return made;
  }
}

function isAbout(which: StageId | undefined, stage: StageId | undefined): boolean {
  return stage !== undefined && (which === undefined || stageKey(which) === stageKey(stage));
}

/** Since when a line is live, and by which release, or that it is not; undefined where git does not know the line. */
async function lineText(
  app: App,
  { stage, live }: Compared,
  { file, line }: { readonly file: string; readonly line: number },
): Promise<string | undefined> {
  const name = app.store.nameOf(stage);
  const commit = await app.heads.commitOfLine(file, line);
  if (commit === undefined) return undefined;
  if (commit === null) return vscode.l10n.t('Not live on {0}: this line is not committed.', name);
  const isIn = await app.heads.isPartOf(file, commit, live.commit);
  if (isIn !== true) return vscode.l10n.t('Not live on {0} yet: {1}', name, shortCommit(commit));
  const since = await firstWith(app, { stage, live }, { file, commit });
  const age = formatAge(since.record.finished || since.record.started, Date.now(), vscode.l10n.t);
  const release = shortCommit(since.record.commit);
  return since.isOldest
    ? vscode.l10n.t('Live on {0} since release {1} ({2}) or longer', name, release, age)
    : vscode.l10n.t('Live on {0} since release {1} ({2})', name, release, age);
}

/** The oldest release that has a commit, among those that are still there. */
async function firstWith(
  app: App,
  { stage, live }: Compared,
  { file, commit }: { readonly file: string; readonly commit: string },
): Promise<{ readonly record: ReleaseKnown; readonly isOldest: boolean }> {
  const known = (app.store.snapshot(stage)?.known?.servers ?? [])[0]?.releases ?? [];
  const older = known.filter((record) => record.commit !== '' && !isOlder(live, record));
  let first = live;
  // Newest first: from the live one back, as long as they have it.
  for (const record of older) {
    if ((await app.heads.isPartOf(file, commit, record.commit)) !== true)
      return { record: first, isOldest: false };
    first = record;
  }
  return { record: first, isOldest: true };
}

/** Compare with Live: a stage to compare with from now on, or none. */
export async function compareInGutter(app: App, gutter: LiveGutter, argument: unknown): Promise<void> {
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage to compare the project with'));
  if (stage === undefined) return;
  await gutter.follow(stage);
  if (comparedWith(app, stage) !== undefined) return;
  const look = vscode.l10n.t('Show What Is Live');
  void vscode.window
    .showInformationMessage(
      vscode.l10n.t(
        'What is live on {0} is not known here yet, or differs between its servers.',
        app.store.nameOf(stage),
      ),
      look,
    )
    .then((chosen) => {
      if (chosen === look) void vscode.commands.executeCommand(commands.refresh, stage);
    });
}
