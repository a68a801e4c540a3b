/** Strategy `inplace`: the tree goes straight into project_dir. Nothing is switched, so a failure half way can not be put back. */
import { DurantError } from '../../../errors.ts';
import { touchedInplaceScript } from '../../../transfer/inplace/modifiedInplace.ts';
import { explain } from '../../operations/preview.ts';
import { emitChanges } from '../../run/changeEvents.ts';
import { forEachServer, settleAllServers, warnOf } from '../../run/parallel.ts';
import { publish } from '../../run/publish.ts';
import { reachable } from '../../run/reconnect.ts';
import { removeQuietly } from '../../run/removal.ts';
import {
  isNamed,
  withFound,
  type BuiltRun,
  type NamedRun,
  type Run,
  type ServerRun,
  makesRelease,
} from '../../run/run.ts';
import { achieveSteps } from '../../run/runSteps.ts';
import { defer, flush } from '../../run/script.ts';
import type { Step } from '../../run/step.ts';
import { failureOf, historyLine } from '../../server/history.ts';
import { LAYOUTS } from '../../server/layout.ts';
import { assessTree, buildHere } from '../../source/build.ts';
import { openClone } from '../../source/openClone.ts';
import { clearPaths } from '../clearPaths.ts';
import { releaseCommand, vendors } from '../commands.ts';
import { healthCheck } from '../healthCheck.ts';
import { lock } from '../lock.ts';
import { noteLateChanges } from '../modifiedPaths.ts';
import { recordOf, writeRecord } from '../release.ts';
import { assessSpace } from '../updateCode.ts';
import { writable } from '../writable.ts';
import { assertPlaceable, planInplaceFor, warnOfPlan } from './inplacePlans.ts';
import { inplaceRelease, noSwitch, place, upload } from './inplaceSteps.ts';
import type { Strategy } from './strategy.ts';

/** On every server before anything in project_dir changes on any. */
const UPLOAD: readonly Step[] = [inplaceRelease, upload];
const BUILD: readonly Step[] = [place, writable, vendors, clearPaths, releaseCommand];
const PUBLISH: readonly Step<NamedRun>[] = [noSwitch, healthCheck];

export const inplace: Strategy = {
  layout: LAYOUTS.inplace,
  steps: [...UPLOAD, ...BUILD, ...PUBLISH],
  // Only a release has a file of Durant's own among the tree's.
  scan: { reserved: [] },

  async plan({ run, server, signal }) {
    const plan = await planInplaceFor(run, server, signal);
    warnOfPlan(run, server, plan);
    assertPlaceable(run, server, plan);
    return plan;
  },
  async assertRoom({ run, server, signal }) {
    if (server.facts.obstacle === undefined)
      assertPlaceable(run, server, await planInplaceFor(run, server, signal));
    assessSpace(run, server);
  },
  // There is no second copy of what did not change: what it needs is known with the plan.
  stored: (_, { plan }) => plan?.send ?? [],
  announce(run) {
    run.emit({
      event: 'warning',
      code: 'no-atomic-switch',
      message:
        'strategy: inplace puts the files straight into project_dir, one after the other: visitors may see old and new files together while it lasts, and a failure half way leaves them so until the next run.',
      server: null,
    });
  },
  async preview(run) {
    await forEachServer(run, async (context) => {
      const { server } = context;
      const plan = await inplace.plan(context);
      assessSpace(run, server);
      // rsync tells of them itself.
      if (run.settings.transfer !== 'rsync') emitChanges(run, server, plan);
    });
  },

  async build(run) {
    await forEachServer(run, (context) => achieveSteps(context, UPLOAD));
    run.phase = 'publishing';
    await forEachServer(run, (context) => achieveSteps(context, BUILD));
    await forEachServer(run, ({ server, signal }) => flush(server, signal));
  },
  publish: (run) => publish(run, PUBLISH),
  // There is no moment at which it is complete: these come after the files were put in place.
  lateChanges: [
    'after_update_code',
    'before_writable',
    'writable_dirs',
    'after_writable',
    'before_vendors',
    'vendors',
    'after_vendors',
    'before_clear_paths',
    'clear_paths',
    'after_clear_paths',
    'release_command',
    'before_symlink',
    'after_symlink',
    'before_cleanup',
    'after_cleanup',
  ],
  noteChanges: touchedInplaceScript,
  warmCopy: () => '',

  undo: undoInplace,
  afterFailedCheck: ({ request }) => ({
    outcome: 'The files of the commit stay in place, as strategy: inplace has no switch back.',
    remedy: 'Fix it and deploy again, or roll back',
    command: `durant rollback ${request.stage}`,
  }),

  // The files of the release come from its commit, as no server has them.
  async assessRollback(named) {
    const { branch, id } = named.commit;
    if (id === '')
      throw new DurantError('no-rollback-candidate', `The commit of ${named.release} is not recorded.`, {
        remedy: 'Deploy an older commit instead',
        command: `durant deploy ${named.request.stage} --ref COMMIT`,
      });
    const clone = (named.clone ??= await openClone(named));
    const fetched = withFound(named, { clone, commit: { ...(await clone.fetch(id)), branch } });
    return {
      explain: () => explain(fetched, { build: false }, [lock, upload, place, healthCheck]),
      async prepare() {
        const run = await buildHere(fetched);
        assessTree(run);
        inplace.announce(run);
        await inplace.preview(run);
        return () => putBack(run);
      },
    };
  },
};

async function putBack(run: BuiltRun): Promise<void> {
  await forEachServer(run, (context) => achieveSteps(context, [upload]));
  run.phase = 'publishing';
  await forEachServer(run, (context) => achieveSteps(context, [place]));
  await forEachServer(run, (context) => achieveSteps(context, [healthCheck]));
  for (const server of run.servers) {
    const record = server.facts.records.find(({ name }) => name === run.release);
    if (record !== undefined) defer(server, writeRecord({ ...record, state: 'finished' }));
  }
}

/** Where nothing was put in place nothing is left; elsewhere the record says that it failed, and the next run completes or replaces it. */
async function undoInplace(run: Run, error: DurantError): Promise<boolean> {
  const { signal } = new AbortController();
  const changed = run.servers.filter((server) => server.previous !== undefined);
  for (const server of changed) {
    server.state = 'failed';
    server.error ??= `${whatIsThere(run, server)} ${wayOut(run)}`;
  }
  const held = run.servers.filter(({ ownLock }) => ownLock.state === 'held');
  const failures = await settleAllServers(held, async (server) => {
    server.deferred = [];
    const scripts = [`rm -rf .durant/incoming.${run.id}`];
    if (makesRelease(run) && isNamed(run)) {
      if (server.previous === undefined) scripts.push(removeQuietly(run.settings, [run.release]));
      else {
        scripts.push(writeRecord({ ...recordOf(run, server, 'failed'), finished: '' }));
        scripts.push(noteLateChanges(run, server));
      }
    }
    scripts.push(historyLine(run, server, failureOf(run, error)));
    defer(server, scripts.join('\n'));
    await reachable(run, server, () => flush(server, signal));
  });
  warnOf(run, 'undo-failed', failures);
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
  return run.action === 'rollback' && isNamed(run)
    ? `Complete it with: durant rollback ${run.request.stage} ${run.release}`
    : 'Deploy again, or roll back.';
}
