/** A goal in its place in a run. */
import type { Look } from '../run/step.ts';

/** A goal of a run, ready to be worked on. */
export interface Entry {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  assess(): Promise<void>;
  /** Whether nothing is left to do, and why. Changes nothing. */
  look(): Promise<Look>;
  achieve(): Promise<void>;
  /** Known once it has been assessed. */
  effectful(): boolean;
  /** The commands that `achieve` would run. */
  commands(): readonly string[];
}
