/** A file or folder of the project beside what is live of it, from git alone; and a file beside what lies on a server, which is fetched. */
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Difference } from '../editor/gitExtension.ts';
import { printable } from '../printable.ts';
import type { StageId } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { commitUri, openChanges, type Sides } from './commitChanges.ts';
import { comparedWith, sentPath, type Compared } from './compared.ts';
import type { LiveGutter } from './liveGutter.ts';
import { pickStage } from './pickStage.ts';
import { fetchServerFile, pickServer } from './serverFiles.ts';

/** Compare File with Live: with the stage that the gutter compares with, or one that is picked. */
export async function compareFile(app: App, gutter: LiveGutter, uri: unknown): Promise<void> {
  const target = targetOf(uri);
  const stage = target === undefined ? undefined : await pickCompared(app, gutter);
  if (target === undefined || stage === undefined) return;
  const compared = comparedOrSay(app, stage);
  const path = pathOrSay(app, stage, target);
  if (compared === undefined || path === undefined) return;
  await vscode.commands.executeCommand(
    'vscode.diff',
    commitUri(stage, compared.live.commit, path),
    target,
    vscode.l10n.t('{0}: live on {1} ↔ here', printable(path), app.store.nameOf(stage)),
  );
}

/** Compare Folder with Live: all files that differ, in one editor. Without a folder it is that of durant.conf. */
export async function compareFolder(app: App, gutter: LiveGutter, uri: unknown): Promise<void> {
  const stage = await pickCompared(app, gutter);
  const compared = stage === undefined ? undefined : comparedOrSay(app, stage);
  if (stage === undefined || compared === undefined) return;
  const folder = uri instanceof vscode.Uri && uri.scheme === 'file' ? uri.fsPath : dirname(stage.file);
  const { t } = vscode.l10n;
  const found = await app.heads.differences(folder, compared.live.commit);
  const name = app.store.nameOf(stage);
  const below = vscode.workspace.asRelativePath(folder);
  const shown = below === folder ? basename(folder) : below;
  if (found === undefined) {
    void vscode.window.showInformationMessage(
      t('Git does not know here what is live on {0}. Fetch it (Git: Fetch), then compare again.', name),
    );
    return;
  }
  const sent = found.flatMap((each) => {
    const sides = sidesHere(app, compared, each);
    return sides === undefined ? [] : [sides];
  });
  if (sent.length === 0)
    void vscode.window.showInformationMessage(t('{0} is the same here as live on {1}.', shown, name));
  else await openChanges(t('{0}: live on {1} ↔ here', shown, name), sent);
}

/** Undefined for what is not part of the tree that is sent. */
function sidesHere(app: App, { stage, live }: Compared, { path, before }: Difference): Sides | undefined {
  const old = before === undefined ? undefined : sentPath(app, stage, before);
  const there =
    before === undefined || old === undefined
      ? undefined
      : commitUri(stage, live.commit, old, vscode.Uri.file(before).path);
  const isSent = path !== undefined && sentPath(app, stage, path) !== undefined;
  const here = isSent ? vscode.Uri.file(path) : undefined;
  const address = here ?? there;
  return address === undefined ? undefined : [address, there, here];
}

/** Compare File with Server…: the bytes that lie there now, in the live release of the server that is picked. */
export async function compareWithServer(app: App, gutter: LiveGutter, uri: unknown): Promise<void> {
  const target = targetOf(uri);
  if (!mayRun() || target === undefined) return;
  const stage = await pickCompared(app, gutter);
  const path = stage === undefined ? undefined : pathOrSay(app, stage, target);
  if (stage === undefined || path === undefined) return;
  const server = await pickServer(app, stage);
  if (server === undefined) return;
  const bytes = Buffer.from(path, 'utf8').toString('latin1');
  const there = await fetchServerFile(app, { ...stage, server, from: 'live', path: bytes }, 'all');
  if (there === undefined) return;
  const title = vscode.l10n.t('{0}: on {1} ↔ here', printable(path), server);
  await vscode.commands.executeCommand('vscode.diff', there, target, title);
}

function targetOf(uri: unknown): vscode.Uri | undefined {
  const target = uri instanceof vscode.Uri ? uri : vscode.window.activeTextEditor?.document.uri;
  return target?.scheme === 'file' ? target : undefined;
}

async function pickCompared(app: App, gutter: LiveGutter): Promise<StageId | undefined> {
  return gutter.followed() ?? (await pickStage(app, undefined, vscode.l10n.t('Stage to compare with')));
}

function comparedOrSay(app: App, stage: StageId): Compared | undefined {
  const compared = comparedWith(app, stage);
  if (compared === undefined)
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        'What is live on {0} is not known here. Refresh the stage first.',
        app.store.nameOf(stage),
      ),
    );
  return compared;
}

function pathOrSay(app: App, stage: StageId, { fsPath }: vscode.Uri): string | undefined {
  const path = sentPath(app, stage, fsPath);
  if (path === undefined)
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        '{0} is not part of what is deployed to {1}.',
        vscode.workspace.asRelativePath(fsPath),
        app.store.nameOf(stage),
      ),
    );
  return path;
}
