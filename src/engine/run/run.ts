/** A run: what its steps read and write. What a phase finds out is in the run's type from there on, so nobody asks whether it is there. */
import type { DurantError } from '../../errors.ts';
import type { Masker } from '../../config/values/mask.ts';
import type { Settings } from '../../config/options/options.ts';
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Pipeline } from '../../config/values/pipelineGoals.ts';
import type { ForwardedAgent } from '../../remote/agent/forwardedAgent.ts';
import type { Clone, Commit } from '../../git/port.ts';
import type { Connection, ServerAddress } from '../../remote/target.ts';
import type { Plan } from '../../transfer/tree/plan.ts';
import type { Tree } from '../../transfer/tree/scan.ts';
import type { Compared } from './comparison.ts';
import type { FanOut } from '../steps/fanOut.ts';
import type { Strategy } from '../steps/strategies/strategy.ts';
import type { Emit, ServerState } from '../events.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import type { Wave } from './waves.ts';
import type { Journal } from '../server/journal.ts';
import type { Host } from '../ports.ts';
import type { LockRecord } from '../server/record.ts';
import type { ServerReleases } from '../server/releases.ts';
import type { RestartCounts } from '../app/unitStates.ts';
import type { Sudo } from '../app/privilege.ts';
import type { ServiceSet } from '../app/serviceSet.ts';
import type { Provenance } from '../source/provenance.ts';
import type { ReleaseEnvironment } from '../secrets/envText.ts';

/** What every command of the engine is asked with. */
export interface StageRequest {
  readonly stage: string;
  readonly settings: Settings;
  /** The processes that the stage runs. */
  readonly processes: readonly NamedProcess[];
  /** Strings that no output may show. */
  readonly secrets: readonly string[];
  /** Path of durant.conf; its folder is the project. */
  readonly file: string;
  /** The servers to work on; `settings.server` or a part of it. */
  readonly servers: readonly ServerAddress[];
  /** The goals of `pipeline`; undefined: `deploy` alone. */
  readonly pipeline?: Pipeline | undefined;
  /** What durant.conf asks for and a deploy does not do. */
  readonly warnings?: readonly { readonly code: string; readonly message: string }[] | undefined;
  /** Whether goals that are modules of the project may be loaded; undefined: no. */
  readonly trusted?: boolean | undefined;
}

/** What a run has of a server's lock. */
export type OwnLock =
  | { readonly state: 'none' }
  /** Asked for, and no answer yet: where the line dies under it, the lock may be this run's. */
  | { readonly state: 'asked' }
  | { readonly state: 'held' }
  /** It was held, and somebody removed it or took it over: the run changes nothing more there. */
  | { readonly state: 'lost'; readonly error: DurantError };

/** A connection that runs nothing for a run that has lost its lock; what a `ServerRun` must have, so that no script escapes the guard. */
export type GuardedConnection = Connection & { readonly guards: 'lock' };

/** One server of a run, and what the run has done to it so far. */
export interface ServerRun {
  readonly address: ServerAddress;
  connection: GuardedConnection;
  facts: ServerFacts;
  /** Scripts that wait for the next round trip to this server; they run in project_dir. */
  deferred: string[];
  /** How many lines to it were lost: a script that was sent over one of those does nothing any more. */
  lostLines: number;
  ownLock: OwnLock;
  /** The lock of our own dead run that this run took over. */
  tookOver: LockRecord | undefined;
  /** Whether this run has begun a release there, so that a failure has to remove it. */
  begun: boolean;
  /** What the transfer would do, or did. */
  plan: Plan | undefined;
  /** What `current` pointed at before this run switched it: a release name, null for none; undefined: not switched. */
  previous: string | null | undefined;
  /** Text of the `current` link before this run switched it; undefined: there was none, or it is not known. */
  previousLink: string | undefined;
  /** Whether the script of its switch has confirmed it as well (deadManSwitch.ts). */
  confirmed?: boolean;
  state: ServerState;
  error: string | undefined;
  /** What is known of the server's services; undefined where the run has none to look after. */
  services: ServerServices | undefined;
}

/** The services of one server, as a run finds and leaves them. */
export interface ServerServices {
  /** Whether this run has begun to change them. */
  readonly begun: boolean;
  /** What the release that was live runs with; undefined for none. */
  readonly before: ServiceSet | undefined;
  readonly sudo: Sudo;
  /** Whether the release runs, or is to run, as an instance of its own beside the one before it. */
  readonly instance?: 'wanted' | 'begun' | undefined;
  /** The ports that the release's processes were given, by process. */
  readonly ports?: Readonly<Record<string, number>> | undefined;
  /** Unit files that the release runs with, when they have been put in place. */
  readonly files?: readonly string[] | undefined;
  /** When this run's were started, as `performance.now()` counts, and how often each had been restarted by then. */
  readonly started?: number;
  readonly restarts?: RestartCounts;
}

/** A run as it was opened. What is optional here is found out on the way; steps ask for the phase that has it. */
export interface Run {
  readonly id: string;
  readonly action: 'deploy' | 'rollback' | 'adopt' | 'prune' | 'down' | 'promote' | 'maintenance';
  readonly request: StageRequest;
  readonly settings: Settings;
  /** How a release is built and made live: `strategy`. */
  readonly strategy: Strategy;
  readonly host: Host;
  readonly journal: Journal;
  readonly emit: Emit;
  readonly mask: Masker;
  /** From now on these texts are masked in every event and error, like the request's secrets. */
  readonly addSecrets: (secrets: readonly string[]) => void;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  readonly started: Date;
  /** For how long people were asked so far, ms. */
  readonly waitedMs: () => number;
  /** This machine, for local commands. */
  readonly local: Connection;
  readonly servers: ServerRun[];
  /** What the stage's other servers have, where a run is limited to some. */
  others: readonly ServerReleases[];
  /** Servers that no connection could be opened to, with what was said. */
  readonly unreached: Map<string, string | undefined>;
  /** Promises of what happens once per run, by name. */
  readonly once: Map<string, Promise<void>>;
  /** What servers with the same release live have in common. */
  readonly compared: Compared;
  /** Opens a connection anew, for undoing after the line was cut; or a further one, to forward an agent to the server. */
  readonly reconnect: (address: ServerAddress, agent?: ForwardedAgent) => Promise<Connection>;
  /** While servers hand the tree on to each other. */
  fanOut?: FanOut | undefined;
  /** The values of `env_file`; undefined where there is none, or the run makes no release. */
  environment: ReleaseEnvironment | undefined;
  clone: Clone | undefined;
  commit: Commit | undefined;
  /** What `{version}` stands for; undefined where nothing asks for it. */
  version: string | undefined;
  release: string | undefined;
  tree: Tree | undefined;
  /** `STAGE RELEASE`, where the tree is another stage's; undefined where it is a commit's. */
  promotedFrom?: string;
  /** Where the release that it makes comes from, for its record. */
  provenance?: Provenance | undefined;
  /** How far it is: what a failure has to undo follows from it. */
  phase: 'assessing' | 'building' | 'publishing' | 'finishing';
  /** The wave that is being switched, or was when the run failed. */
  wave: Wave | undefined;
  /** The first step that failed, for `DURANT_FAILED_STEP`. */
  failedStep: string | undefined;
}

/** The commit is known, and in the clone. */
export interface FetchedRun extends Run {
  clone: Clone;
  commit: Commit;
}

/** The release that it makes, or goes to, is known. */
export interface NamedRun extends Run {
  commit: Commit;
  release: string;
  recipe: string;
  /** Its place among the releases of its servers. */
  order: number;
}

/** A deploy with all that is known before something is built. */
export interface DeployRun extends NamedRun {
  clone: Clone;
}

/** What is sent lies on this machine. */
export interface TreeRun extends FetchedRun {
  tree: Tree;
}

/** A deploy, or what goes like one, when all servers can be worked on. */
export interface BuiltRun extends DeployRun {
  tree: Tree;
}

/** The run with what a phase has found out: the same object, known by another type from there on. */
export function withFound<R extends Run, Found extends object>(run: R, found: Found): R & Found {
  return Object.assign(run, found);
}

/** Whether it makes a new release: what it wants of a server is its own, and not kept there. */
export function makesRelease({ action }: Pick<Run, 'action'>): boolean {
  return action === 'deploy' || action === 'promote';
}

export function isFetched(run: Run): run is FetchedRun {
  return run.clone !== undefined && run.commit !== undefined;
}

export function hasTree(run: Run): run is TreeRun {
  return isFetched(run) && run.tree !== undefined;
}

/** For what may come in any phase, like undoing. */
export function isNamed(run: Run): run is NamedRun {
  return 'recipe' in run;
}

export function newRunId(now: Date, randomId: string): string {
  return `${now.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}-${randomId}`;
}

/** The lock record of a run. */
export function lockOf(run: Run, message: string): LockRecord {
  return {
    run: run.id,
    stage: run.request.stage,
    user: run.host.user,
    host: run.host.hostname,
    started: run.started.toISOString(),
    action: run.action,
    message,
  };
}

/** In the order in which locks are taken: host, port, path (the path is the stage's). */
export function inLockOrder(servers: readonly ServerRun[]): ServerRun[] {
  const key = ({ address }: ServerRun): string =>
    `${address.host} ${String(address.port ?? 0).padStart(5, '0')} ${address.entry}`;
  return [...servers].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
