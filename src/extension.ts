/** The extension: builds its parts, wires them, and registers them. A table of contents. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { createAgentSession } from './agents/session.ts';
import { registerAgentTools } from './commands/agentTools.ts';
import { loadStage, recountBehind, type App } from './commands/commandContext.ts';
import { registerCommitDocuments } from './commands/commitChanges.ts';
import { explainInterrupted } from './commands/interrupted.ts';
import { refreshAll } from './commands/refresh.ts';
import { commitsOfRun } from './commands/history.ts';
import { createLanes } from './commands/lanes.ts';
import { createLiveStatusItem } from './commands/liveStatusItem.ts';
import { createLiveGutter } from './commands/liveGutter.ts';
import { registerCommands } from './commands/register.ts';
import { registerRecords } from './commands/releaseActions.ts';
import { createRuns } from './commands/runs.ts';
import { listFolder } from './commands/serverFiles.ts';
import { registerTasks } from './commands/tasks.ts';
import { watchFailures } from './commands/watchFailures.ts';
import { removeBuilt } from './editor/builtFiles.ts';
import { engineSetup, refreshesOnFocus } from './editor/configuration.ts';
import { createEngineClient } from './engineProcess/client.ts';
import { contextKeys, settings } from './editor/ids.ts';
import { watchHeads } from './editor/gitExtension.ts';
import { createLogChannels } from './editor/logChannels.ts';
import { createProblems } from './editor/problems/diagnostics.ts';
import { createReadOnlyTexts } from './editor/readOnlyText.ts';
import { createRunLogs } from './editor/runLogs.ts';
import { createSecrets } from './editor/secrets.ts';
import { createServerDocuments } from './editor/serverDocuments.ts';
import { launcherFolder, provideTerminalCommand } from './editor/terminalCommand.ts';
import { trustedOnly } from './editor/trust.ts';
import { registerLanguage } from './language/index.ts';
import { readConfigurationText, watchConfigurations } from './views/configurations.ts';
import { createHistoryView, type HistoryView } from './views/historyView.ts';
import { liveFacts } from './views/liveFacts.ts';
import { createReviewView } from './views/reviewView.ts';
import { createStore, stageKey } from './views/store.ts';
import { createStagesView } from './views/tree.ts';

export function activate(context: vscode.ExtensionContext): void {
  const { extensionPath, storageUri, subscriptions, workspaceState } = context;
  const ended = new AbortController();
  const log = vscode.window.createOutputChannel('Durant', { log: true });
  const engine = createEngineClient({
    bundle: join(extensionPath, 'dist', 'engine.cjs'),
    setup: engineSetup,
    env: process.env,
    onNoise: (text) => {
      log.error(text);
    },
  });
  const store = createStore(workspaceState);
  const heads = watchHeads();
  const review = createReviewView(extensionPath, async ({ stage }) => ({
    known: store.snapshot(stage)?.known,
    configuration: await readConfigurationText(stage.file),
    head: heads.of(stage.file),
  }));
  const configurations = watchConfigurations();
  const builtFolder = storageUri?.scheme === 'file' ? join(storageUri.fsPath, 'built') : undefined;
  const forgetBuilt = (): void => {
    if (builtFolder !== undefined) removeBuilt(builtFolder);
  };
  // Where the window was not there to see its end.
  forgetBuilt();
  const logFolder = storageUri?.scheme === 'file' ? join(storageUri.fsPath, 'runs') : undefined;
  const runLogs = createRunLogs(logFolder, () => {
    history.redraw();
  });
  const history: HistoryView = createHistoryView({
    extensionPath,
    memory: workspaceState,
    commitsOf: (node) => commitsOfRun(app, node),
    isKept: ({ run }) => runLogs.has(run),
  });
  const agents = createAgentSession();
  const app: App = {
    engine: watchFailures(trustedOnly(engine), agents),
    store,
    log,
    secrets: createSecrets(context),
    review,
    builtFolder,
    runs: createRuns(),
    logs: createLogChannels(),
    problems: createProblems(),
    texts: createReadOnlyTexts(),
    serverDocuments: createServerDocuments(),
    history,
    lanes: createLanes(history),
    runLogs,
    heads,
    findConfigurations: configurations.refresh,
    loads: new Map(),
    signal: ended.signal,
  };
  const gutter = createLiveGutter(app, workspaceState);
  const show = (): void => {
    // The palette has the commands of stages before any stage is seen.
    void setContext(contextKeys.hasConfig, configurations.all().length > 0);
    const stages = configurations.all().map((configuration) => configuration.stages);
    void setContext(
      contextKeys.severalStages,
      stages.some(({ length }) => length > 1),
    );
    void setContext(
      contextKeys.hasSite,
      stages.flat().some(({ domain }) => domain !== undefined),
    );
    store.setConfigurations(configurations.all());
  };
  void configurations.ready.then(async () => {
    await setContext(contextKeys.ready, true);
    await explainInterrupted(app, workspaceState);
  });

  subscriptions.push(
    log,
    engine,
    app.runs,
    app.logs,
    app.problems,
    app.texts,
    app.serverDocuments,
    heads,
    heads.onDidChange((head) => {
      void recountBehind(app, head);
      void review.check();
    }),
    {
      dispose: store.subscribe((stage) => {
        const reviewed = review.current()?.stage;
        if (reviewed === undefined || store.snapshot(reviewed)?.run !== undefined) return;
        if (stage === undefined || stageKey(stage) === stageKey(reviewed)) void review.check();
      }),
    },
    review,
    app.lanes,
    history,
    configurations,
    configurations.onDidChange(show),
    createStagesView({
      extensionPath,
      store,
      load: (stage) => void loadStage(app, stage, 'may ask'),
      list: (folder) => void listFolder(app, folder),
    }),
    gutter,
    createLiveStatusItem(store, gutter.followed),
    registerCommands(app, gutter),
    registerTasks(app),
    registerAgentTools(app, agents),
    provideTerminalCommand({
      variables: context.environmentVariableCollection,
      folder: launcherFolder(context.globalStorageUri),
      cli: join(extensionPath, 'dist', 'cli.cjs'),
      onFailure: (message) => {
        log.warn(message);
      },
    }),
    registerRecords(app),
    registerCommitDocuments(app),
    registerLanguage({
      projectFacts: async (directory, signal) =>
        (await app.engine.call('project', { directory }, { signal })) ?? undefined,
      ...liveFacts(store),
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settings.section)) engine.refreshSetup();
    }),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused && refreshesOnFocus() && vscode.workspace.isTrusted) void refreshAll(app, 'silently');
    }),
    {
      dispose: () => {
        ended.abort();
        forgetBuilt();
      },
    },
  );
}

function setContext(key: string, value: boolean): Thenable<unknown> {
  return vscode.commands.executeCommand('setContext', key, value);
}
