/** What the store knows of a stage, as the CodeLens above it shows it. */
import * as vscode from 'vscode';
import { formatAge, shortCommit } from '../format.ts';
import { holdOf } from './stageItem.ts';
import { liveOf, type StageId, type Store } from './store.ts';

export interface LiveFacts {
  readonly release: string;
  readonly commit: string;
  readonly ageText: string;
  readonly behind: number | undefined;
  readonly locked: string | undefined;
  readonly held: string | undefined;
}

export function liveFacts(store: Store): {
  readonly lensFacts: (stage: StageId) => LiveFacts | undefined;
  readonly onDidChangeLensFacts: vscode.Event<unknown>;
} {
  return {
    lensFacts: (stage) => {
      const known = store.snapshot(stage)?.known;
      const live = liveOf(known);
      if (live.kind !== 'one') return undefined;
      const lock = known?.servers.find(({ locked }) => locked !== null)?.locked;
      const { record } = live;
      return {
        release: live.release,
        commit: shortCommit(record?.commit ?? ''),
        ageText:
          record === undefined ? '' : formatAge(record.finished || record.started, Date.now(), vscode.l10n.t),
        behind: known?.behind,
        locked: lock === null || lock === undefined ? undefined : `${lock.user}@${lock.host}`,
        held: holdOf(known)?.why,
      };
    },
    onDidChangeLensFacts: (listener) => ({ dispose: store.subscribe(listener) }),
  };
}
