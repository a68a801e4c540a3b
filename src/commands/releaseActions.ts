/** What can be looked at and taken from a release; rolling back to it is in rollback.ts. */
import * as vscode from 'vscode';
import { schemes } from '../editor/ids.ts';
import { shortCommit } from '../format.ts';
import type { Node } from '../views/nodes.ts';
import { copiesOf } from '../views/releaseItem.ts';
import { liveRecord, type ReleaseKnown } from '../views/store.ts';
import { mayRun, type App } from './commandContext.ts';
import { openCommitChanges } from './commitChanges.ts';

type ReleaseNode = Extract<Node, { kind: 'release' }>;

export async function compareWithLive(app: App, node: ReleaseNode): Promise<void> {
  if (!mayRun()) return;
  const record = recordOf(app, node);
  const servers = app.store.snapshot(node)?.known?.servers ?? [];
  const live = servers.map(liveRecord).find((each) => each !== undefined);
  if (live === undefined || record === undefined) return;
  const title = vscode.l10n.t(
    '{0}: {1} ↔ live {2}',
    node.stage,
    shortCommit(record.commit),
    shortCommit(live.commit),
  );
  await openCommitChanges(app, { stage: node, from: record.commit, to: live.commit, title });
}

export async function copyCommit(app: App, node: ReleaseNode): Promise<void> {
  const commit = recordOf(app, node)?.commit ?? '';
  await vscode.env.clipboard.writeText(commit);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', commit), 5000);
}

/** The record as it lies on the server, in a read-only document. */
export async function showRecord(app: App, node: ReleaseNode): Promise<void> {
  const record = recordOf(app, node);
  if (record === undefined) return;
  const uri = vscode.Uri.from({
    scheme: schemes.record,
    path: `/${node.stage}/${node.release}.ini`,
    query: new URLSearchParams({
      file: node.file,
      stage: node.stage,
      release: node.release,
    }).toString(),
  });
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { preview: true });
}

export function registerRecords(app: App): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(schemes.record, {
    provideTextDocumentContent: (uri) => {
      const query = new URLSearchParams(uri.query);
      const node: ReleaseNode = {
        kind: 'release',
        file: query.get('file') ?? '',
        stage: query.get('stage') ?? '',
        release: query.get('release') ?? '',
      };
      const record = recordOf(app, node);
      if (record === undefined) return vscode.l10n.t('; This release is not known any more.');
      const lines = Object.entries(record).filter(([key]) => key !== 'current');
      return [
        `; ${vscode.l10n.t('Release {0} of {1}', node.release, node.stage)}`,
        ...lines.map(
          ([key, value]) => `${key} = ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
        ),
        '',
      ].join('\n');
    },
  });
}

function recordOf(app: App, node: ReleaseNode): ReleaseKnown | undefined {
  const snapshot = app.store.snapshot(node);
  return snapshot === undefined ? undefined : copiesOf(snapshot, node.release)[0]?.record;
}
