/** The typed event stream of a run: the public contract that every front end renders (docs/architecture.md). */
import type { ErrorCode, ErrorData } from '../errors.ts';
import type { DeployPlan } from './run/plan.ts';

export type StepState = 'pending' | 'running' | 'done' | 'already' | 'skipped' | 'failed';

export interface WarningData {
  /** Of `build-output-not-listed`: which files of the tree are in the list. */
  readonly listed: 'nothing' | 'committed files';
}

/** How a run left one server. */
export type ServerState = 'live' | 'unchanged' | 'reverted' | 'failed' | 'unknown';

export interface ServerOutcome {
  readonly server: string;
  readonly state: ServerState;
  /** Name of the release that `current` points at, null where there is none or it is not known. */
  readonly current: string | null;
  readonly error: string | null;
  /** Of `run`: how the command ended there; null where it did not come to its end. */
  readonly exit_status?: number | null;
}

/** `server` is always the entry as written in durant.conf, null where an event is about no one server. */
export type RunEvent =
  | {
      readonly event: 'run-started';
      readonly action:
        | 'deploy'
        | 'rollback'
        | 'adopt'
        | 'unlock'
        | 'prune'
        | 'verify'
        | 'down'
        | 'promote'
        | 'maintenance'
        | 'run';
      readonly run: string;
      readonly stage: string;
      readonly dry_run: boolean;
      readonly servers: readonly string[];
    }
  | {
      readonly event: 'step';
      readonly step: string;
      readonly server: string | null;
      readonly state: StepState;
      readonly reason: string | null;
      /** Milliseconds since the step began; null before it ended. */
      readonly ms: number | null;
    }
  | {
      readonly event: 'command';
      readonly server: string | null;
      readonly step: string;
      readonly command: string;
      /** Folder that it runs in, on its server or here; left out where it is only said what would run. */
      readonly directory?: string;
    }
  | {
      readonly event: 'output';
      readonly server: string | null;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  | {
      readonly event: 'transfer';
      readonly server: string;
      readonly files: number;
      readonly bytes: number;
      readonly total_files: number;
      readonly total_bytes: number;
    }
  | {
      readonly event: 'change';
      readonly server: string;
      readonly path: string;
      readonly path_base64?: string;
      readonly kind: 'added' | 'changed' | 'deleted';
      readonly bytes: number;
    }
  /** `verify`: what is not as it was deployed; `path` of what is no file is `current`, `unit:NAME` or `site`. */
  | {
      readonly event: 'drift';
      readonly server: string;
      readonly path: string;
      readonly path_base64?: string;
      readonly kind: 'changed' | 'added' | 'deleted' | 'mode';
    }
  /** A dry run that was asked for its plan: what `deploy --plan` takes. */
  | ({ readonly event: 'plan' } & DeployPlan)
  | {
      readonly event: 'warning';
      readonly code: string;
      readonly message: string;
      readonly server: string | null;
      /** What it is about, for whoever handles it. */
      readonly data?: WarningData;
    }
  | {
      readonly event: 'prompt';
      readonly id: string;
      readonly kind: string;
      readonly server: string | null;
      readonly message: string;
    }
  | RunFinished;

/** Why a run failed. `message` is all of it, the rest its parts: `--json` prints all but `data`. */
export interface RunError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly changed: boolean;
  /** What is wrong, and where. */
  readonly summary?: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** What a command printed about it. */
  readonly output?: string;
  readonly data?: ErrorData;
}

export interface RunFinished {
  readonly event: 'run-finished';
  readonly ok: boolean;
  readonly dry_run: boolean;
  readonly release: string | null;
  readonly commit: string | null;
  readonly servers: readonly ServerOutcome[];
  readonly error: RunError | null;
}

export type Emit = (event: RunEvent) => void;
