/** What validation may be told of the world outside of the text. Every fact is optional: what is not known is not judged. */
import type { Stage } from '../values/stage.ts';

export interface Facts {
  /** The file of `ssh_identity` (as written; `~` and `$VAR` are the callee's to expand): permission bits where the system has them. */
  readonly identity?: (
    path: string,
    stage: Stage,
  ) => { readonly exists: boolean; readonly mode?: number | undefined } | undefined;
  /** Branches and tags of the stage's local clone, by short name. */
  readonly refs?: (stage: Stage) => readonly string[] | undefined;
  /** Paths tracked at the stage's branch, `/` separated. */
  readonly trackedFiles?: (stage: Stage) => readonly string[] | undefined;
  /** Whether rsync patterns hide this path or one of its parents. */
  readonly excludes?: (patterns: readonly string[], path: string) => boolean;
}
