/** A promotion: the very tree that is live in one stage becomes a release of another, with that one's environment, services and hooks. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurantError } from '../../errors.ts';
import type { Emit, RunFinished } from '../events.ts';
import type { Host } from '../ports.ts';
import { alreadyLive } from '../run/alreadyLive.ts';
import { warnOfWatchers } from '../run/deadManSwitch.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { both, lookAtEachServer } from '../run/parallel.ts';
import { lookAtLive, nameRelease } from '../run/reconcile.ts';
import { withFound, type Run, type StageRequest } from '../run/run.ts';
import { assessSudo } from '../steps/sudoAssessment.ts';
import { assessSteps } from '../run/runSteps.ts';
import { localStep } from '../run/timed.ts';
import { resolveSecrets } from '../secrets/environment.ts';
import { assertNotLocked } from '../server/lockServers.ts';
import { LAYOUTS } from '../server/layout.ts';
import {
  fetchMissing,
  fetchPromoted,
  openSource,
  promotedRecipe,
  promotedTree,
  type PromotedSource,
} from '../source/promoted.ts';
import { cleanup } from '../steps/cleanup.ts';
import { success } from '../steps/success.ts';
import { unlock } from '../steps/unlock.ts';
import { makeLive, stepsOf } from './deploy.ts';
import { explainTree } from './preview.ts';

/** The stage that it goes to, and: */
export interface PromoteRequest extends StageRequest {
  /** The stage whose live release is promoted. */
  readonly from: StageRequest;
  readonly dryRun: boolean;
  readonly confirmed: boolean;
}

/** Promotes a release. Never throws: how it ended is the last event, which is returned too. */
export function promote(
  request: PromoteRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const options = { request, action: 'promote', dryRun: request.dryRun, host, emit, signal } as const;
  return runLifecycle(options, async (opened) => {
    assertReleases(request.from);
    assertReleases(request);
    const source = await openSource(opened, request.from);
    const root = await realpath(await mkdtemp(join(tmpdir(), 'durant-promote-')));
    try {
      await promoteFrom(opened, request, source, root);
    } finally {
      source.connection.close();
      await rm(root, { recursive: true, force: true });
    }
  });
}

/** The promotion, top to bottom. `root`: an empty folder of this machine. */
async function promoteFrom(
  opened: Run,
  request: PromoteRequest,
  source: PromotedSource,
  root: string,
): Promise<void> {
  // Everything that can be known to fail, before anything is changed anywhere.
  await resolveSecrets(opened);
  const [fetched] = await both(fetchPromoted(opened, source), connectServers(opened));
  await lookAtEachServer(fetched, async (context) => {
    await assessSteps(context, stepsOf(fetched));
    await assessSudo(context, 'certain');
  });
  await warnOfWatchers(fetched);
  const named = nameRelease(fetched, await promotedRecipe(fetched, source), { again: false });
  named.promotedFrom = `${source.stage} ${source.record.name}`;
  if (lookAtLive(named).achieved) return alreadyLive(named);
  if (!request.dryRun) await assertNotLocked(named);

  const tree = await promotedTree(named, source, root);
  const run = withFound(named, { tree });
  if (request.dryRun) {
    await explainTree(run, [...stepsOf(run), cleanup, unlock, success]);
    return;
  }
  // Where `local!` commands run.
  const { clone, commit, settings } = run;
  await localStep(run, 'checkout', () => clone.checkout(commit, { submodules: settings.submodules }));
  await fetchMissing(run, source);
  await makeLive(run, {
    again: false,
    waitMs: 0,
    confirmed: request.confirmed,
    // Somebody may have made something else live there meanwhile.
    underLock: () => fetchMissing(run, source),
  });
}

function assertReleases({ stage, settings }: StageRequest): void {
  if (LAYOUTS[settings.strategy].hasReleases) return;
  throw new DurantError(
    'config-invalid',
    `[${stage}] has strategy: ${settings.strategy}, which has no releases that could be promoted.`,
    { remedy: 'Use strategy: releases, or deploy the commit itself.' },
  );
}
