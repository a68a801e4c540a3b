/** A deploy, from the values of durant.conf to a live release. */
import type { Emit, RunFinished } from '../events.ts';
import type { DeployFlow } from '../pipeline/deployFlow.ts';
import { runPipeline } from '../pipeline/runPipeline.ts';
import type { Host } from '../ports.ts';
import { alreadyLive } from '../run/alreadyLive.ts';
import { confirmProtected } from '../run/confirm.ts';
import { warnOfWatchers } from '../run/deadManSwitch.ts';
import { assertStillLive, confirmFinished, finishServers, withLockKept } from '../run/finish.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { warnOfTakenBack } from '../run/takenBack.ts';
import { both, lookAtEachServer } from '../run/parallel.ts';
import { lookAtLive, nameRelease, reconcile } from '../run/reconcile.ts';
import {
  assertFresh,
  assertSameLive,
  assertSameTree,
  emitPlan,
  fetchPlanned,
  type DeployPlan,
  type SavePlan,
} from '../run/plan.ts';
import type { BuiltRun, Run, StageRequest } from '../run/run.ts';
import { assessSudo } from '../steps/sudoAssessment.ts';
import { assessSteps } from '../run/runSteps.ts';
import type { Step } from '../run/step.ts';
import { assertOthersLive } from '../run/subset.ts';
import { resolveSecrets } from '../secrets/environment.ts';
import { assertNotLocked, giveBackLocks, lockServers } from '../server/lockServers.ts';
import { assessTree, buildHere } from '../source/build.ts';
import { fetchCommit } from '../source/fetchCommit.ts';
import { makeProvenance } from '../source/provenance.ts';
import { recipeOf } from '../source/recipe.ts';
import { warnOfUncommitted } from '../source/warnOfUncommitted.ts';
import { cleanup } from '../steps/cleanup.ts';
import { lock } from '../steps/lock.ts';
import { prepare } from '../steps/prepare.ts';
import { success } from '../steps/success.ts';
import { unlock } from '../steps/unlock.ts';
import { explain } from './preview.ts';

export interface DeployRequest extends StageRequest {
  /** Branch, tag or commit instead of the stage's `branch`. */
  readonly ref: string | undefined;
  /** Exactly this commit, by its full id; what it was found by, which the record names, stays `ref` or the stage's `branch`. */
  readonly commit?: string | undefined;
  readonly dryRun: boolean;
  /** In a dry run: run `before_deploy` in a scratch work tree, and list exactly. */
  readonly build: boolean;
  /** With `build`: an empty folder, 0700, for copies of what it made (builtCopies.ts); whoever names it removes it. */
  readonly keepBuilt?: string | undefined;
  /** In a dry run: the event `plan`, which needs to know the tree. `where-known`: none is no failure where the build has yet to make it. */
  readonly savePlan?: SavePlan | undefined;
  /** Deploy exactly this, or nothing; `commit` and `servers` have to be the plan's. */
  readonly plan?: DeployPlan | undefined;
  /** Make a new release although this commit is live by the same recipe. */
  readonly again: boolean;
  /** Milliseconds to wait for someone else's lock. */
  readonly waitMs: number;
  /** Whether a protected stage has been confirmed already. */
  readonly confirmed: boolean;
}

type LiveRequest = Pick<DeployRequest, 'again' | 'waitMs' | 'confirmed'> & {
  /** What has to be looked at again when nobody else can change the servers any more. */
  readonly underLock: () => Promise<void>;
};

/** Deploys a stage. Never throws: how it ended is the last event, which is returned too. */
export function deploy(
  request: DeployRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const options = { request, action: 'deploy', dryRun: request.dryRun, host, emit, signal } as const;
  return runLifecycle(options, (run) => {
    for (const { code, message } of request.warnings ?? [])
      run.emit({ event: 'warning', code, message, server: null });
    return runPipeline(run, request, deployFlow(run, request));
  });
}

/**
 * The deploy, top to bottom, in the order in which it happens. It pauses once, at `yield`: the other goals of the stage's pipeline are then
 * assessed, and those that come before the deploy are achieved.
 */
export async function* deployFlow(opened: Run, request: DeployRequest): DeployFlow {
  // Everything that can be known to fail, before anything is changed anywhere.
  await resolveSecrets(opened);
  const fetching = fetchCommit(opened, request);
  const [fetched] = await both(
    request.plan === undefined ? fetching : fetchPlanned(opened, fetching),
    connectServers(opened),
  );
  await warnOfUncommitted(fetched.clone, fetched.emit);
  await lookAtEachServer(fetched, async (context) => {
    await assessSteps(context, stepsOf(fetched));
    await assessSudo(context, 'certain');
  });
  await assertOthersLive(fetched);
  await warnOfWatchers(fetched);
  const named = nameRelease(fetched, await recipeOf(fetched), request);
  const live = lookAtLive(named);
  if (request.plan !== undefined) await assertFresh(named, request.plan);
  if (request.waitMs === 0 && !request.dryRun && !live.achieved) await assertNotLocked(named);
  yield request.again ? { achieved: false, reason: 'a new release was asked for' } : live;

  if (live.achieved && !request.again) {
    emitPlan(named, named.servers[0]?.facts.transfer.manifestDigest, request.savePlan);
    return alreadyLive(named);
  }
  warnOfTakenBack(named);
  if (request.dryRun) return explain(named, request, [...stepsOf(named), cleanup, unlock, success]);

  // On this machine: checkout, before_deploy.
  const run = await buildHere(named);
  if (request.plan !== undefined) assertSameTree(run, request.plan);
  await makeLive(run, {
    ...request,
    underLock: async () => {
      if (request.plan !== undefined) assertSameLive(run, request.plan);
    },
  });
}

/** What lies on this machine becomes live on every server, or on none. */
export async function makeLive(run: BuiltRun, request: LiveRequest): Promise<void> {
  const { strategy } = run;
  assessTree(run);
  strategy.announce(run);
  await strategy.preview(run);
  run.provenance = await makeProvenance(run);
  await confirmProtected(run, request.confirmed);

  // Under the lock the servers may look different: whoever held it may have deployed meanwhile.
  await lockServers(run, request.waitMs);
  await lookAtEachServer(run, (context) => assessSteps(context, stepsOf(run)));
  nameRelease(run, run.recipe, request);
  await reconcile(run);
  if (!request.again && lookAtLive(run).achieved) {
    await giveBackLocks(run);
    return alreadyLive(run);
  }
  await request.underLock();

  await strategy.build(run);
  // ‖ All servers have come this far. From here on a failure switches every server back.
  await strategy.publish(run);
  // ‖ All servers have come this far: it is live, and what fails from here on is a warning.
  await confirmFinished(run);
  await finishServers(run, [cleanup, unlock], 'cleanup-failed');
  assertStillLive(run);
  await finishServers(run, [success], 'after-deploy-failed', withLockKept(run));
}

/** The steps of a deploy on each server, up to the point of no return. */
export function stepsOf({ strategy }: Run): readonly Step[] {
  return [prepare, lock, ...strategy.steps];
}
