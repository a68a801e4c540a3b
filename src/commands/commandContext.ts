/** What every command works with, and what several of them do. */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { asDurantError } from '../errors.ts';
import type { EngineClient } from '../engineProcess/client.ts';
import type { StageCall } from '../engineProcess/protocol.ts';
import { createAnswer, rememberedAnswer } from '../editor/prompts.ts';
import { logRun } from '../editor/log.ts';
import type { Head, Heads } from '../editor/gitExtension.ts';
import type { LogChannels } from '../editor/logChannels.ts';
import type { Problems } from '../editor/problems/diagnostics.ts';
import type { ReadOnlyTexts } from '../editor/readOnlyText.ts';
import type { RunLogs } from '../editor/runLogs.ts';
import type { ServerDocuments } from '../editor/serverDocuments.ts';
import type { Secrets } from '../editor/secrets.ts';
import type { HistoryView } from '../views/historyView.ts';
import type { ReviewView } from '../views/reviewView.ts';
import { liveOf, stageKey, type StageId, type Store } from '../views/store.ts';
import type { Lanes } from './lanes.ts';
import type { Runs } from './runs.ts';

export interface App {
  readonly engine: EngineClient;
  readonly store: Store;
  readonly log: vscode.LogOutputChannel;
  readonly secrets: Secrets;
  readonly review: ReviewView;
  /** Where copies of what dry runs built are kept while they are reviewed; undefined where no folder is open. */
  readonly builtFolder: string | undefined;
  readonly runs: Runs;
  readonly logs: LogChannels;
  readonly problems: Problems;
  readonly texts: ReadOnlyTexts;
  readonly serverDocuments: ServerDocuments;
  readonly history: HistoryView;
  readonly lanes: Lanes;
  readonly runLogs: RunLogs;
  readonly heads: Heads;
  /** Looks for durant.conf files again. */
  readonly findConfigurations: () => Promise<void>;
  /** Loads of what is on servers that are under way, by stage. */
  readonly loads: Map<string, Promise<void>>;
  /** Aborted when the extension ends. */
  readonly signal: AbortSignal;
}

/**
 * Asks the servers of a stage what is on them, and puts that into the store. Never rejects. Two at once are one.
 * @param when `afresh` where one that is under way may have looked before something changed.
 * @param ask whether the user may be asked for a key or a password; without, servers that need one are shown as not reached.
 */
export function loadStage(
  app: App,
  stage: StageId,
  ask: 'may ask' | 'silently',
  when: 'afresh' | 'once' = 'once',
): Promise<void> {
  const key = stageKey(stage);
  const before = app.loads.get(key);
  if (before !== undefined && when === 'once') return before;
  const load = async (): Promise<void> => {
    await before;
    app.store.setLoading(stage, true);
    const log = logRun(app.log, stage.stage);
    try {
      const { servers } = await app.engine.call(
        'releases',
        { ...stage, servers: [] },
        {
          signal: app.signal,
          emit: log,
          ...(ask === 'may ask' ? { answer: createAnswer(app.secrets) } : {}),
        },
      );
      app.store.setKnown(stage, { servers, at: Date.now() });
      void countBehind(app, stage);
      await loadProcesses(app, { ...stage, servers: [] }, ask);
    } catch (thrown) {
      const { code, message } = asDurantError(thrown);
      app.log.error(`${stage.stage} │ ${message} [${code}]`);
      app.store.setFailure(stage, { code, message });
    } finally {
      if (app.loads.get(key) === loading) app.loads.delete(key);
      app.store.setLoading(stage, false);
    }
  };
  const loading = load();
  app.loads.set(key, loading);
  return loading;
}

/**
 * Asks how the processes of a stage are, where durant.conf has any for it, and puts that into the store. Never rejects: releases are known
 * without.
 * @param call which servers; empty: all.
 */
export async function loadProcesses(app: App, call: StageCall, ask: 'may ask' | 'silently'): Promise<void> {
  const { file, stage } = call;
  const snapshot = app.store.snapshot(call);
  if (snapshot === undefined || snapshot.entry.processes.length === 0) return;
  try {
    const info = await app.engine.call('processes', call, {
      signal: app.signal,
      emit: logRun(app.log, stage),
      ...(ask === 'may ask' ? { answer: createAnswer(app.secrets) } : {}),
    });
    app.store.setProcesses({ file, stage }, info);
  } catch (thrown) {
    const { code, message } = asDurantError(thrown);
    if (code === 'cancelled') return;
    app.log.error(`${stage} │ ${message} [${code}]`);
    const asked = (snapshot.known?.servers ?? []).filter(
      ({ server }) => call.servers.length === 0 || call.servers.includes(server),
    );
    app.store.setProcesses(
      { file, stage },
      {
        app: snapshot.processes?.app ?? stage,
        servers: asked.map(({ server }) => ({ server, release: null, processes: [], error: message })),
      },
    );
  }
}

/** Goes on after the servers have answered: a fetch from a slow repository delays nothing that is known already. */
async function countBehind(app: App, stage: StageId): Promise<void> {
  const live = liveOf(app.store.snapshot(stage)?.known);
  const commit = live.kind === 'one' ? live.record?.commit : undefined;
  if (commit === undefined || commit === '') return;
  try {
    const behind = await app.engine.call(
      'behind',
      { ...stage, servers: [], commit },
      { signal: app.signal, answer: rememberedAnswer(app.secrets) },
    );
    const known = app.store.snapshot(stage)?.known;
    const now = liveOf(known);
    // Something else may have gone live meanwhile.
    if (behind === null || known === undefined || now.kind !== 'one' || now.record?.commit !== commit) return;
    app.store.setKnown(stage, { ...known, behind });
  } catch {
    // What is wrong with the repository is the deploy's to say; here the number is just not known.
  }
}

/**
 * Counts again for stages whose commits come from the project itself, once it has others: for those VS Code's git alone is asked. Others
 * would have to be fetched.
 */
export async function recountBehind(app: App, { root, branch }: Head): Promise<void> {
  for (const entry of app.store.configurations().flatMap(({ stages }) => stages)) {
    const { file, repository } = entry;
    const known = app.store.snapshot(entry)?.known;
    const live = liveOf(known);
    if (known === undefined || live.kind !== 'one' || app.heads.of(file)?.root !== root) continue;
    if (repository !== '.' || dirname(file) !== root) continue;
    const commit = live.record?.commit ?? '';
    const to = entry.branch ?? branch;
    if (commit === '' || to === undefined) continue;
    const behind = await app.heads.countBetween(file, commit, to);
    if (behind !== undefined && app.store.snapshot(entry)?.known === known)
      app.store.setKnown(entry, { ...known, behind });
  }
}

/** Whether anything may be run or connected to here; says why not. The engine refuses on its own, too. */
export function mayRun(): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t('Manage Workspace Trust');
  void vscode.window
    .showWarningMessage(
      vscode.l10n.t('This folder is not trusted: Durant runs nothing and connects to no server.'),
      manage,
    )
    .then((chosen) => {
      if (chosen === manage) void vscode.commands.executeCommand('workbench.trust.manage');
    });
  return false;
}
