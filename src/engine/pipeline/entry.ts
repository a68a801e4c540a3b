/** A goal in its place in a run. */

/** A goal of a run, ready to be worked on. */
export interface Entry {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  assess(): Promise<void>;
  achieved(): Promise<boolean>;
  reason(): Promise<string>;
  achieve(): Promise<void>;
  /** Known once it has been assessed. */
  effectful(): boolean;
  /** The commands that `achieve` would run. */
  commands(): readonly string[];
}
