/** A deploy, from the values of durant.conf to a live release. Read it top to bottom: that is the order of the run. */
import { asDurantError, throwIfCancelled } from '../../errors.ts';
import { assessTree, buildHere } from '../source/build.ts';
import { warnOfWatchers } from '../run/deadManSwitch.ts';
import { explain } from './preview.ts';
import { runPipeline, type DeployGoal } from '../pipeline/runPipeline.ts';
import { reconcile, isLive, liveReason, nameRelease } from '../run/reconcile.ts';
import { openClone } from '../source/openClone.ts';
import { runLifecycle, reachServers } from '../run/lifecycle.ts';
import { confirmProtected } from '../run/confirm.ts';
import type { Emit, RunFinished } from '../events.ts';
import { confirmDeploy, finishDeploy } from '../run/finish.ts';
import type { Step } from '../run/step.ts';
import { hookCommands } from '../run/hooks.ts';
import { clearPaths } from '../steps/clearPaths.ts';
import { releaseCommand, vendors } from '../steps/commands.ts';
import { copyDirs } from '../steps/copyDirs.ts';
import { envFile } from '../steps/envFile.ts';
import { healthCheck } from '../steps/healthCheck.ts';
import { install } from '../steps/install.ts';
import { FINISHING } from '../steps/finishing.ts';
import { lock } from '../steps/lock.ts';
import { prepare } from '../steps/prepare.ts';
import { release, resumable } from '../steps/release.ts';
import { seal, isMarkedWithTransfer } from '../steps/markPrepared.ts';
import { services } from '../steps/services.ts';
import { shared } from '../steps/shared.ts';
import { symlink } from '../steps/symlink.ts';
import { writable } from '../steps/writable.ts';
import { updateCode } from '../steps/updateCode.ts';
import {
  announceInplace,
  buildInplace,
  INPLACE_PUBLISH,
  INPLACE_STEPS,
} from '../steps/strategies/inplaceFlow.ts';
import {
  clearDeadLocks,
  giveBackLocks,
  isOurDeadLock,
  lockServers,
  reportLocks,
} from '../server/lockServers.ts';
import type { Host } from '../ports.ts';
import { recipeDigest } from '../source/recipe.ts';
import { forEachServer, oncePerRun, type Run, type ServerRun, type StageRequest } from '../run/run.ts';
import { flush, runScript } from '../run/script.ts';
import { lockedError } from '../server/preflight.ts';
import { resolveEnvironment } from '../secrets/environment.ts';
import { servicesRecipe } from '../app/projectTemplates.ts';
import { achieveSteps, assessSteps, localStep, runHookBefore } from '../run/runSteps.ts';
import { resolveVersion } from '../source/version.ts';
import { assertOthersLive } from '../run/subset.ts';

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
  /** Make a new release although this commit is live by the same recipe. */
  readonly again: boolean;
  /** Milliseconds to wait for someone else's lock. */
  readonly waitMs: number;
  /** Whether a protected stage has been confirmed already. */
  readonly confirmed: boolean;
}

/** What is built on every server, in parallel, before any is switched. */
const BUILD: readonly Step[] = [
  release,
  updateCode,
  envFile,
  shared,
  copyDirs,
  writable,
  install,
  vendors,
  clearPaths,
  releaseCommand,
];
/** What makes it live. A failure here switches every server back. */
const PUBLISH: readonly Step[] = [symlink, services, healthCheck];

/** The steps of a deploy on each server, up to the point of no return. */
export function stepsOf({ settings }: Run): readonly Step[] {
  return [prepare, lock, ...(settings.strategy === 'inplace' ? INPLACE_STEPS : [...BUILD, ...PUBLISH])];
}

/** Deploys a stage. Never throws: how it ended is the last event, which is returned too. */
export function deploy(
  request: DeployRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  return runLifecycle({ request, action: 'deploy', dryRun: request.dryRun, host, emit, signal }, (run) => {
    for (const { code, message } of request.warnings ?? [])
      run.emit({ event: 'warning', code, message, server: null });
    return runPipeline(run, deployGoal(request));
  });
}

/** The goal `deploy`; other goals of the stage's pipeline come before and after it. */
export function deployGoal(request: DeployRequest): DeployGoal {
  return {
    name: 'deploy',
    fetch: (run) => fetchCode(run, request),
    confirm: (run) => confirmProtected(run, request.confirmed),
    assess: (run) => assess(run, request),
    async achieved(run) {
      return !request.again && isLive(run);
    },
    async reason(run) {
      if (request.again) return 'a new release was asked for';
      return liveReason(run);
    },
    alreadyAchieved: nothingToDo,
    explain: (run) => explain(run, request, [...stepsOf(run), ...FINISHING]),
    achieve: (run) => makeLive(run, request),
  };
}

async function makeLive(run: Run, request: DeployRequest): Promise<void> {
  await buildHere(run);
  for (const server of run.servers) assessTree(run, server);
  if (run.settings.strategy === 'inplace') await announceInplace(run);
  await oncePerRun(run, 'confirm', () => confirmProtected(run, request.confirmed));
  await lockAll(run, request);
  if (!request.again && isLive(run)) {
    // Whoever held the lock deployed the same.
    await giveBackLocks(run);
    return nothingToDo(run);
  }
  await buildOnServers(run);
  await publish(run);
  await confirmDeploy(run);
  run.phase = 'finishing';
  await finishDeploy(run);
}

/** Everything that can be known to fail, before anything is changed anywhere. */
async function assess(run: Run, request: DeployRequest): Promise<void> {
  // Before anything is contacted: a secret or a tool that is missing ends the run here.
  if (run.settings.env_file !== undefined)
    await localStep(run, 'resolve', async () => {
      run.environment = await resolveEnvironment(run);
    });
  await together([...(run.commit === undefined ? [fetchCode(run, request)] : []), reachServers(run)]);
  await forEachServer(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    assessSteps({ run, server, signal }, stepsOf(run)),
  );
  await assertOthersLive(run);
  warnOfWatchers(run);
  run.recipe = recipeDigest(run.settings, run.request.stage, run.request.secrets, {
    environment: run.environment?.digest ?? null,
    version: run.version ?? null,
    services: await servicesRecipe(run.request, run.host.env),
  });
  nameRelease(run, request);
  if (request.waitMs > 0 || request.dryRun) return;
  for (const server of run.servers)
    if (server.facts.lock !== null && !isLive(run) && !(await isOurDeadLock(run, server.facts)))
      throw lockedError(server.address.entry, server.facts.lock, run.host.now());
}

async function fetchCode(run: Run, request: DeployRequest): Promise<void> {
  await localStep(run, 'fetch', async () => {
    run.clone = await openClone(run);
    const named = await run.clone.fetch(request.ref ?? run.settings.branch);
    run.commit =
      request.commit === undefined
        ? named
        : { ...(await run.clone.fetch(request.commit)), branch: named.branch };
    await resolveVersion(run);
  });
}

async function lockAll(run: Run, request: DeployRequest): Promise<void> {
  await lockServers(run, request.waitMs);
  // Under the lock the servers may look different from before: someone may have deployed meanwhile.
  await forEachServer(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    assessSteps({ run, server, signal }, stepsOf(run)),
  );
  nameRelease(run, request);
  await reconcile(run);
}

async function buildOnServers(run: Run): Promise<void> {
  if (run.settings.strategy === 'inplace') return buildInplace(run);
  const { parallel } = run.settings;
  const isHooked = hookCommands(run, 'before_symlink').length > 0;
  await forEachServer(run.servers, parallel, run.signal, async (server, signal) => {
    await achieveSteps({ run, server, signal }, BUILD);
    if (!isHooked) await complete(run, server, signal);
  });
  if (!isHooked) return;
  // The last that may change a release, so before it is sealed; and after all are built, as it belongs to the switch.
  await forEachServer(run.servers, parallel, run.signal, async (server, signal) => {
    await runHookBefore({ run, server, signal }, symlink);
    await complete(run, server, signal);
  });
}

async function complete(run: Run, server: ServerRun, signal: AbortSignal): Promise<void> {
  if (resumable(run, server) === undefined && !isMarkedWithTransfer(run))
    await runScript(server, seal(run, server), { signal });
  await flush(server, signal);
}

async function publish(run: Run): Promise<void> {
  run.phase = 'publishing';
  throwIfCancelled(run.signal);
  // Step by step on all servers: none is asked how it feels while another still shows the old release.
  for (const step of run.settings.strategy === 'inplace' ? INPLACE_PUBLISH : PUBLISH)
    await forEachServer(run.servers, run.servers.length, run.signal, (server, signal) =>
      achieveSteps({ run, server, signal }, [step]),
    );
}

async function nothingToDo(run: Run): Promise<void> {
  run.release = run.servers[0]?.facts.live ?? undefined;
  for (const server of run.servers) {
    server.state = 'unchanged';
    run.emit({
      event: 'step',
      step: 'symlink',
      server: server.address.entry,
      state: 'already',
      reason: `${server.facts.live ?? ''} is live: same commit, same recipe`,
      ms: null,
    });
  }
  if (run.dryRun) await reportLocks(run);
  else await clearDeadLocks(run);
}

/** Waits for all, then throws the first failure: what was opened is then known and can be closed. */
async function together(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [asDurantError(result.reason)] : [],
  );
  const [first] = failures.sort((a, b) => Number(a.code === 'cancelled') - Number(b.code === 'cancelled'));
  if (first !== undefined) throw first;
}
