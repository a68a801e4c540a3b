/** What an agent's call asks the engine for, and what comes of it: data that also travels to the editor's engine process. */
import type { RunFinished } from '../engine/events.ts';
import type { Failure } from './failure.ts';
import type { ReviewedPlan } from './reviewed.ts';

export type AgentRequest = {
  /** Path of durant.conf, read anew for each call. */
  readonly file: string;
} & (
  | { readonly tool: 'durant_status'; readonly stage: string | undefined }
  | { readonly tool: 'durant_check'; readonly stage: string | undefined; readonly connect: boolean }
  | { readonly tool: 'durant_log'; readonly stage: string; readonly limit: number | undefined }
  | {
      readonly tool: 'durant_explain_failure';
      readonly stage: string;
      /** A failure that this session saw: no server is asked then. */
      readonly seen: Failure | undefined;
    }
  | DryRunRequest
  | ActRequest
);

export type DryRunRequest = {
  readonly tool: 'durant_dry_run';
  readonly file: string;
  readonly stage: string;
} & (
  | { readonly action: 'deploy'; readonly ref: string | undefined; readonly build: boolean }
  | { readonly action: 'rollback'; readonly release: string | undefined }
);

export interface ActRequest {
  readonly tool: 'durant_deploy' | 'durant_rollback';
  readonly file: string;
  readonly stage: string;
  readonly plan: ReviewedPlan;
  /** Whether a person has said yes to this very plan. */
  readonly confirmed?: boolean;
}

export interface AgentOutcome {
  /** What the model is told: JSON with the field names of `--json`. */
  readonly result: Readonly<Record<string, unknown>>;
  /** False where what was asked for failed. */
  readonly ok: boolean;
  /** What kept it from being begun. */
  readonly error?: Failure['error'] | undefined;
  /** The plan of a dry run that would do something. */
  readonly reviewed?: ReviewedPlan | undefined;
  /** How a deploy or rollback ended; undefined where none was begun. */
  readonly finished?: RunFinished | undefined;
  /** Why a run failed, a dry run too. */
  readonly failure?: Failure | undefined;
}
