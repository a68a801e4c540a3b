/**
 * What the editor and its engine process say to each other. The engine runs in a process of its own, so that the editor stays responsive
 * during the largest deploy, and so that a run whose window was closed can still undo itself.
 */
import type { AgentOutcome, AgentRequest } from '../agents/requests.ts';
import type { ErrorFields } from '../errors.ts';
import type {
  AppControl,
  AppInfo,
  Assessment,
  DeployPlan,
  FilePlace,
  HoldResult,
  LockRecord,
  RunEvent,
  RunFinished,
  ServerFolder,
  StageLog,
  StageReleases,
  UnholdResult,
  UnlockResult,
  Verified,
} from '../engine/index.ts';
import type { ProjectFacts } from '../git/projectRepository.ts';
import type { PromptRequest } from '../remote/target.ts';

/** How the engine process is set up; sent first. */
export interface Setup {
  readonly cacheDir: string | undefined;
  readonly stateDir: string | undefined;
  readonly gitPath: string | undefined;
  readonly sshPath: string | undefined;
  readonly rsyncPath: string | undefined;
  /** How long an unused connection stays open, ms; 0: not at all. */
  readonly keepConnectionsMs: number;
}

/** A stage by its durant.conf, read from disk when the call is made. */
export interface StageCall {
  readonly file: string;
  readonly stage: string;
  /** Entries or hosts; empty: all servers of the stage. */
  readonly servers: readonly string[];
}

export interface DeployCall extends StageCall {
  readonly ref: string | undefined;
  /** Exactly this commit, which was reviewed; what it was found by stays `ref`, or the stage's branch. */
  readonly commit: string | undefined;
  readonly dryRun: boolean;
  /** In a dry run: run `before_deploy` in a scratch work tree, and list exactly. */
  readonly build: boolean;
  /** With `build`: an empty folder, 0700, for copies of what it made; the editor removes it. */
  readonly keepBuilt: string | undefined;
  /** In a dry run: tell its plan, where what would be sent is known. */
  readonly savePlan?: boolean | undefined;
  /** Exactly what this dry run found, or nothing; with its `commit`. */
  readonly plan?: DeployPlan | undefined;
  readonly again: boolean;
  /** Whether the user has said that work that is not part of the deploy may be left out. */
  readonly mayLeaveOut: boolean;
  /** Paths of files with changes that are only in the editor. */
  readonly unsaved: readonly string[];
  /** How long to wait for whoever holds the lock, ms. */
  readonly waitMs: number;
  /** Ask although the stage is not protected. */
  readonly alwaysConfirm: boolean;
}

export interface RollbackCall extends StageCall {
  readonly release: string | undefined;
  readonly alwaysConfirm: boolean;
}

export interface PruneCall extends StageCall {
  /** Entries of the servers to remove from; empty: all. The others are asked what they have, as all keep what all share. */
  readonly only: readonly string[];
  readonly alwaysConfirm: boolean;
}

/** What was removed, by server. */
export interface PruneOutcome {
  readonly finished: RunFinished;
  readonly removed: Readonly<Record<string, readonly string[]>>;
}

export interface HoldCall extends StageCall {
  readonly why: string;
  /** A duration or a time; undefined: until somebody lifts it. */
  readonly until: string | undefined;
}

/** To `stage`. */
export interface PromoteCall extends StageCall {
  readonly from: string;
  readonly alwaysConfirm: boolean;
}

export interface MaintenanceCall extends StageCall {
  readonly to: 'on' | 'off';
}

export interface DownCall extends StageCall {
  /** Remove `shared/`, too. */
  readonly shared: boolean;
}

export interface LogCall extends StageCall {
  /** How many runs, the newest. */
  readonly limit: number;
}

export interface ControlCall extends StageCall {
  readonly action: 'start' | 'stop' | 'restart';
  /** NAME of its `[process NAME]`. */
  readonly process: string;
}

export interface LogsCall extends StageCall {
  readonly process: string;
  /** How many lines of before are shown first. */
  readonly lines: number;
}

/** Of one server, which `servers` names. */
export interface ServerFolderCall extends StageCall {
  /** Relative to project_dir: bytes as latin1 characters, `/` separated. */
  readonly path: string;
}

export interface ServerFileCall extends StageCall, FilePlace {
  /** `end`: what was written last, of a file of any size. */
  readonly part: 'all' | 'end';
}

/** A file as it lies on a server. */
export interface ServerFileContents {
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** What was read of it, in base64; null where it is too large to be read whole. */
  readonly contents: string | null;
}

export interface FileCall extends StageCall {
  readonly commit: string;
  /** Relative to the tree that is sent, `/` separated. */
  readonly path: string;
}

export interface BehindCall extends StageCall {
  readonly commit: string;
}

export interface ChangesCall extends StageCall {
  readonly from: string;
  readonly to: string;
}

/** A file that differs between two commits, relative to the tree that is sent. */
export interface FileChange {
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'deleted';
  /** Git takes it for text. */
  readonly text: boolean;
}

/** What of the project would not be part of a deploy. */
export interface LeftOut {
  /** Paths as git has them, by what is the matter: not on disk yet, differs from HEAD, not tracked. */
  readonly files: readonly { readonly path: string; readonly state: 'unsaved' | 'changed' | 'untracked' }[];
  /** Commits that the deployed repository does not have, newest first: `1234567 Subject`. */
  readonly unpushed: readonly string[];
  readonly branch: string;
}

/** What can be deployed instead of the stage's branch. */
export interface Candidates {
  readonly branches: readonly string[];
  readonly tags: readonly string[];
  readonly commits: readonly CommitInfo[];
}

export interface CommitInfo {
  /** Full id. */
  readonly id: string;
  readonly subject: string;
  readonly author: string;
  /** ms since the epoch. */
  readonly date: number;
}

/** Every call: what it takes, what it gives. */
export interface Calls {
  readonly deploy: { readonly takes: DeployCall; readonly gives: RunFinished };
  readonly rollback: { readonly takes: RollbackCall; readonly gives: RunFinished };
  readonly releases: { readonly takes: StageCall; readonly gives: StageReleases };
  /** How many commits of the stage's branch `commit` is behind it; null where that cannot be found out. */
  readonly behind: { readonly takes: BehindCall; readonly gives: number | null };
  /** Removes the releases beyond `keep_releases`. */
  readonly prune: { readonly takes: PruneCall; readonly gives: PruneOutcome };
  /** How the processes of the live releases are. */
  readonly processes: { readonly takes: StageCall; readonly gives: AppInfo };
  readonly control: { readonly takes: ControlCall; readonly gives: AppControl };
  /** Follows the logs of a process until it is cancelled; each line is an `output` event. */
  readonly logs: { readonly takes: LogsCall; readonly gives: null };
  /** Where visitors find the application; null where the stage names no domain. */
  readonly site: { readonly takes: StageCall; readonly gives: string | null };
  /** Every assessment of a deploy; nothing is changed. */
  readonly check: { readonly takes: StageCall; readonly gives: readonly Assessment[] };
  readonly unlock: { readonly takes: StageCall; readonly gives: UnlockResult };
  /** Contents in base64; null where the commit has no such file. */
  readonly file: { readonly takes: FileCall; readonly gives: string | null };
  readonly changes: { readonly takes: ChangesCall; readonly gives: readonly FileChange[] };
  /** The git project of a folder; null where it is in none. */
  readonly project: {
    readonly takes: { readonly directory: string };
    readonly gives: ProjectFacts | null;
  };
  /** The live release compared with what was deployed. */
  readonly verify: { readonly takes: StageCall; readonly gives: Verified };
  readonly hold: { readonly takes: HoldCall; readonly gives: HoldResult };
  readonly unhold: { readonly takes: StageCall; readonly gives: UnholdResult };
  readonly promote: { readonly takes: PromoteCall; readonly gives: RunFinished };
  readonly maintenance: { readonly takes: MaintenanceCall; readonly gives: RunFinished };
  /** The script for root; nobody is connected to. */
  readonly setup: { readonly takes: StageCall; readonly gives: string };
  readonly down: { readonly takes: DownCall; readonly gives: PruneOutcome };
  readonly log: { readonly takes: LogCall; readonly gives: StageLog };
  /** What `to` has and `from` has not, newest first, as the clone here knows it; null where it does not know both. */
  readonly commits: { readonly takes: ChangesCall; readonly gives: readonly CommitInfo[] | null };
  /** What an agent asked for; what failed is its result. */
  readonly agent: { readonly takes: AgentRequest; readonly gives: AgentOutcome };
  /** A folder of one server, as it lies there now. */
  readonly serverFolder: { readonly takes: ServerFolderCall; readonly gives: ServerFolder };
  readonly serverFile: { readonly takes: ServerFileCall; readonly gives: ServerFileContents };
  readonly candidates: { readonly takes: StageCall; readonly gives: Candidates };
}

export type Method = keyof Calls;

/** Those about a stage that is deployed already. */
export type StageMethod =
  | 'verify'
  | 'hold'
  | 'unhold'
  | 'promote'
  | 'maintenance'
  | 'setup'
  | 'down'
  | 'log'
  | 'commits'
  | 'serverFolder'
  | 'serverFile';

/** A question of the engine's to whoever sits before the editor. Answered by text; undefined for no. */
export type Question =
  | PromptRequest
  /** The login that is remembered for a host of repositories, as JSON of `Login`; nobody is asked for it. */
  | { readonly kind: 'git-login'; readonly server: null; readonly origin: string }
  | { readonly kind: 'unlock'; readonly server: string; readonly lock: LockRecord }
  | { readonly kind: 'left-out'; readonly server: null; readonly leftOut: LeftOut };

/** To the engine process. */
export type ToEngine =
  | { readonly kind: 'setup'; readonly setup: Setup }
  | {
      readonly [M in Method]: {
        readonly kind: 'call';
        readonly call: number;
        readonly method: M;
        readonly takes: Calls[M]['takes'];
      };
    }[Method]
  | { readonly kind: 'cancel'; readonly call: number }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: string | undefined };

/** From the engine process. */
export type FromEngine =
  | { readonly kind: 'events'; readonly call: number; readonly events: readonly RunEvent[] }
  | { readonly kind: 'question'; readonly call: number; readonly question: number; readonly ask: Question }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'withdrawn'; readonly question: number }
  /** A connection to this server, an entry as written, was opened for the call: what was answered for it was right. */
  | { readonly kind: 'connected'; readonly call: number; readonly server: string }
  | { readonly kind: 'result'; readonly call: number; readonly gives: unknown }
  | { readonly kind: 'failed'; readonly call: number; readonly failure: ErrorFields };
