/**
 * What `strategy` decides, as one object: nothing else in the engine asks which it is. `releases` builds a folder and switches a link to
 * it; `inplace` puts the files straight into project_dir.
 */
import type { HookStep } from '../../../config/options/hookOptions.ts';
import type { OptionKey } from '../../../config/options/options.ts';
import type { DurantError } from '../../../errors.ts';
import type { TouchedRequest } from '../../../transfer/stream/modified.ts';
import type { Plan } from '../../../transfer/tree/plan.ts';
import type { ScanRequest, TreeEntry } from '../../../transfer/tree/scan.ts';
import type { BuiltRun, NamedRun, Run, ServerRun, TreeRun } from '../../run/run.ts';
import type { Step, StepContext } from '../../run/step.ts';
import type { Layout } from '../../server/layout.ts';

/** Options whose items may change the files of a release that is complete already. */
export type LateChange = Extract<
  OptionKey,
  `${'before' | 'after'}_${HookStep}` | 'vendors' | 'release_command' | 'writable_dirs' | 'clear_paths'
>;

export interface Strategy {
  readonly layout: Layout;
  /** What is done on each server between `lock` and the point of no return, in order: assessed, and listed by a dry run. */
  readonly steps: readonly Step[];
  /** What differs when the tree is read. */
  readonly scan: Pick<ScanRequest, 'reserved'>;

  /** Compares the tree with what is on a server, for the dry run; says what it finds out. */
  plan(context: StepContext<TreeRun>): Promise<Plan>;
  /** Throws where the tree finds no place on a server. */
  assertRoom(context: StepContext<TreeRun>): Promise<void>;
  /** What of the tree takes space on a server. */
  stored(run: TreeRun, server: ServerRun): readonly TreeEntry[];
  /** Says what the strategy means for the visitors of the site; nothing where it means nothing. */
  announce(run: Run): void;
  /** Says what will be done to each server, before the confirmation. Changes nothing. */
  preview(run: BuiltRun): Promise<void>;

  /** Builds the release on every server. */
  build(run: BuiltRun): Promise<void>;
  /** Makes it live on every server. What fails from here on is undone. */
  publish(run: BuiltRun): Promise<void>;
  /** What may still change the files of a release that is recorded as complete. */
  readonly lateChanges: readonly LateChange[];
  /** sh text, in project_dir: notes which files that changed. */
  noteChanges(request: TouchedRequest): string;
  /** sh text, in project_dir: has the server prepare for the next deploy, when this one has ended. */
  warmCopy(run: NamedRun, server: ServerRun): string;

  /** Puts everything back that can be. @returns whether anything was changed on a server and not put back. */
  undo(run: Run, error: DurantError): Promise<boolean>;
  /** What undoing has done after a health check that failed, in words. */
  afterFailedCheck(run: Run): Aftermath;

  /** Assesses what a rollback needs; nothing is changed. */
  assessRollback(run: NamedRun): Promise<AssessedRollback>;
}

/** What became of a release whose check failed, and what to do, where that is more than the check says. */
export interface Aftermath {
  readonly outcome: string;
  readonly remedy?: string;
  readonly command?: string;
}

export interface AssessedRollback {
  /** Says what it does on each server, for the dry run. */
  explain(): Promise<void>;
  /** Brings here what it needs, and says what will be done. @returns what puts the release back on every server. */
  prepare(): Promise<() => Promise<void>>;
}
