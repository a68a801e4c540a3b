/** What is known of the stages and their servers: where it comes from, and whom it is told. No `vscode` here but its event type. */
import type { GoalProgress } from '../report/goals.ts';
import type { RunProgress } from '../report/progress.ts';
import type { AppInfo, StageReleases } from '../engine/index.ts';
import type { ErrorCode } from '../errors.ts';
import { createFolders, type FolderKnown } from './folders.ts';

/** A stage as durant.conf has it. */
export interface StageEntry {
  readonly file: string;
  readonly stage: string;
  /** Of its header, from 1. */
  readonly line: number;
  /** Entries as written; undefined where a resolver has to be run to know them. */
  readonly servers: readonly string[] | undefined;
  readonly protected: boolean;
  readonly branch: string | undefined;
  /** As written; undefined where a resolver has to be run to know it. */
  readonly repository: string | undefined;
  readonly identity: string | undefined;
  readonly user: string | undefined;
  readonly port: string | undefined;
  /** Names of the `[process …]` sections that it runs. */
  readonly processes: readonly string[];
  /** The host name of its site as written; undefined where it has none. */
  readonly domain: string | undefined;
  /** Names of problem matchers; none: a guess. */
  readonly problemMatchers: readonly string[];
  /** Folder of the repository whose tree is sent, as written; undefined: all of it. */
  readonly subDirectory?: string | undefined;
  /** Undefined where a resolver has to be run to know it; -1: all. */
  readonly keepReleases?: number | undefined;
  /** As written; undefined where a resolver has to be run to know it. */
  readonly projectDir?: string | undefined;
}

export interface Configuration {
  readonly file: string;
  readonly label: string;
  readonly stages: readonly StageEntry[];
  /** Has errors of syntax. */
  readonly broken: boolean;
}

/** What a server said last; where it was not reached since, `error` says why. */
export type ServerKnown = StageReleases['servers'][number] & {
  /** Its releases are from then (ms since the epoch), and older than the error. */
  readonly asOf?: number;
};

export type ReleaseKnown = ServerKnown['releases'][number];

/** What the servers of a stage said, and when (ms since the epoch). */
export interface StageKnown {
  readonly servers: readonly ServerKnown[];
  readonly at: number;
  /** How many commits of its branch are not live, where one release is live and that could be found out. */
  readonly behind?: number;
}

/** The processes of the live release on one server. */
export type ServerProcesses = AppInfo['servers'][number];

export interface StageProcesses {
  /** Names the units. */
  readonly app: string;
  readonly servers: readonly ServerProcesses[];
}

/** One process on one server. */
export interface ProcessId extends StageId {
  readonly server: string;
  readonly process: string;
}

/** What this window does with a process. */
export interface ProcessActivity {
  /** What it is being told. */
  readonly control: ProcessControl | undefined;
  readonly followsLogs: boolean;
}

/** One folder on one server; `path` is relative to project_dir, bytes as latin1 characters. */
export interface FolderId extends StageId {
  readonly server: string;
  readonly path: string;
}

export type ProcessControl = 'start' | 'stop' | 'restart';

export interface StageFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** All there is to say of a stage now. */
export interface StageSnapshot {
  readonly entry: StageEntry;
  readonly known: StageKnown | undefined;
  readonly loading: boolean;
  /** Why the servers could not even be asked, for example a value that cannot be resolved. */
  readonly failure: StageFailure | undefined;
  readonly run: RunProgress | undefined;
  /** Of the run that is on, or of the last one; none where its pipeline is but `deploy`. */
  readonly goals: readonly GoalProgress[];
  readonly processes: StageProcesses | undefined;
  readonly activity: (server: string, process: string) => ProcessActivity;
  /** Undefined where it was not asked for. */
  readonly folder: (server: string, path: string) => FolderKnown | undefined;
}

/** One folder's worth of memory: `vscode.Memento`, or a stand-in. */
export interface Memory {
  readonly get: <T>(key: string, fallback: T) => T;
  readonly update: (key: string, value: unknown) => PromiseLike<void>;
}

export interface Store {
  readonly configurations: () => readonly Configuration[];
  readonly setConfigurations: (configurations: readonly Configuration[]) => void;
  readonly snapshot: (stage: StageId) => StageSnapshot | undefined;
  /** A stage as messages call it: with its folder where there are several durant.conf files. */
  readonly nameOf: (stage: StageId) => string;
  readonly setLoading: (stage: StageId, loading: boolean) => void;
  readonly setKnown: (stage: StageId, known: StageKnown) => void;
  readonly setFailure: (stage: StageId, failure: StageFailure) => void;
  readonly setRun: (stage: StageId, run: RunProgress | undefined) => void;
  /** How the goals of a run that has ended stood. */
  readonly setGoals: (stage: StageId, goals: readonly GoalProgress[]) => void;
  /** Of those servers; what is known of others stays. */
  readonly setProcesses: (stage: StageId, processes: StageProcesses) => void;
  readonly setActivity: (process: ProcessId, change: Partial<ProcessActivity>) => void;
  readonly setFolder: (folder: FolderId, known: FolderKnown) => void;
  /** Tells the stage that changed; undefined: the list of stages did. Returns what unsubscribes. */
  readonly subscribe: (listener: (stage: StageId | undefined) => void) => () => void;
}

export interface StageId {
  readonly file: string;
  readonly stage: string;
}

export function stageKey({ file, stage }: StageId): string {
  return `${file}\0${stage}`;
}

export function processKey({ server, process, ...stage }: ProcessId): string {
  return `${stageKey(stage)}\0${server}\0${process}`;
}

const memoryKey = 'durant.known';
const processesKey = 'durant.processes';
const idle: ProcessActivity = { control: undefined, followsLogs: false };

export function createStore(memory: Memory): Store {
  const known = new Map<string, StageKnown>(memory.get<[string, StageKnown][]>(memoryKey, []));
  const loading = new Map<string, number>();
  const failures = new Map<string, StageFailure>();
  const runs = new Map<string, RunProgress>();
  const goals = new Map<string, readonly GoalProgress[]>();
  const processes = new Map<string, StageProcesses>(memory.get<[string, StageProcesses][]>(processesKey, []));
  const activities = new Map<string, ProcessActivity>();
  const folders = createFolders();
  const listeners = new Set<(stage: StageId | undefined) => void>();
  let configurations: readonly Configuration[] = [];

  const tell = (stage: StageId | undefined): void => {
    for (const listener of listeners) listener(stage);
  };
  const entryOf = ({ file, stage }: StageId): StageEntry | undefined =>
    configurations.find((each) => each.file === file)?.stages.find((each) => each.stage === stage);

  return {
    configurations: () => configurations,
    setConfigurations: (now) => {
      configurations = now;
      tell(undefined);
    },
    snapshot: (stage) => {
      const entry = entryOf(stage);
      const key = stageKey(stage);
      if (entry === undefined) return undefined;
      return {
        entry,
        known: known.get(key),
        loading: (loading.get(key) ?? 0) > 0,
        failure: failures.get(key),
        run: runs.get(key),
        goals: runs.get(key)?.goals ?? goals.get(key) ?? [],
        processes: processes.get(key),
        activity: (server, process) => activities.get(processKey({ ...stage, server, process })) ?? idle,
        folder: (server, path) => folders.get(key, server, path),
      };
    },
    nameOf: ({ file, stage }) => {
      const label = configurations.find((each) => each.file === file)?.label;
      return configurations.length < 2 || label === undefined ? stage : `${stage} (${label})`;
    },
    setLoading: (stage, is) => {
      const key = stageKey(stage);
      loading.set(key, Math.max(0, (loading.get(key) ?? 0) + (is ? 1 : -1)));
      tell(stage);
    },
    setKnown: (stage, now) => {
      failures.delete(stageKey(stage));
      for (const server of switched(now, known.get(stageKey(stage)))) folders.forget(stageKey(stage), server);
      known.set(stageKey(stage), withWhatWasKnown(now, known.get(stageKey(stage))));
      void memory.update(memoryKey, [...known]);
      tell(stage);
    },
    setFailure: (stage, failure) => {
      failures.set(stageKey(stage), failure);
      tell(stage);
    },
    setRun: (stage, run) => {
      if (run === undefined) runs.delete(stageKey(stage));
      else runs.set(stageKey(stage), run);
      tell(stage);
    },
    setGoals: (stage, now) => {
      const key = stageKey(stage);
      if (now.length === 0 && !goals.has(key)) return;
      if (now.length === 0) goals.delete(key);
      else goals.set(key, now);
      tell(stage);
    },
    setProcesses: (stage, { app, servers }) => {
      const before = processes.get(stageKey(stage))?.servers ?? [];
      const others = before.filter(({ server }) => servers.every((each) => each.server !== server));
      processes.set(stageKey(stage), { app, servers: [...others, ...servers] });
      void memory.update(processesKey, [...processes]);
      tell(stage);
    },
    setActivity: (process, change) => {
      const key = processKey(process);
      activities.set(key, { ...idle, ...activities.get(key), ...change });
      tell(process);
    },
    setFolder: (folder, now) => {
      folders.set(stageKey(folder), folder.server, folder.path, now);
      tell(folder);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Servers with another release live than before: what was listed there is no longer so. */
function switched(now: StageKnown, before: StageKnown | undefined): readonly string[] {
  return now.servers
    .filter(({ server, current, error }) => {
      const old = before?.servers.find((each) => each.server === server);
      return error === null && old !== undefined && old.current !== current;
    })
    .map(({ server }) => server);
}

/** A server that was not reached has what it had when it was. */
function withWhatWasKnown(now: StageKnown, before: StageKnown | undefined): StageKnown {
  const servers = now.servers.map((server) => {
    const old = before?.servers.find((each) => each.server === server.server);
    if (server.error === null || before === undefined || old === undefined) return server;
    const { current, releases, asOf = before.at } = old;
    return { ...server, current, releases, asOf };
  });
  return { ...now, servers };
}

export function knownServer({ known }: StageSnapshot, server: string): ServerKnown | undefined {
  return known?.servers.find((each) => each.server === server);
}

/** The record of what is live on a server; undefined where nothing is, or where it has no record. */
export function liveRecord(server: ServerKnown): ReleaseKnown | undefined {
  return server.releases.find(({ current }) => current);
}

/** What is live on all servers of a stage: one release, several, or none. Servers that never answered do not count. */
export function liveOf(known: StageKnown | undefined):
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none' }
  | { readonly kind: 'mixed' }
  | {
      readonly kind: 'one';
      readonly release: string;
      readonly record: ServerKnown['releases'][number] | undefined;
    } {
  const answered = (known?.servers ?? []).filter(({ error, asOf }) => error === null || asOf !== undefined);
  const [first, ...others] = answered;
  if (first === undefined) return { kind: 'unknown' };
  if (others.some(({ current }) => current !== first.current)) return { kind: 'mixed' };
  if (first.current === null) return { kind: 'none' };
  return { kind: 'one', release: first.current, record: liveRecord(first) };
}
