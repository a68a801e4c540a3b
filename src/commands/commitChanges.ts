/** Files of commits as read-only documents, and the editor's view of what differs between two commits. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { readBuiltFile } from '../editor/builtFiles.ts';
import type { FileChange } from '../engineProcess/protocol.ts';
import { isStageArgument, schemes } from '../editor/ids.ts';
import { asDurantError } from '../errors.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';

export interface Comparison {
  readonly stage: StageId;
  readonly from: string;
  readonly to: string;
  readonly title: string;
}

/** More files than this are opened one by one. */
export const openedAtOnce = 200;

/** Opens every text file that differs. */
export async function openCommitChanges(app: App, comparison: Comparison): Promise<void> {
  const { stage, from, to, title } = comparison;
  try {
    const changes = await app.engine.call(
      'changes',
      { ...stage, servers: [], from, to },
      { signal: app.signal },
    );
    const text = changes.filter((change) => change.text);
    if (text.length === 0) {
      void vscode.window.showInformationMessage(
        changes.length === 0
          ? vscode.l10n.t('Nothing differs, or one of the two commits is not in the local clone any more.')
          : vscode.l10n.t('Only files that are not text differ: {0}.', changes.length),
      );
      return;
    }
    await openChanges(
      title,
      text.map((change) => sidesOf(comparison, change)),
    );
  } catch (error) {
    void vscode.window.showErrorMessage(asDurantError(error).message);
  }
}

/** The document's own address, and its two sides where it has them. */
export type Sides = [vscode.Uri, vscode.Uri | undefined, vscode.Uri | undefined];

export async function openChanges(title: string, all: readonly Sides[]): Promise<void> {
  await vscode.commands.executeCommand('vscode.changes', title, all.slice(0, openedAtOnce));
  if (all.length > openedAtOnce)
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        'The first {0} of {1} files are shown; open the others one by one.',
        openedAtOnce,
        all.length,
      ),
    );
}

/** @param from undefined: there is only the new side. */
export function sidesOf(
  { stage, from, to }: { readonly stage: StageId; readonly from: string | undefined; readonly to: string },
  { path, kind }: Pick<FileChange, 'path' | 'kind'>,
): Sides {
  const before = from === undefined || kind === 'added' ? undefined : commitUri(stage, from, path);
  const after = kind === 'deleted' ? undefined : commitUri(stage, to, path);
  return [after ?? before ?? commitUri(stage, to, path), before, after];
}

export function commitUri({ file, stage }: StageId, commit: string, path: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: schemes.commit,
    path: `/${path}`,
    query: JSON.stringify({ file, stage, commit }),
  });
}

/** A file that a dry run built, by the folder of its copies: it is not the commit's, nor that of another dry run. */
export function builtUri({ file, stage }: StageId, folder: string, path: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: schemes.commit,
    path: `/${path}`,
    query: JSON.stringify({ file, stage, built: basename(folder) }),
  });
}

export function registerCommitDocuments(app: App): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(schemes.commit, {
    provideTextDocumentContent: async (uri, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => {
        stop.abort();
      });
      const query: unknown = JSON.parse(uri.query);
      if (typeof query === 'object' && query !== null && 'built' in query)
        return builtDocument(app, String(query.built), uri.path.slice(1));
      if (!isStageArgument(query) || !('commit' in query) || typeof query.commit !== 'string') return '';
      const contents = await app.engine.call(
        'file',
        { file: query.file, stage: query.stage, servers: [], commit: query.commit, path: uri.path.slice(1) },
        { signal: stop.signal },
      );
      return contents === null ? '' : Buffer.from(contents, 'base64').toString('utf8');
    },
  });
}

async function builtDocument({ review }: App, folder: string, path: string): Promise<string> {
  const built = review.current()?.built;
  const text =
    built !== undefined && basename(built.folder) === folder ? await readBuiltFile(built, path) : undefined;
  if (text === undefined)
    throw new Error(vscode.l10n.t('What a dry run built can be opened only while its review is.'));
  return text;
}
