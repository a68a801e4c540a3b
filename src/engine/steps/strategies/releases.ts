/** Strategy `releases`: each release is built in a folder of its own, then `current` is switched to it on all servers. */
import { touchedScript } from '../../../transfer/stream/modified.ts';
import { warmCopyScript } from '../../../transfer/stream/warmCopy.ts';
import { planFor } from '../../run/comparison.ts';
import { hookCommands } from '../../run/hooks.ts';
import { forEachServer, lookAtEachServer } from '../../run/parallel.ts';
import { publish } from '../../run/publish.ts';
import { achieveSteps, assessSteps, explainSteps, runHookBefore } from '../../run/runSteps.ts';
import type { ListedStep, Step } from '../../run/step.ts';
import type { NamedRun } from '../../run/run.ts';
import { LAYOUTS } from '../../server/layout.ts';
import { assetDirs } from '../assetDirs.ts';
import { beside } from '../beside.ts';
import { clearPaths } from '../clearPaths.ts';
import { releaseCommand, vendors } from '../commands.ts';
import { copyDirs } from '../copyDirs.ts';
import { envFile } from '../envFile.ts';
import { withFanOut } from '../fanOut.ts';
import { healthCheck } from '../healthCheck.ts';
import { install } from '../install.ts';
import { lock } from '../lock.ts';
import { markPrepared } from '../markPrepared.ts';
import { release } from '../release.ts';
import { services } from '../services.ts';
import { shared } from '../shared.ts';
import { symlink } from '../symlink.ts';
import { assessSpace, updateCode } from '../updateCode.ts';
import { afterWave, beforeWave } from '../waveHooks.ts';
import { writable } from '../writable.ts';
import { undoReleases } from './releasesUndo.ts';
import type { Strategy } from './strategy.ts';

/** What brings the tree, which servers may hand on to each other as long as nothing else has been done to it. */
const TREE: readonly Step[] = [release, updateCode];
const IN_TREE: readonly Step[] = [
  envFile,
  shared,
  copyDirs,
  writable,
  install,
  vendors,
  clearPaths,
  releaseCommand,
  assetDirs,
];
const BUILD: readonly Step[] = [...TREE, ...IN_TREE];

const PUBLISH: readonly Step<NamedRun>[] = [beforeWave, beside, symlink, services, healthCheck, afterWave];
const ROLLBACK: readonly ListedStep[] = [lock, ...PUBLISH];

export const releases: Strategy = {
  layout: LAYOUTS.releases,
  steps: [...BUILD, ...PUBLISH],
  scan: {},

  async plan({ run, server, signal }) {
    return (await planFor(run, server, signal)).plan;
  },
  async assertRoom({ run, server }) {
    assessSpace(run, server);
  },
  stored: (run) => run.tree.entries,
  announce() {
    // Visitors see the old release up to the switch, and the new one from then on.
  },
  async preview() {
    // What is sent is told while it is sent.
  },

  async build(run) {
    const isHooked = hookCommands(run, 'before_symlink').length > 0;
    const isFannedOut = run.settings.fan_out !== 'no';
    if (isFannedOut)
      await withFanOut(run, () =>
        forEachServer(run, (context) => achieveSteps(context, TREE), { atOnce: run.servers.length }),
      );
    await forEachServer(run, async (context) => {
      await achieveSteps(context, isFannedOut ? IN_TREE : BUILD);
      if (!isHooked) await markPrepared(context);
    });
    if (!isHooked) return;
    // The last that may change a release, so before it is marked; and after all are built, as it belongs to the switch.
    await forEachServer(run, async (context) => {
      await runHookBefore(context, symlink);
      await markPrepared(context);
    });
  },
  publish: (run) => publish(run, PUBLISH),
  lateChanges: ['after_symlink', 'before_cleanup', 'after_cleanup'],
  noteChanges: touchedScript,
  warmCopy({ settings, release: name, id }, { facts }) {
    if (!settings.spare || settings.unchanged !== 'copy') return '';
    const hashTool = facts.transfer.hashTool ?? 'sha256sum';
    return warmCopyScript({ projectDir: facts.project, release: name, run: id, hashTool });
  },

  undo: undoReleases,
  afterFailedCheck({ servers, request }) {
    if (servers.every(({ previous }) => previous === undefined))
      return {
        outcome:
          'Nobody was led to it: what was live before still answers, and the release is kept as failed until the next run.',
      };
    const left = servers.filter(({ previous, state }) => previous !== undefined && state !== 'reverted');
    return left.length === 0
      ? {
          outcome: 'Every server was switched back; the release is kept as failed until the next run.',
        }
      : {
          outcome: `Not every server could be switched back: ${left.map(({ address }) => address.entry).join(', ')}. The next run puts back what was left.`,
          remedy: 'See how they stand',
          command: `durant status ${request.stage}`,
        };
  },

  async assessRollback(run) {
    await lookAtEachServer(run, (context) => assessSteps(context, [services]));
    return {
      explain: () => forEachServer(run, (context) => explainSteps(context, ROLLBACK)),
      // Everything is on the servers already.
      prepare: async () => () => publish(run, PUBLISH),
    };
  },
};
