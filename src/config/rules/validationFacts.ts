/** What validation may be told of the world outside of the text. Every fact is optional: what is not known is not judged. */
import type { Stage } from '../values/stage.ts';

export interface Facts {
  /** The file of `ssh_identity` (as written; `~` and `$VAR` are the callee's to expand): permission bits where the system has them. */
  readonly identity?: (
    path: string,
    stage: Stage,
  ) => { readonly exists: boolean; readonly mode?: number | undefined } | undefined;
  /** Whether the folder that `repository` names is one of git's; undefined where it is not a folder of this machine. */
  readonly isRepository?: (stage: Stage) => boolean | undefined;
  /** The server of the sample, where somebody asks whether a run could begin. */
  readonly sampleServer?: string;
  /** Branches and tags of the stage's local clone, by short name. */
  readonly refs?: (stage: Stage) => readonly string[] | undefined;
  /** Paths tracked at the stage's branch, `/` separated. */
  readonly trackedFiles?: (stage: Stage) => readonly string[] | undefined;
  /** Whether rsync patterns hide this path or one of its parents. */
  readonly excludes?: (patterns: readonly string[], path: string) => boolean;
}

/** The facts of one validation. */
export interface RuleFacts extends Facts {
  /** Whether an rsync pattern hides any of these paths; remembered, as many stages have one pattern. */
  readonly hidesAny?: (pattern: string, paths: readonly string[]) => boolean;
}

export function ruleFacts(facts: Facts): RuleFacts {
  const { excludes } = facts;
  if (excludes === undefined) return facts;
  const known = new Map<readonly string[], Map<string, boolean>>();
  return {
    ...facts,
    hidesAny: (pattern, paths) => {
      const answers = known.get(paths) ?? new Map<string, boolean>();
      known.set(paths, answers);
      const found = answers.get(pattern) ?? paths.some((path) => excludes([pattern], path));
      answers.set(pattern, found);
      return found;
    },
  };
}
