/** What a dry run found and a person may confirm: the only thing that an agent can deploy or roll back by. */
import { createHash } from 'node:crypto';
import type { DeployPlan } from '../engine/index.ts';

export interface ReviewedPlan {
  /** sha256 in hex of all that decides what the run would do. */
  readonly digest: string;
  readonly action: 'deploy' | 'rollback';
  /** Path of durant.conf. */
  readonly file: string;
  readonly stage: string;
  /** What the commit was found by; undefined: the stage's branch. */
  readonly ref: string | undefined;
  readonly commit: string | null;
  /** The release that it makes, or goes back to. */
  readonly release: string;
  /** What is live on each server, null for nothing. */
  readonly servers: readonly { readonly server: string; readonly live: string | null }[];
  readonly files: { readonly added: number; readonly changed: number; readonly deleted: number };
  /** What else people want to know before they say yes: commits that a rollback undoes, warnings. */
  readonly notes: readonly string[];
  /** What the engine deploys by; undefined for a rollback. */
  readonly saved: DeployPlan | undefined;
}

/** The plan with its digest. Names that a deploy draws anew, and the time, are no part of that. */
export function reviewedPlan(plan: Omit<ReviewedPlan, 'digest'>): ReviewedPlan {
  const { action, file, stage, ref, commit, release, servers, saved } = plan;
  const decisive =
    saved === undefined
      ? { action, file, stage, commit, release, servers }
      : { action, file, stage, ref, commit, tree: saved.tree, recipe: saved.recipe, servers: saved.servers };
  return { ...plan, digest: createHash('sha256').update(JSON.stringify(decisive)).digest('hex') };
}
