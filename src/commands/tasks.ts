/** The task type `durant`: a stage's deploy or dry run for tasks.json, in a terminal, with a problem matcher for durant.conf. */
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { configName, taskType } from '../editor/ids.ts';
import { createLines } from '../editor/log.ts';
import { parseConf } from '../config/syntax/parse.ts';
import { toProblemJson } from '../config/syntax/problemJson.ts';
import { validate } from '../config/rules/validate.ts';
import type { RunEvent, RunFinished } from '../engine/index.ts';
import { printable } from '../printable.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';
import { deployStage } from './deploy.ts';
import { dryRunStage } from './dryRun.ts';

interface Definition extends vscode.TaskDefinition {
  readonly stage: string;
  readonly dryRun?: boolean;
  readonly config?: string;
}

export function registerTasks(app: App): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(taskType, {
    provideTasks: () =>
      app.store.configurations().flatMap(({ file, stages }) => {
        const uri = vscode.Uri.file(file);
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        if (folder === undefined) return [];
        const path = vscode.workspace.asRelativePath(uri, false);
        const config = path === configName ? {} : { config: path };
        return stages.flatMap(({ stage }) =>
          [true, false].map((dryRun) => toTask(app, { type: taskType, stage, dryRun, ...config }, folder)),
        );
      }),
    resolveTask: (task) => {
      const { definition, scope } = task;
      if (!isDefinition(definition)) return undefined;
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder === undefined ? undefined : toTask(app, definition, folder);
    },
  });
}

function isDefinition(definition: vscode.TaskDefinition): definition is Definition {
  return definition.type === taskType && typeof definition['stage'] === 'string';
}

function toTask(app: App, definition: Definition, folder: vscode.WorkspaceFolder): vscode.Task {
  const dry = definition.dryRun === true;
  const name = dry
    ? vscode.l10n.t('dry run {0}', definition.stage)
    : vscode.l10n.t('deploy {0}', definition.stage);
  const task = new vscode.Task(
    definition,
    folder,
    name,
    taskType,
    new vscode.CustomExecution(() => {
      const file = join(folder.uri.fsPath, definition.config ?? configName);
      return Promise.resolve(
        runInTerminal(app, { file, stage: definition.stage }, dry ? 'dry run' : 'deploy'),
      );
    }),
    ['$durant'],
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  return task;
}

function runInTerminal(app: App, stage: StageId, what: 'dry run' | 'deploy'): vscode.Pseudoterminal {
  const written = new vscode.EventEmitter<string>();
  const closed = new vscode.EventEmitter<number>();
  const print = (text: string): void => {
    written.fire(`${text.replaceAll('\n', '\r\n')}\r\n`);
  };
  const toLine = createLines(stage.stage);
  let directory = '';
  const onEvent = (event: RunEvent): void => {
    if (event.event === 'command' && event.server === null) directory = event.directory ?? '';
    const line = toLine(event);
    if (line === undefined) return;
    // As the build printed it, with the project's paths for the clone's: the task's own problem matcher reads it, and links lead there.
    if (event.event === 'output' && event.server === null)
      print(printable(inProject(event.line, directory, dirname(stage.file))));
    else print(line.text);
  };
  const run = async (): Promise<void> => {
    for (const line of await problemLines(stage)) print(line);
    const finished: RunFinished | undefined =
      what === 'deploy'
        ? await deployStage(app, { stage, onEvent })
        : await dryRunStage(app, { stage, onEvent });
    if (finished === undefined) print(vscode.l10n.t('The run did not begin or could not be prepared.'));
    closed.fire(finished?.ok === true ? 0 : finished?.error?.code === 'cancelled' ? 130 : 1);
  };
  return {
    onDidWrite: written.event,
    onDidClose: closed.event,
    open: () => void run(),
    close: () => {
      app.runs.cancel(stage);
    },
  };
}

function inProject(line: string, clone: string, project: string): string {
  return clone === '' ? line : line.replaceAll(`${clone}/`, `${project}/`);
}

/** As `durant check` prints them, for the problem matcher. */
async function problemLines({ file, stage }: StageId): Promise<readonly string[]> {
  try {
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.file(file));
    const doc = parseConf(new TextDecoder().decode(bytes));
    return validate(doc, stage)
      .map((found) => toProblemJson(doc, found))
      .map(
        ({ line, column, severity, code, message }) =>
          `${file}:${String(line)}:${String(column)}: ${severity} ${code}: ${message}`,
      );
  } catch {
    // A missing file or stage is the run's to say.
    return [];
  }
}
