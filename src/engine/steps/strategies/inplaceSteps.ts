/**
 * The steps of strategy `inplace`, in place of a release's: `release` records it, `upload` brings what differs into `.durant` on every server,
 * `update_code` then puts it straight into project_dir, file by file.
 */
import { bug } from '../../../errors.ts';
import { quote } from '../../../remote/shell.ts';
import type { InplacePlan } from '../../../transfer/inplace/inplacePlan.ts';
import { placeInplace, stageInplace } from '../../../transfer/inplace/placeFiles.ts';
import type { Plan } from '../../../transfer/tree/plan.ts';
import { assessCarrier, carrierOf } from '../fileTransport.ts';
import { removeQuietly } from '../../run/removal.ts';
import type { NamedRun, Run, ServerRun } from '../../run/run.ts';
import { defer, takeDeferred } from '../../run/script.ts';
import type { Step } from '../../run/step.ts';
import { assessSpace, countsOf } from '../updateCode.ts';
import { recordOf, writeRecord } from '../release.ts';
import { assertPlaceable, planInplaceFor } from './inplacePlans.ts';

/** `release`: the record of what is about to be put into project_dir. */
export const inplaceRelease: Step<NamedRun> = {
  name: 'release',
  async look({ run }) {
    return { achieved: false, reason: `the record of ${run.release} is not there yet` };
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
  async look({ run, server: { plan } }) {
    if (plan === undefined)
      return { achieved: false, reason: 'project_dir has to be compared with the commit' };
    return {
      achieved: isInPlace(run, plan),
      reason:
        plan.changes.length === 0
          ? 'project_dir has all files of the commit'
          : `${plan.sendFiles} files to send`,
    };
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
    const carry = await carrierOf(context, {
      plan,
      basis: plan.isFirst ? undefined : { how: 'copy', folder: '.' },
      onProgress: progress,
    });
    await stageInplace({
      connection: server.connection,
      projectDir: server.facts.project,
      run: run.id,
      tree: run.tree,
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
  async look({ run, server: { plan } }) {
    return plan === undefined
      ? { achieved: false, reason: 'the files of the commit have to be put in place' }
      : { achieved: isInPlace(run, plan), reason: countsOf(plan) };
  },
  async achieve({ run, server, signal }) {
    const { plan } = server;
    if (!isInplace(plan)) throw bug('Nothing was uploaded yet.');
    const name = run.release;
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
      tree: run.tree,
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
export const noSwitch: Step<NamedRun> = {
  name: 'symlink',
  async look() {
    return {
      achieved: false,
      reason: 'strategy inplace switches nothing: the files are live as they are put',
    };
  },
};

/** Writes the record of the release that a rollback goes to; until all is done it is not one that counts. */
function markedAs(run: NamedRun, server: ServerRun, state: 'bad' | 'finished'): string {
  const record = server.facts.records.find(({ name }) => name === run.release);
  return record === undefined ? ':' : writeRecord({ ...record, state });
}

/** Under the lock it is compared again: only a dry run knows what it knows. */
function isInPlace(run: Run, plan: Plan): boolean {
  return run.dryRun && plan.changes.length === 0;
}

function isInplace(plan: Plan | undefined): plan is InplacePlan {
  return plan !== undefined && 'kind' in plan && plan.kind === 'inplace';
}
