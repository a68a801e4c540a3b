/** What the store knows of a stage, as the CodeLens above it shows it. */
import * as vscode from 'vscode';
import { formatAge, shortCommit } from '../format.ts';
import { describeConfiguration } from './configurations.ts';
import { holdOf } from './stageItem.ts';
import { liveOf, type StageId, type Store } from './store.ts';
import { whatIf } from './whatIf.ts';

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
  readonly whatIf: (file: string, text: string) => (stage: string) => readonly string[];
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
    whatIf: (file, text) => {
      const { stages } = describeConfiguration(file, '', text);
      return (stage) => {
        const snapshot = store.snapshot({ file, stage });
        const now = stages.find((entry) => entry.stage === stage);
        return snapshot === undefined || now === undefined
          ? []
          : whatIf(snapshot.entry, now, snapshot.known, vscode.l10n.t);
      };
    },
    onDidChangeLensFacts: (listener) => ({ dispose: store.subscribe(listener) }),
  };
}
