/** `update_code`: the tree of the commit in the new release, checked. What did not change comes from the live release on the server. */
import type { Plan } from '../../transfer/tree/plan.ts';
import { rememberManifest } from '../../transfer/tree/manifestCache.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import { updateCode as sendTree } from '../../transfer/stream/stream.ts';
import { DurantError } from '../../errors.ts';
import { planFor } from '../run/comparison.ts';
import { oncePerRun } from '../run/parallel.ts';
import type { BuiltRun, ServerRun, TreeRun } from '../run/run.ts';
import { firstOf, sendOrReceive } from './fanOut.ts';
import { assessCarrier, carrierOf, type Carry } from './fileTransport.ts';
import { takeDeferred } from '../run/script.ts';
import type { Step, StepContext } from '../run/step.ts';
import { resumable } from './release.ts';
import { isMarkedWithTransfer, markScript } from './markPrepared.ts';

export const updateCode: Step = {
  name: 'update_code',
  assess: assessCarrier,
  async look({ run, server: { plan }, server }) {
    if (resumable(run, server) !== undefined)
      return { achieved: true, reason: 'an interrupted run sent it: it is complete and checked' };
    const what = plan === undefined ? 'the commit has to be sent' : countsOf(plan);
    const from = firstOf(run, server);
    return {
      achieved: false,
      reason: from === undefined ? what : `${what}; from ${from}, or from a server that has it by then`,
    };
  },
  async achieve(context) {
    const { run, server, signal } = context;
    const found = await planFor(run, server, signal);
    await sendOrReceive(context, found.plan, (carry) => sendPlan(context, found, carry));
    await oncePerRun(run, 'remember-manifest', () => rememberManifest(run.host.cacheDir, run.tree.manifest));
  },
};

/** @param given what brings the files, where the stage's own way is not taken. */
async function sendPlan(
  context: StepContext<BuiltRun>,
  { plan, manifest }: Awaited<ReturnType<typeof planFor>>,
  given: Carry | undefined,
): Promise<void> {
  const { run, server, signal } = context;
  const entry = server.address.entry;
  const progress = (files: number, bytes: number): void =>
    run.emit({
      event: 'transfer',
      server: entry,
      files,
      bytes,
      total_files: plan.sendFiles,
      total_bytes: plan.sendBytes,
    });
  progress(0, 0);
  const live = manifest === undefined ? undefined : (server.facts.live ?? undefined);
  const carry =
    given ??
    (await carrierOf(context, {
      plan,
      basis: live === undefined ? undefined : { how: run.settings.unchanged, folder: `releases/${live}` },
      onProgress: progress,
    }));
  const result = await sendTree({
    connection: server.connection,
    projectDir: server.facts.project,
    run: run.id,
    release: run.release,
    commit: run.commit.id,
    live,
    liveManifest: manifest,
    tree: run.tree,
    plan,
    unchanged: run.settings.unchanged,
    facts: server.facts.transfer,
    signal,
    ...(carry === undefined ? {} : { carry }),
    timeoutMs: run.settings.command_timeout,
    onProgress: ({ files, bytes }) => progress(files, bytes),
    before: takeDeferred(server),
    after: isMarkedWithTransfer(run) ? markScript(run, server) : '',
  });
  progress(plan.sendFiles, plan.sendBytes);
  for (const path of result.drift)
    run.emit({
      event: 'warning',
      code: 'drift',
      message: `${displayPath(path).path} was changed on the server after it was deployed. The new release has the file of the commit.`,
      server: entry,
    });
}

/** @throws {DurantError} `disk-full` where the tree would not fit; with what is needed and what is free. */
export function assessSpace(run: TreeRun, server: ServerRun): void {
  const { freeBytes, freeInodes, transfer } = server.facts;
  const entries = run.strategy.stored(run, server);
  const needed = entries.reduce((sum, entry) => sum + Math.ceil(entry.size / 4096) * 4096, 0);
  // A warm copy is given up when the space is needed.
  const warmCopy = transfer.spare === undefined ? 0 : needed;
  const entry = server.address.entry;
  if (freeBytes !== undefined && needed > freeBytes + warmCopy)
    throw new DurantError(
      'disk-full',
      `${entry} has ${megabytes(freeBytes)} free where project_dir is, the release needs ${megabytes(needed)}.`,
      { remedy: 'Free some space, then deploy again.', server: entry },
    );
  // Some file systems count no inodes and say 0.
  if (freeInodes !== undefined && freeInodes > 0 && entries.length > freeInodes)
    throw new DurantError(
      'disk-full',
      `${entry} has ${freeInodes} inodes free where project_dir is, the release needs ${entries.length}.`,
      { remedy: 'Remove some files there, then deploy again.', server: entry },
    );
}

/** What a plan does, in words. */
export function countsOf({ added, changed, deleted, unchanged }: Plan): string {
  return `${added} to add, ${changed} to change, ${deleted} to delete, ${unchanged} unchanged`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
