/** Strategy `inplace` as a flow: what a deploy does on the servers, what a rollback does, and what a failure leaves. */
import { DurantError } from '../../../errors.ts';
import { lockedError } from '../../server/preflight.ts';
import { assessTree, buildHere } from '../../source/build.ts';
import { openClone } from '../../source/openClone.ts';
import { confirmProtected } from '../../run/confirm.ts';
import { explain } from '../../operations/preview.ts';
import { clearPaths } from '../clearPaths.ts';
import { releaseCommand, vendors } from '../commands.ts';
import type { Step } from '../../run/step.ts';
import { healthCheck } from '../healthCheck.ts';
import { assessInplace, inplaceRelease, noSwitch, place, sayInplace, upload } from './inplaceSteps.ts';
import { lock } from '../lock.ts';
import { recordOf, writeRecord } from '../release.ts';
import { noteLateChanges } from '../modifiedPaths.ts';
import { writable } from '../writable.ts';
import { failureOf, historyLine } from '../../server/history.ts';
import { isOurDeadLock, lockServers } from '../../server/lockServers.ts';
import { removeQuietly } from '../../run/removal.ts';
import { settleAllServers, forEachServer, warnOf, type Run, type ServerRun } from '../../run/run.ts';
import { defer, flush } from '../../run/script.ts';
import { achieveSteps } from '../../run/runSteps.ts';

/** On every server before anything in project_dir changes on any. */
const UPLOAD: readonly Step[] = [inplaceRelease, upload];
const BUILD: readonly Step[] = [place, writable, vendors, clearPaths, releaseCommand];
export const INPLACE_PUBLISH: readonly Step[] = [noSwitch, healthCheck];
export const INPLACE_STEPS: readonly Step[] = [...UPLOAD, ...BUILD, ...INPLACE_PUBLISH];

/** Puts the tree into project_dir on every server, and does there what the stage asks for. */
export async function buildInplace(run: Run): Promise<void> {
  await onAllServers(run, UPLOAD);
  run.phase = 'publishing';
  await onAllServers(run, BUILD);
  await forEachServer(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    flush(server, signal),
  );
}

/** Says what the strategy means, and what it will do to each server; nothing is changed yet. */
export async function announceInplace(run: Run): Promise<void> {
  sayInplace(run);
  await forEachServer(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    assessInplace(run, server, signal),
  );
}

/** How a rollback is asked for, as far as it matters here. */
export interface InplaceRollback {
  readonly dryRun: boolean;
  readonly waitMs: number;
  readonly confirmed: boolean;
}

/**
 * Builds the commit of the release that was chosen from the local clone, and puts its files back on every server.
 * @returns whether there is something to finish: false for a dry run.
 */
export async function rollBackInplace(run: Run, request: InplaceRollback): Promise<boolean> {
  const { commit } = run;
  if (commit === undefined || commit.id === '')
    throw new DurantError(
      'no-rollback-candidate',
      `The commit of ${run.release ?? ''} is not recorded. Deploy an older commit with --ref instead.`,
    );
  run.clone ??= await openClone(run);
  run.commit = { ...(await run.clone.fetch(commit.id)), branch: commit.branch };
  if (request.dryRun) {
    await explain(run, { build: false }, [lock, upload, place, healthCheck]);
    return false;
  }
  for (const server of run.servers)
    if (request.waitMs === 0 && server.facts.lock !== null && !(await isOurDeadLock(run, server.facts)))
      throw lockedError(server.address.entry, server.facts.lock, run.host.now());
  await buildHere(run);
  for (const server of run.servers) assessTree(run, server);
  await announceInplace(run);
  await confirmProtected(run, request.confirmed);
  await lockServers(run, request.waitMs);
  await onAllServers(run, [upload]);
  run.phase = 'publishing';
  await onAllServers(run, [place]);
  await onAllServers(run, [healthCheck]);
  for (const server of run.servers) {
    const record = server.facts.records.find(({ name }) => name === run.release);
    if (record !== undefined) defer(server, writeRecord({ ...record, state: 'finished' }));
  }
  return true;
}

/**
 * What a failed run leaves: where nothing was put in place, nothing; elsewhere the record says that it failed, and the next run completes
 * or replaces it.
 * @param reachable runs work for a server, over a new connection where the old one was lost.
 * @returns whether anything of project_dir was changed.
 */
export async function undoInplace(
  run: Run,
  error: DurantError,
  reachable: (run: Run, server: ServerRun, work: () => Promise<void>) => Promise<void>,
): Promise<boolean> {
  const signal = new AbortController().signal;
  const changed = run.servers.filter((server) => server.previous !== undefined);
  for (const server of changed) {
    server.state = 'failed';
    server.error ??= `${whatIsThere(run, server)} ${wayOut(run)}`;
  }
  warnOf(
    run,
    'undo-failed',
    await settleAllServers(
      run.servers.filter(({ hold }) => hold.state === 'held'),
      async (server) => {
        server.deferred = [];
        const scripts = [`rm -rf .durant/incoming.${run.id}`];
        if (run.action === 'deploy' && run.release !== undefined) {
          if (server.previous === undefined) scripts.push(removeQuietly(run.settings, [run.release]));
          else {
            scripts.push(writeRecord({ ...recordOf(run, server, 'failed'), finished: '' }));
            scripts.push(noteLateChanges(run, server));
          }
        }
        scripts.push(historyLine(run, server, failureOf(run, error)));
        defer(server, scripts.join('\n'));
        await reachable(run, server, () => flush(server, signal));
      },
    ),
  );
  return changed.length > 0;
}

/** A run that fails on one server ends what it does on the others. */
function whatIsThere(run: Run, server: ServerRun): string {
  const files = `files of ${run.commit?.id.slice(0, 7) ?? 'the commit'}`;
  return server.facts.live === run.release
    ? `The ${files} were put into project_dir, but the run failed.`
    : `The ${files} were being put into project_dir when the run failed: some of them may be there, the others are as they were.`;
}

function wayOut(run: Run): string {
  return run.action === 'rollback'
    ? `Complete it with: durant rollback ${run.request.stage} ${run.release ?? ''}`
    : 'Deploy again, or roll back.';
}

async function onAllServers(run: Run, steps: readonly Step[]): Promise<void> {
  await forEachServer(run.servers, run.settings.parallel, run.signal, (server, signal) =>
    achieveSteps({ run, server, signal }, steps),
  );
}
