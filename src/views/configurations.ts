/** The durant.conf files of the workspace and the stages in them, kept up to date as files come, change and go. */
import { basename, dirname, relative } from 'node:path';
import * as vscode from 'vscode';
import { parseConf } from '../config/syntax/parse.ts';
import {
  configJson,
  processNames,
  resolveStage,
  stageNames,
  type ConfigJson,
} from '../config/values/stage.ts';
import { resolverOf } from '../config/values/resolvers.ts';
import { configName } from '../editor/ids.ts';
import type { Configuration, StageEntry, StageId } from './store.ts';

export interface Configurations extends vscode.Disposable {
  readonly all: () => readonly Configuration[];
  readonly onDidChange: vscode.Event<void>;
  /** Resolves when the workspace has been searched. */
  readonly ready: Promise<void>;
  /** Searches again now, without waiting for the editor to notice a change. */
  readonly refresh: () => Promise<void>;
}

/** Several changes at once, as a checkout makes them, are read once. ms */
const settleMs = 100;

export function watchConfigurations(): Configurations {
  const changed = new vscode.EventEmitter<void>();
  let configurations: readonly Configuration[] = [];
  let timer: NodeJS.Timeout | undefined;

  const search = async (): Promise<void> => {
    const files = (await findConfigurations()).sort((a, b) => (a.fsPath < b.fsPath ? -1 : 1));
    const read = await Promise.all(files.map(readConfiguration));
    configurations = read.filter((configuration) => configuration !== undefined);
    changed.fire();
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(), settleMs);
  };
  const watcher = vscode.workspace.createFileSystemWatcher(`**/${configName}`);
  const subscriptions = [
    watcher,
    watcher.onDidCreate(schedule),
    watcher.onDidChange(schedule),
    watcher.onDidDelete(schedule),
    vscode.workspace.onDidChangeWorkspaceFolders(schedule),
    changed,
  ];
  return {
    all: () => configurations,
    onDidChange: changed.event,
    ready: search(),
    refresh: search,
    dispose: () => {
      clearTimeout(timer);
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

/** By a search; and at the roots in any case, where most of them are, as a search may be off or fail. */
async function findConfigurations(): Promise<vscode.Uri[]> {
  const roots = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) =>
    vscode.Uri.joinPath(uri, configName),
  );
  const found = await vscode.workspace.findFiles(`**/${configName}`, '**/{node_modules,.git}/**', 200).then(
    (uris) => uris,
    () => [],
  );
  const all = [...roots, ...found].filter(({ scheme }) => scheme === 'file');
  return [...new Map(all.map((uri) => [uri.fsPath, uri])).values()];
}

/** Undefined where there is none, or none that can be read. */
async function readConfiguration(uri: vscode.Uri): Promise<Configuration | undefined> {
  try {
    const bytes = await vscode.workspace.fs.readFile(uri);
    return describeConfiguration(uri.fsPath, labelOf(uri), new TextDecoder().decode(bytes));
  } catch {
    // Gone again, or a folder of that name.
    return undefined;
  }
}

/** As the tree names it: the workspace's folder, and the path below it where that is not its root. */
function labelOf(uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const directory = dirname(uri.fsPath);
  if (folder === undefined) return basename(directory);
  const below = relative(folder.uri.fsPath, directory);
  return below === '' ? folder.name : `${folder.name}/${below.replaceAll('\\', '/')}`;
}

/** What can be told of a durant.conf without running its resolvers. Pure. */
export function describeConfiguration(file: string, label: string, text: string): Configuration {
  const doc = parseConf(text);
  const processes = processNames(doc);
  const stages = stageNames(doc).map((name): StageEntry => {
    const stage = resolveStage(doc, name);
    const { options } = configJson(stage);
    const servers = options['server']?.value;
    const written = (Array.isArray(servers) ? servers : []).map(String);
    return {
      file,
      stage: name,
      line: stage.section.headers[0]?.line ?? 1,
      servers: written.some((entry) => resolverOf(entry) !== undefined) ? undefined : written,
      protected: options['protected']?.value === true,
      branch: textOf(options['branch']?.value),
      identity: textOf(options['ssh_identity']?.value),
      user: textOf(options['user']?.value),
      port: textOf(options['ssh_port']?.raw),
      processes: processesOf(options, processes),
      domain: wordOf(listOf(options['domain_name']?.value)[0]),
      repository: textOf(options['repository']?.value),
      problemMatchers: listOf(options['problem_matchers']?.value),
      keepReleases: numberOf(options['keep_releases']?.value),
      projectDir: textOf(options['project_dir']?.value),
      subDirectory: textOf(options['sub_directory']?.value),
    };
  });
  return { file, label, stages, broken: doc.problems.some(({ severity }) => severity === 'error') };
}

/** Without `current` there is nothing to run them in; where a resolver names them, it may be any. */
function processesOf(
  { strategy, processes }: ConfigJson['options'],
  all: readonly string[],
): readonly string[] {
  if (strategy?.value === 'inplace') return [];
  const named = listOf(processes?.value);
  return named.length === 0 || named.some((name) => resolverOf(name) !== undefined) ? all : named;
}

/** Text of a durant.conf as it lies on disk; empty where it cannot be read. */
export async function readConfigurationText(file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(file)));
  } catch {
    return '';
  }
}

/** Names of the goals of a stage's `pipeline` in order, as the file on disk has them now; none where they cannot be told. */
export async function readPipeline({ file, stage }: StageId): Promise<readonly string[]> {
  try {
    return describePipeline(await readConfigurationText(file), stage);
  } catch {
    // What is wrong with the file is the run's to say.
    return [];
  }
}

function describePipeline(text: string, stage: string): readonly string[] {
  const { options } = configJson(resolveStage(parseConf(text), stage));
  const names = listOf(options['pipeline']?.value);
  return names.some((name) => resolverOf(name) !== undefined)
    ? []
    : names.map((name) => name.replace(/\?$/, ''));
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && resolverOf(value) === undefined ? value : undefined;
}
