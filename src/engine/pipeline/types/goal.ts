/** Released's contract of a goal: what the built-in types and the modules of a project implement (goal.d.ts). */

/** Something that can be known to be achieved, and be achieved. */
export interface Goal<Context> {
  /** NAME of `[goal NAME]`. */
  readonly name: string;
  /** Throws what would make it fail, before anything is changed anywhere. Changes nothing. */
  assess?(context: Context): Promise<void>;
  /** Whether nothing is left to do. Changes nothing. */
  achieved(context: Context): Promise<boolean>;
  /** Why it is, or is not, achieved. Changes nothing. */
  reason(context: Context): Promise<string>;
  achieve(context: Context): Promise<void>;
  /** False for a goal that leaves nothing to look at again, like a test suite. */
  readonly effectful?: boolean;
}
