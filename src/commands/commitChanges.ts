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

/** @param shownAs path of the address, where that is not the file's own: an editor of changes takes another path for another name. */
export function commitUri(
  { file, stage }: StageId,
  commit: string,
  path: string,
  shownAs = `/${path}`,
): vscode.Uri {
  return vscode.Uri.from({
    scheme: schemes.commit,
    path: shownAs,
    query: JSON.stringify({ file, stage, commit, ...(shownAs === `/${path}` ? {} : { path }) }),
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

/**
 * A read-only file system, and no provider of text: with `onFileSystem` the extension is there before a document of it is opened again
 * after a reload, and what is not text can be shown too.
 */
export function registerCommitDocuments(app: App): vscode.Disposable {
  const never = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const refuse = (): never => {
    throw vscode.FileSystemError.NoPermissions(vscode.l10n.t('What was committed cannot be changed.'));
  };
  // What is asked about a file first, its size, is known with its contents; they never change.
  const known = new Map<string, Promise<Uint8Array>>();
  const read = (uri: vscode.Uri): Promise<Uint8Array> => {
    const key = uri.toString();
    const before = known.get(key);
    if (before !== undefined) return before;
    const contents = contentsOf(app, uri);
    known.set(key, contents);
    contents.catch(() => known.delete(key));
    const [oldest] = known.keys();
    if (known.size > keptFiles && oldest !== undefined) known.delete(oldest);
    return contents;
  };
  return vscode.Disposable.from(
    never,
    vscode.workspace.registerFileSystemProvider(
      schemes.commit,
      {
        onDidChangeFile: never.event,
        watch: () => ({ dispose: () => undefined }),
        stat: async (uri) => ({
          type: vscode.FileType.File,
          ctime: 0,
          mtime: 0,
          size: (await read(uri)).length,
          permissions: vscode.FilePermission.Readonly,
        }),
        readFile: read,
        readDirectory: () => [],
        createDirectory: refuse,
        writeFile: refuse,
        delete: refuse,
        rename: refuse,
      },
      { isReadonly: true, isCaseSensitive: true },
    ),
  );
}

const keptFiles = 50;

async function contentsOf(app: App, uri: vscode.Uri): Promise<Uint8Array> {
  const query: unknown = JSON.parse(uri.query);
  const path =
    typeof query === 'object' && query !== null && 'path' in query ? String(query.path) : uri.path.slice(1);
  if (typeof query === 'object' && query !== null && 'built' in query)
    return Buffer.from(await builtDocument(app, String(query.built), path), 'utf8');
  if (!isStageArgument(query) || !('commit' in query) || typeof query.commit !== 'string')
    throw vscode.FileSystemError.FileNotFound(uri);
  const { file, stage, commit } = query;
  const call = { file, stage, servers: [], commit, path };
  const contents = await app.engine.call('file', call, { signal: app.signal });
  if (contents === null) throw vscode.FileSystemError.FileNotFound(uri);
  return Buffer.from(contents, 'base64');
}

async function builtDocument({ review }: App, folder: string, path: string): Promise<string> {
  const built = review.current()?.built;
  const text =
    built !== undefined && basename(built.folder) === folder ? await readBuiltFile(built, path) : undefined;
  if (text === undefined)
    throw new Error(vscode.l10n.t('What a dry run built can be opened only while its review is.'));
  return text;
}
