/** Strategy `inplace`: what would become of the files that stand in project_dir, and what of that somebody has to know first. */
import { DurantError } from '../../../errors.ts';
import { compareInplace, emptyComparison } from '../../../transfer/inplace/compareFolder.ts';
import { planInplace, type InplacePlan } from '../../../transfer/inplace/inplacePlan.ts';
import { displayPath } from '../../../transfer/tree/manifest.ts';
import type { Change } from '../../../transfer/tree/plan.ts';
import type { Run, ServerRun, TreeRun } from '../../run/run.ts';

/** Compares the tree with project_dir, and keeps the plan for events and the dry run. */
export async function planInplaceFor(
  run: TreeRun,
  server: ServerRun,
  signal: AbortSignal,
): Promise<InplacePlan> {
  const { facts } = server;
  const { tree } = run;
  const comparison = facts.exists
    ? await compareInplace({
        connection: server.connection,
        projectDir: facts.project,
        manifest: tree.manifest,
        hashTool: facts.transfer.hashTool ?? 'sha256sum',
        signal,
        timeoutMs: run.settings.command_timeout,
      })
    : emptyComparison(tree.manifest);
  const plan = planInplace({
    tree,
    comparison,
    deletes: run.settings.delete ? 'own files' : 'nothing',
    newerFiles: run.settings.overwrite_newer ? 'overwrite' : 'keep',
  });
  server.plan = plan;
  return plan;
}

/** @throws {DurantError} `path-not-writable` where something stands in the way that is not Durant's to move. */
export function assertPlaceable(run: Run, server: ServerRun, plan: InplacePlan): void {
  const entry = server.address.entry;
  const name = (path: string): string => displayPath(path).path;
  const [linked] = plan.linkedOutside;
  if (linked !== undefined)
    throw new DurantError(
      'path-not-writable',
      `${name(linked)} in project_dir on ${entry} is a link out of ${run.settings.project_dir}, and the commit has files in that folder: Durant does not write through it.`,
      { remedy: `Add ${name(linked)} to exclude, or replace the link there.`, server: entry },
    );
  const [occupied] = plan.occupied;
  if (occupied !== undefined)
    throw new DurantError(
      'path-not-writable',
      `The commit has a file ${name(occupied)}, and on ${entry} a folder of that name holds files that Durant did not put there.`,
      { remedy: 'Move them away, then deploy again.', server: entry },
    );
}

/** What becomes of a file that somebody has changed on the server. */
const DRIFT = {
  changed: 'is replaced by the file of the commit',
  deleted: 'is deleted, as the commit has no such file',
  added: 'is put back as the commit has it',
} as const satisfies Readonly<Record<Change['kind'], string>>;

/** Says what a first contact does to files that are there, which of them others have changed, and which newer ones stay. */
export function warnOfPlan(run: Run, server: ServerRun, plan: InplacePlan): void {
  const warn = (code: string, message: string): void =>
    run.emit({ event: 'warning', code, message, server: server.address.entry });
  if (plan.isFirst && server.facts.foreign !== undefined)
    warn(
      'first-contact',
      `Durant has not deployed to ${run.settings.project_dir} yet, and it holds files: ${plan.changed} of them would be replaced, ${plan.added} added, ${plan.unchanged} are as in the commit; all others stay as they are.`,
    );
  for (const { path, kind } of plan.drifted)
    warn(
      'drift',
      `${displayPath(path).path} was ${kind === 'added' ? 'removed' : 'changed'} on the server after it was deployed. It ${DRIFT[kind]}.`,
    );
  for (const path of plan.newer)
    warn(
      'newer-on-server',
      `${displayPath(path).path} is newer on the server and stays (overwrite_newer: no).`,
    );
}
