/**
 * The steps of strategy `inplace`, in place of a release's: `release` records it, `upload` brings what differs into `.durant` on every server,
 * `update_code` then puts it straight into project_dir, file by file.
 */
import { DurantError } from '../../../errors.ts';
import { quote } from '../../../remote/shell.ts';
import { compareInplace, emptyComparison } from '../../../transfer/inplace/compareFolder.ts';
import { planInplace, type InplacePlan } from '../../../transfer/inplace/inplacePlan.ts';
import { placeInplace, stageInplace } from '../../../transfer/inplace/placeFiles.ts';
import { displayPath } from '../../../transfer/tree/manifest.ts';
import type { Change, Plan } from '../../../transfer/tree/plan.ts';
import { assessCarrier, carrierOf } from '../fileTransport.ts';
import { emitChanges } from '../../run/changeEvents.ts';
import { removeQuietly } from '../../run/removal.ts';
import { treeOf, type Run, type ServerRun } from '../../run/run.ts';
import { defer, takeDeferred } from '../../run/script.ts';
import type { Step } from '../../run/step.ts';
import { assessSpace } from '../updateCode.ts';
import { recordOf, writeRecord } from '../release.ts';

/** `release`: the record of what is about to be put into project_dir. */
export const inplaceRelease: Step = {
  name: 'release',
  async achieved() {
    return false;
  },
  async reason({ run }) {
    return `the record of ${run.release ?? ''} is not there yet`;
  },
  async achieve({ run, server }) {
    server.begun = true;
    const { records, live } = server.facts;
    const dead = records.filter(
      ({ name, state }) =>
        name !== live && (state === 'preparing' || state === 'prepared' || state === 'failed'),
    );
    defer(
      server,
      [
        'rm -rf .durant/incoming.* 2>/dev/null || :',
        removeQuietly(
          run.settings,
          dead.map(({ name }) => name),
        ),
        writeRecord(recordOf(run, server, 'preparing')),
      ].join('\n'),
    );
  },
};

/** `upload`: what differs from the files that stand in project_dir, brought to the server and checked, out of sight. */
export const upload: Step = {
  name: 'upload',
  assess: assessCarrier,
  async achieved({ run, server }) {
    // Under the lock it is compared again: only a dry run knows what it knows.
    return run.dryRun && server.plan?.changes.length === 0;
  },
  async reason({ server }) {
    const { plan } = server;
    if (plan === undefined) return 'project_dir has to be compared with the commit';
    return plan.changes.length === 0
      ? 'project_dir has all files of the commit'
      : `${plan.sendFiles} files to send`;
  },
  async achieve(context) {
    const { run, server, signal } = context;
    const plan = await planInplaceFor(run, server, signal);
    assertPlaceable(run, server, plan);
    assessSpace(run, server);
    const progress = (files: number, bytes: number): void =>
      run.emit({
        event: 'transfer',
        server: server.address.entry,
        files,
        bytes,
        total_files: plan.sendFiles,
        total_bytes: plan.sendBytes,
      });
    progress(0, 0);
    const carry = carrierOf(context, {
      plan,
      basis: plan.isFirst ? undefined : { how: 'copy', folder: '.' },
      onProgress: progress,
    });
    await stageInplace({
      connection: server.connection,
      projectDir: server.facts.project,
      run: run.id,
      tree: treeOf(run),
      plan,
      facts: server.facts.transfer,
      before: takeDeferred(server),
      ...(carry === undefined ? {} : { carry }),
      signal,
      timeoutMs: run.settings.command_timeout,
      onProgress: ({ files, bytes }) => progress(files, bytes),
    });
    progress(plan.sendFiles, plan.sendBytes);
  },
};

/** `update_code`: each file moved to its place by one rename. From its first moment on the record says what is there. */
export const place: Step = {
  name: 'update_code',
  async achieved({ run, server }) {
    return run.dryRun && server.plan?.changes.length === 0;
  },
  async reason({ server }) {
    const { plan } = server;
    return plan === undefined
      ? 'the files of the commit have to be put in place'
      : `${plan.added} to add, ${plan.changed} to change, ${plan.deleted} to delete, ${plan.unchanged} unchanged`;
  },
  async achieve({ run, server, signal }) {
    const { plan } = server;
    if (!isInplace(plan)) throw new DurantError('internal', 'Nothing was uploaded yet.');
    const name = run.release ?? '';
    const before = server.previous;
    if (server.previous === undefined) server.previous = server.facts.live;
    const begin = [
      ...(run.action === 'rollback' ? [markedAs(run, server, 'bad')] : []),
      `printf '%s\\n' ${quote(name)} > .durant/live.new && mv -f .durant/live.new .durant/live`,
    ];
    const placing = await placeInplace({
      connection: server.connection,
      projectDir: server.facts.project,
      run: run.id,
      release: name,
      tree: treeOf(run),
      plan,
      facts: server.facts.transfer,
      before: begin.join('\n'),
      signal,
    });
    if (placing.kind === 'not-begun') server.previous = before;
    if (placing.kind !== 'placed') throw placing.error;
    server.facts = { ...server.facts, live: name };
  },
};

/** `symlink`: there is none; only its hooks run. */
export const noSwitch: Step = {
  name: 'symlink',
  async achieved() {
    return false;
  },
  async reason() {
    return 'strategy inplace switches nothing: the files are live as they are put';
  },
  async achieve() {},
};

/**
 * Compares before anything is changed, and says what will be. Under the lock it is compared again.
 * @throws {DurantError} `path-not-writable`, `disk-full`.
 */
export async function assessInplace(run: Run, server: ServerRun, signal: AbortSignal): Promise<void> {
  const plan = await planInplaceFor(run, server, signal);
  warnOfPlan(run, server, plan);
  assertPlaceable(run, server, plan);
  assessSpace(run, server);
  // rsync tells of them itself.
  if (run.settings.transfer !== 'rsync') emitChanges(run, server, plan);
}

/** What the whole dry run and the run itself say first: there is no switch, and what a first contact means. */
export function sayInplace(run: Run): void {
  run.emit({
    event: 'warning',
    code: 'no-atomic-switch',
    message:
      'strategy: inplace puts the files straight into project_dir, one after the other: visitors may see old and new files together while it lasts, and a failure half way leaves them so until the next run.',
    server: null,
  });
}

/** Compares the tree with project_dir, and keeps the plan for events and the dry run. */
export async function planInplaceFor(run: Run, server: ServerRun, signal: AbortSignal): Promise<InplacePlan> {
  const { facts } = server;
  const tree = treeOf(run);
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
      `${name(linked)} in project_dir on ${entry} is a link out of ${run.settings.project_dir}, and the commit has files in that folder: Durant does not write through it. Add ${name(linked)} to exclude, or replace the link there.`,
      { server: entry },
    );
  const [occupied] = plan.occupied;
  if (occupied !== undefined)
    throw new DurantError(
      'path-not-writable',
      `The commit has a file ${name(occupied)}, and on ${entry} a folder of that name holds files that Durant did not put there. Move them away, then deploy again.`,
      { server: entry },
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

/** Writes the record of the release that a rollback goes to; until all is done it is not one that counts. */
function markedAs(run: Run, server: ServerRun, state: 'bad' | 'finished'): string {
  const record = server.facts.records.find(({ name }) => name === run.release);
  return record === undefined ? ':' : writeRecord({ ...record, state });
}

function isInplace(plan: Plan | undefined): plan is InplacePlan {
  return plan !== undefined && 'kind' in plan && plan.kind === 'inplace';
}
