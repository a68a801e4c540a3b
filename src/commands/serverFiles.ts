/** What lies on a server, looked at when the user asks: its folders in the tree or a list, its files as read-only documents. */
import * as vscode from 'vscode';
import { logRun } from '../editor/log.ts';
import { createAnswer } from '../editor/prompts.ts';
import { asDurantError } from '../errors.ts';
import type { FilePlace, ServerFolder } from '../engine/index.ts';
import { formatBytes } from '../format.ts';
import { MOST_BYTES } from '../engine/server/serverFiles.ts';
import { currentView } from '../views/currentView.ts';
import { fileItem, shownPath, type FileNode } from '../views/serverFileItem.ts';
import type { FolderId, StageId } from '../views/store.ts';
import { callStage } from './callStage.ts';
import { mayRun, type App } from './commandContext.ts';
import { pickStage } from './pickStage.ts';

type EntryNode = Extract<FileNode, { kind: 'entry' }>;

/** A file on one server. */
export interface OnServer extends StageId, FilePlace {
  readonly server: string;
}

/** Lists a folder for the tree. Never rejects: what is wrong is shown there. What was listed before stays meanwhile. */
export async function listFolder(app: App, folder: FolderId): Promise<void> {
  if (!mayRun()) return;
  const { server, path, ...stage } = folder;
  if (app.store.snapshot(stage)?.folder(server, path)?.kind !== 'listed')
    app.store.setFolder(folder, { kind: 'loading' });
  try {
    const listed = await app.engine.call(
      'serverFolder',
      { ...stage, servers: [server], path },
      { signal: app.signal, emit: logRun(app.log, stage.stage), answer: createAnswer(app.secrets) },
    );
    app.store.setFolder(folder, { kind: 'listed', folder: listed });
  } catch (thrown) {
    const { code, message } = asDurantError(thrown);
    app.log.error(`${stage.stage} │ ${message} [${code}]`);
    app.store.setFolder(folder, { kind: 'failed', message });
  }
}

export async function openEntry(app: App, node: EntryNode, part: 'all' | 'end'): Promise<void> {
  const { file, stage, server, path } = node;
  await openServerFile(app, { file, stage, server, from: 'project', path }, part);
}

export async function copyServerPath(app: App, node: FileNode): Promise<void> {
  const folder = app.store.snapshot(node)?.entry.projectDir ?? '';
  const path = `${folder}${node.kind === 'files' ? '' : `/${shownPath(node.path)}`}`;
  await vscode.env.clipboard.writeText(path);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', path), 5000);
}

/** Open File on Server…: from folder to folder in a list, and the file that is picked is opened. */
export async function browseServer(app: App, argument: unknown): Promise<void> {
  if (!mayRun()) return;
  const stage = await pickStage(app, argument, vscode.l10n.t('Stage whose files to look at'));
  const server = stage === undefined ? undefined : await pickServer(app, stage);
  if (stage === undefined || server === undefined) return;
  let path: string | undefined = '';
  while (path !== undefined) {
    const folder: ServerFolder | undefined = await callStage(app, {
      stage,
      title: vscode.l10n.t('Looking at {0}', server),
      method: 'serverFolder',
      takes: { ...stage, servers: [server], path },
      where: 'status bar',
      retry: () => void browseServer(app, stage),
    });
    if (folder === undefined) return;
    const picked = await pickEntry(app, folder, { ...stage, server, path });
    if (picked?.isFile === true) {
      await openServerFile(app, { ...stage, server, from: 'project', path: picked.path }, 'all');
      return;
    }
    path = picked?.path;
  }
}

async function pickEntry(
  app: App,
  { entries, total }: ServerFolder,
  place: FolderId,
): Promise<{ readonly path: string; readonly isFile: boolean } | undefined> {
  const { server, path } = place;
  const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const snapshot = app.store.snapshot(place);
  if (snapshot === undefined) return undefined;
  const view = currentView();
  const items = entries
    .filter(({ kind }) => kind !== 'other')
    .map((entry) => {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      const node: EntryNode = { kind: 'entry', file: place.file, stage: place.stage, server, path: below };
      const listed = { ...snapshot, folder: () => ({ kind: 'listed', folder: { entries, total } }) as const };
      const { label, description } = fileItem('', listed, node, view);
      return {
        label: `$(${entry.kind}) ${label}`,
        description,
        path: below,
        isFile: entry.kind === 'file',
      };
    });
  const up = { label: '$(arrow-up) ..', description: '', path: above, isFile: false };
  const where = `${snapshot.entry.projectDir ?? ''}${path === '' ? '' : `/${shownPath(path)}`}`;
  return vscode.window.showQuickPick(path === '' ? items : [up, ...items], {
    placeHolder:
      total > entries.length
        ? view.t('{0} on {1}: the first {2} of {3} entries', where, server, entries.length, total)
        : view.t('{0} on {1}', where, server),
  });
}

/** The only server of a stage, or the one that the user picks. */
export async function pickServer(app: App, stage: StageId): Promise<string | undefined> {
  const snapshot = app.store.snapshot(stage);
  const servers = snapshot?.entry.servers ?? snapshot?.known?.servers.map(({ server }) => server) ?? [];
  if (servers.length === 0)
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        'Which servers {0} has is not known here. Refresh the stage first.',
        app.store.nameOf(stage),
      ),
    );
  if (servers.length < 2) return servers[0];
  const items = servers.map((server) => ({ label: server, iconPath: new vscode.ThemeIcon('server') }));
  const placeHolder = vscode.l10n.t('Server of {0}', app.store.nameOf(stage));
  return (await vscode.window.showQuickPick(items, { placeHolder }))?.label;
}

async function openServerFile(app: App, place: OnServer, part: 'all' | 'end'): Promise<void> {
  const uri = await fetchServerFile(app, place, part);
  if (uri !== undefined) await vscode.commands.executeCommand('vscode.open', uri);
}

/** The file as a document that can be opened; undefined where it cannot be, which has been said. */
export async function fetchServerFile(
  app: App,
  place: OnServer,
  part: 'all' | 'end',
): Promise<vscode.Uri | undefined> {
  if (!mayRun()) return undefined;
  const { file, stage, server, from, path } = place;
  const name = shownPath(path);
  const found = await callStage(app, {
    stage: { file, stage },
    title: vscode.l10n.t('Reading {0} on {1}', name, server),
    method: 'serverFile',
    takes: { file, stage, servers: [server], from, path, part },
    where: 'status bar',
    retry: () => void openServerFile(app, place, part),
  });
  if (found === undefined) return undefined;
  if (found.contents !== null) {
    const above = from === 'live' ? ['live'] : [];
    const parts = [...above, ...name.split('/').slice(0, -1)];
    const last = name.slice(name.lastIndexOf('/') + 1);
    const shown = [...parts, part === 'end' ? vscode.l10n.t('End of {0}', last) : last].join('/');
    return app.serverDocuments.set(
      { file, stage, server, path: shown, part },
      Buffer.from(found.contents, 'base64'),
    );
  }
  const end = vscode.l10n.t('Open Its End');
  void vscode.window
    .showWarningMessage(
      vscode.l10n.t(
        '{0} on {1} has {2}. Files of up to {3} are opened whole.',
        name,
        server,
        formatBytes(found.size),
        formatBytes(MOST_BYTES),
      ),
      end,
    )
    .then((chosen) => {
      if (chosen === end) void openServerFile(app, place, 'end');
    });
  return undefined;
}
