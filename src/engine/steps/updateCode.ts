/** `update_code`: the tree of the commit in the new release, checked. What did not change comes from the live release on the server. */
import type { Plan } from '../../transfer/tree/plan.ts';
import { rememberManifest } from '../../transfer/tree/manifestCache.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import { updateCode as sendTree } from '../../transfer/stream/stream.ts';
import { DurantError } from '../../errors.ts';
import type { ServerRun, TreeRun } from '../run/run.ts';
import { assessCarrier, carrierOf } from './fileTransport.ts';
import { planFor } from '../run/comparison.ts';
import { oncePerRun } from '../run/parallel.ts';
import { takeDeferred } from '../run/script.ts';
import type { Step } from '../run/step.ts';
import { resumable } from './release.ts';
import { isMarkedWithTransfer, markScript } from './markPrepared.ts';

export const updateCode: Step = {
  name: 'update_code',
  assess: assessCarrier,
  async look({ run, server: { plan }, server }) {
    if (resumable(run, server) !== undefined)
      return { achieved: true, reason: 'an interrupted run sent it: it is complete and checked' };
    return { achieved: false, reason: plan === undefined ? 'the commit has to be sent' : countsOf(plan) };
  },
  async achieve({ run, server, signal }) {
    const { plan, manifest } = await planFor(run, server, signal);
    const entry = server.address.entry;
    const { tree } = run;
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
    const carry = await carrierOf(
      { run, server, signal },
      {
        plan,
        basis: live === undefined ? undefined : { how: run.settings.unchanged, folder: `releases/${live}` },
        onProgress: progress,
      },
    );
    const result = await sendTree({
      connection: server.connection,
      projectDir: server.facts.project,
      run: run.id,
      release: run.release,
      commit: run.commit.id,
      live,
      liveManifest: manifest,
      tree,
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
    await oncePerRun(run, 'remember-manifest', () => rememberManifest(run.host.cacheDir, tree.manifest));
  },
};

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
