/** `prune`: removes the releases beyond those that are kept, by the rules of the cleanup after a deploy. */
import { assessServers } from '../server/preflight.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { confirmProtected } from '../run/confirm.ts';
import type { Emit, RunFinished } from '../events.ts';
import { historyLine } from '../server/history.ts';
import { unlockScript } from '../server/lockScripts.ts';
import { assertNotLocked, lockServers } from '../server/lockServers.ts';
import type { Host } from '../ports.ts';
import { keptBeyond, removableReleases, type NeededRelease } from '../server/releases.ts';
import { removedWords, removeReleases } from '../run/removal.ts';
import { forEachServer } from '../run/parallel.ts';
import type { Run, ServerRun, StageRequest } from '../run/run.ts';
import type { StepContext } from '../run/step.ts';
import { runScript } from '../run/script.ts';

export interface PruneRequest extends StageRequest {
  /** How many finished releases stay, the live one counted; -1: all. */
  readonly keep: number;
  /** Entries of the servers to remove from; the others are only looked at, for what all share. Default: all. */
  readonly only?: readonly string[];
  readonly dryRun: boolean;
  readonly confirmed: boolean;
}

export interface Pruned {
  readonly finished: RunFinished;
  /** What was removed, or in a dry run would be, by server entry. */
  readonly removed: ReadonlyMap<string, readonly string[]>;
  /** What stays beyond those that were asked for, and why, by server entry. */
  readonly kept: ReadonlyMap<string, readonly NeededRelease[]>;
}

/** Prunes a stage. Never throws: how it ended is the last event, which is in the result too. */
export async function prune(
  request: PruneRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<Pruned> {
  const removed = new Map<string, readonly string[]>();
  const kept = new Map<string, readonly NeededRelease[]>();
  const options = { request, action: 'prune', dryRun: request.dryRun, host, emit, signal } as const;
  const finished = await runLifecycle(options, async (run) => {
    await connectServers(run);
    assessServers(run);
    const plan = planOf(run, request);
    for (const { server, names, stays } of plan) {
      removed.set(server.address.entry, request.dryRun ? names : []);
      kept.set(server.address.entry, stays);
    }
    if (request.dryRun || plan.every(({ names }) => names.length === 0)) return explainPlan(run, plan);
    await assertNotLocked(run);
    await confirmProtected(run, request.confirmed);
    await lockServers(run, 0);
    // Under the lock: somebody may have deployed meanwhile.
    const certain = planOf(run, request);
    await forEachServer(run, async (context) => {
      const { server } = context;
      const { names, stays } = certain.find((one) => one.server === server) ?? { names: [], stays: [] };
      kept.set(server.address.entry, stays);
      removed.set(server.address.entry, await remove(context, names, stays));
    });
  });
  return { finished, removed, kept };
}

interface PruneOf {
  readonly server: ServerRun;
  readonly names: readonly string[];
  /** What stays beyond those that were asked for. */
  readonly stays: readonly NeededRelease[];
}

function planOf(run: Run, { keep, only }: PruneRequest): readonly PruneOf[] {
  const all = run.servers.map(({ facts }) => facts);
  return run.servers.map((server) =>
    only === undefined || only.includes(server.address.entry)
      ? {
          server,
          names: removableReleases(server.facts, all, keep),
          stays: keptBeyond(server.facts, all, keep),
        }
      : { server, names: [], stays: [] },
  );
}

/** @returns the names of those that are gone. */
async function remove(
  { run, server, signal }: StepContext,
  names: readonly string[],
  stays: readonly NeededRelease[],
): Promise<readonly string[]> {
  report(run, server, 'running', null);
  const { removed } = await removeReleases(run, server, names, { last: '', signal });
  const what = removed.length === 0 ? 'nothing' : removed.join(' ');
  await runScript(
    server,
    `${historyLine(run, server, { ok: true, note: `removed ${what}` })}\n${unlockScript(run.id)}`,
    {
      signal,
    },
  );
  server.ownLock = { state: 'none' };
  report(run, server, 'done', `${removedWords(names, removed)}${staysText(stays)}`);
  return removed;
}

function explainPlan(run: Run, plan: readonly PruneOf[]): void {
  for (const { server, names, stays } of plan)
    if (names.length === 0) report(run, server, 'already', `nothing to remove${staysText(stays)}`);
    else report(run, server, 'pending', `would remove ${names.join(', ')}${staysText(stays)}`);
}

/** Why more stays than was asked for. */
function staysText(stays: readonly NeededRelease[]): string {
  return stays.map(({ name, why }) => `; ${name} stays: ${why}`).join('');
}

function report(
  run: Run,
  server: ServerRun,
  state: 'already' | 'pending' | 'running' | 'done',
  reason: string | null,
): void {
  run.emit({ event: 'step', step: 'cleanup', server: server.address.entry, state, reason, ms: null });
}
