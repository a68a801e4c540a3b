/** A deploy, from the values of durant.conf to a live release. Read it top to bottom: that is the order of the run. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DurantError, asDurantError, throwIfCancelled } from '../errors.ts';
import { createExcluder } from '../transfer/exclude.ts';
import { scanTree } from '../transfer/scan.ts';
import type { TrackedFile } from '../git/port.ts';
import { openClone } from './clone.ts';
import { conduct, reachServers } from './conduct.ts';
import { confirmProtected } from './confirm.ts';
import type { Emit, RunFinished } from './events.ts';
import { finishDeploy } from './finish.ts';
import type { Step } from './goals/goal.ts';
import { lock } from './goals/lock.ts';
import { prepare } from './goals/prepare.ts';
import { release, resumable } from './goals/release.ts';
import { seal, sealWithTransfer } from './goals/seal.ts';
import { switchBack, symlink } from './goals/symlink.ts';
import { assessSpace, emitChanges, planFor, updateCode } from './goals/updateCode.ts';
import { commandEnv, placeOf } from './hooks.ts';
import { giveBackLocks, isOurDeadLock, takeLocks } from './locks.ts';
import type { Host } from './ports.ts';
import { recipeDigest } from './recipe.ts';
import { newestFirst, releaseName, sharedFinished } from './release.ts';
import { onEach, type Run, type ServerRun, type StageRequest } from './run.ts';
import { flush, runScript, runUserCommand } from './script.ts';
import { lockedError } from './assess.ts';
import { achieveSteps, assessSteps, explainSteps, localStep } from './steps.ts';
import { assertBuilt } from './unbuilt.ts';
import { assertOthersLive } from './subset.ts';

export interface DeployRequest extends StageRequest {
  /** Branch, tag or commit instead of the stage's `branch`. */
  readonly ref: string | undefined;
  readonly dryRun: boolean;
  /** In a dry run: run `before_deploy` in a scratch work tree, and list exactly. */
  readonly build: boolean;
  /** Make a new release although this commit is live by the same recipe. */
  readonly again: boolean;
  /** Milliseconds to wait for someone else's lock. */
  readonly waitMs: number;
  /** Whether a protected stage has been confirmed already. */
  readonly confirmed: boolean;
}

/** What is built on every server, in parallel, before any is switched. */
const BUILD: readonly Step[] = [prepare, lock, release, updateCode];
/** What makes it live. A failure here switches every server back. */
const PUBLISH: readonly Step[] = [symlink];
const STEPS: readonly Step[] = [...BUILD, ...PUBLISH];

/** Deploys a stage. Never throws: how it ended is the last event, which is returned too. */
export function deploy(
  request: DeployRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  return conduct({ request, action: 'deploy', dryRun: request.dryRun, host, emit, signal }, async (run) => {
    await assess(run, request);
    if (!request.again && isLive(run)) return nothingToDo(run);
    if (request.dryRun) return explain(run, request);

    await buildHere(run);
    for (const server of run.servers) assessSpace(run, server);
    await confirmProtected(run, request.confirmed);
    await lockAll(run, request);
    await buildOnServers(run);
    await publish(run);
    run.phase = 'finishing';
    await finishDeploy(run);
  });
}

/** Everything that can be known to fail, before anything is changed anywhere. */
async function assess(run: Run, request: DeployRequest): Promise<void> {
  assertBuilt(run.settings);
  await together([fetchCode(run, request), reachServers(run)]);
  await onEach(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    assessSteps({ run, server, signal }, STEPS),
  );
  await assertOthersLive(run);
  run.recipe = recipeDigest(run.settings, run.request.stage, run.request.secrets, run.mask);
  nameRelease(run, request);
  if (request.waitMs > 0 || request.dryRun) return;
  for (const server of run.servers)
    if (server.facts.lock !== null && !isLive(run) && !(await isOurDeadLock(run, server.facts)))
      throw lockedError(server.address.entry, server.facts.lock, run.host.now());
}

async function fetchCode(run: Run, request: DeployRequest): Promise<void> {
  await localStep(run, 'fetch', async () => {
    run.clone = await openClone(run);
    run.commit = await run.clone.fetch(request.ref ?? run.settings.branch);
  });
}

/** Checks out, builds, and reads the tree that will be sent. */
async function buildHere(run: Run): Promise<void> {
  const { clone, commit, settings } = ready(run);
  await localStep(run, 'checkout', () => clone.checkout(commit, { submodules: settings.submodules }));
  const commands = buildCommands(run);
  if (commands.length > 0)
    await localStep(run, 'before_deploy', () => runBuild(run, commands, clone.directory));
  await readTree(run, clone.directory, await clone.trackedFiles());
}

function buildCommands(run: Run): readonly string[] {
  return [...run.settings.before_deploy, ...run.settings.build_command];
}

async function runBuild(run: Run, commands: readonly string[], directory: string): Promise<void> {
  for (const item of commands)
    await runUserCommand(run, run.local, {
      step: 'before_deploy',
      command: placeOf(item).command,
      directory,
      env: commandEnv(run, undefined),
      server: null,
      signal: run.signal,
    });
}

async function readTree(run: Run, directory: string, tracked: readonly TrackedFile[]): Promise<void> {
  const { clone, commit, settings } = ready(run);
  await mkdir(run.host.cacheDir, { recursive: true });
  run.tree = await scanTree({
    workTree: directory,
    subDirectory: settings.sub_directory,
    tracked,
    commitTimeMs: commit.date,
    exclude: createExcluder(settings.exclude),
    cacheFile: run.dryRun ? undefined : join(clone.directory, '.git', 'durant-hashes'),
    signal: run.signal,
  });
  for (const warning of run.tree.warnings) run.emit({ event: 'warning', ...warning, server: null });
}

async function lockAll(run: Run, request: DeployRequest): Promise<void> {
  await run.journal.begin({
    run: run.id,
    stage: run.request.stage,
    config: run.request.file,
    action: run.action,
    servers: run.request.servers.map((server) => server.entry),
    started: run.started.toISOString(),
  });
  run.phase = 'building';
  await takeLocks(run, request.waitMs);
  // Under the lock the servers may look different from before: someone may have deployed meanwhile.
  await onEach(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    assessSteps({ run, server, signal }, STEPS),
  );
  nameRelease(run, request);
  await agree(run);
}

async function buildOnServers(run: Run): Promise<void> {
  await onEach(run.servers, run.settings.parallel, run.signal, async (server, signal) => {
    const context = { run, server, signal };
    await achieveSteps(context, BUILD);
    if (resumable(run, server) === undefined && !sealWithTransfer(run))
      await runScript(run, server, seal(run, server), { signal });
    await flush(run, server, signal);
  });
}

async function publish(run: Run): Promise<void> {
  run.phase = 'publishing';
  throwIfCancelled(run.signal);
  await onEach(run.servers, run.servers.length, run.signal, (server, signal) =>
    achieveSteps({ run, server, signal }, PUBLISH),
  );
}

/** Whether every server of the run has this commit by this recipe live and finished. */
function isLive(run: Run): boolean {
  return run.servers.every(({ facts }) =>
    facts.records.some(
      (record) =>
        record.name === facts.live &&
        record.state === 'finished' &&
        record.commit === run.commit?.id &&
        record.recipe === run.recipe,
    ),
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
  if (run.dryRun) return;
  const dead: ServerRun[] = [];
  for (const server of run.servers) if (await isOurDeadLock(run, server.facts)) dead.push(server);
  if (dead.length === 0) return;
  run.phase = 'building';
  await takeLocks(run, 0);
  await giveBackLocks(run);
}

/** The release that an interrupted run prepared for the same commit and recipe, else a new name that is free on every server. */
function nameRelease(run: Run, request: DeployRequest): void {
  const { commit } = ready(run);
  const interrupted = newestFirst(
    run.servers.flatMap(({ facts }) =>
      facts.records.filter(
        (record) =>
          record.state === 'prepared' && record.commit === commit.id && record.recipe === run.recipe,
      ),
    ),
  )[0];
  if (interrupted !== undefined && !request.again) {
    run.release = interrupted.name;
    return;
  }
  const taken = new Set(
    run.servers.flatMap(({ facts }) => [
      ...facts.folders,
      ...facts.records.map((record) => record.name),
      ...facts.orphanRecords.map((record) => record.name),
    ]),
  );
  run.release = releaseName(
    {
      template: run.settings.release_name,
      date: run.started,
      commit: commit.id,
      branch: commit.branch,
      version: run.settings.version ?? '',
    },
    taken,
  );
}

/** Where a dead run switched only some servers, to a release that is not this run's: those go back first. */
async function agree(run: Run): Promise<void> {
  const halfLive = run.servers.filter(({ facts }) => {
    const live = facts.records.find((record) => record.name === facts.live);
    return live !== undefined && live.state === 'prepared' && live.name !== run.release;
  });
  if (halfLive.length === 0 || new Set(run.servers.map(({ facts }) => facts.live)).size === 1) return;
  const before = sharedFinished(run.servers.map(({ facts }) => facts))[0];
  if (before === undefined) return;
  for (const server of halfLive) {
    run.emit({
      event: 'warning',
      code: 'switched-back',
      message: `An interrupted run had switched ${server.address.entry} alone; it goes back to ${before.name} first.`,
      server: server.address.entry,
    });
    server.previous = before.name;
    await switchBack(run, server, run.signal);
    server.previous = undefined;
  }
}

/** The dry run: every step with its state and reason, every file, every command; nothing is changed. */
async function explain(run: Run, request: DeployRequest): Promise<void> {
  const { clone, commit, settings } = ready(run);
  const commands = buildCommands(run);
  const scratch = await clone.scratch(commit, { submodules: settings.submodules });
  try {
    run.emit({
      event: 'step',
      step: 'before_deploy',
      server: null,
      state: commands.length === 0 ? 'skipped' : 'pending',
      reason: null,
      ms: null,
    });
    if (request.build) await runBuild(run, commands, scratch.directory);
    else
      for (const command of commands)
        run.emit({ event: 'command', server: null, step: 'before_deploy', command });
    if (commands.length > 0 && !request.build)
      run.emit({
        event: 'warning',
        code: 'build-output-not-listed',
        message:
          'The files below are those of the commit: what before_deploy makes is not in the list. Add --build to run it in a scratch folder and list exactly.',
        server: null,
      });
    await readTree(run, scratch.directory, scratch.files);
    await onEach(run.servers, settings.parallel, run.signal, async (server, signal) => {
      const { plan } = await planFor(run, server, signal);
      assessSpace(run, server);
      if (server.facts.lock !== null && !(await isOurDeadLock(run, server.facts)))
        run.emit({
          event: 'warning',
          code: 'locked',
          message: lockedError(server.address.entry, server.facts.lock, run.host.now()).message,
          server: server.address.entry,
        });
      await explainSteps({ run, server, signal }, STEPS);
      emitChanges(run, server, plan);
    });
  } finally {
    await scratch.remove();
  }
}

function ready(run: Run): {
  readonly clone: NonNullable<Run['clone']>;
  readonly commit: NonNullable<Run['commit']>;
  readonly settings: Run['settings'];
} {
  const { clone, commit, settings } = run;
  if (clone === undefined || commit === undefined)
    throw new DurantError('internal', 'The commit was asked for before it was fetched.');
  return { clone, commit, settings };
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
