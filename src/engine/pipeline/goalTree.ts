/** The folder that goals work in where they name none: the clone at the deployed commit; in a dry run nothing of it is changed. */
import { definedOnly } from '../source/openClone.ts';
import { findGit, type GitContext } from '../../git/gitProcess.ts';
import { gitEnvironment } from '../../git/gitEnvironment.ts';
import { checkedOutCommit, putAside, putBack } from '../../git/keptFiles.ts';
import type { FetchedRun } from '../run/run.ts';
import { localStep } from '../run/timed.ts';

export interface GoalTree {
  /** Checks out when it is asked for the first time. */
  directory(): Promise<string>;
  /** Leaves the clone to the deploy's own checkout, without what goals made in it: that is no part of a release. */
  handOver(): Promise<void>;
  /** Takes it back, with what goals made and with what the deploy built. */
  takeBack(): Promise<void>;
  close(): Promise<void>;
}

export function openGoalTree(run: FetchedRun): GoalTree {
  return run.dryRun ? scratchTree(run) : cloneTree(run);
}

function cloneTree(run: FetchedRun): GoalTree {
  let opened: Promise<string> | undefined;
  const { clone, commit, settings } = run;
  const open = async (): Promise<string> => {
    await localStep(run, 'checkout', async () => {
      await putAside(clone.directory, commit.id, await gitContext(run));
      await clone.checkout(commit, { submodules: settings.submodules });
      await putBack(clone.directory, commit.id);
    });
    return clone.directory;
  };
  let handedOver = false;
  return {
    directory: () => (opened ??= open()),
    async handOver() {
      if (opened === undefined && (await checkedOutCommit(clone.directory)) !== commit.id) return;
      handedOver = true;
      await putAside(clone.directory, commit.id, await gitContext(run));
    },
    async takeBack() {
      if (!handedOver) return;
      handedOver = false;
      await putBack(clone.directory, commit.id);
      // Whether or not it was built there: the commit is checked out.
      opened ??= Promise.resolve(clone.directory);
    },
    async close() {
      // Nothing is open: the clone is the run's.
    },
  };
}

function scratchTree(run: FetchedRun): GoalTree {
  let made: Promise<{ readonly directory: string; remove(): Promise<void> }> | undefined;
  const { clone, commit, settings } = run;
  const make = async (): Promise<{ readonly directory: string; remove(): Promise<void> }> =>
    // What goals left at this commit is looked at where it lies.
    (await checkedOutCommit(clone.directory)) === commit.id
      ? { directory: clone.directory, remove: async () => undefined }
      : clone.scratch(commit, { submodules: settings.submodules });
  return {
    async directory() {
      made ??= make();
      return (await made).directory;
    },
    async handOver() {
      // A dry run builds in a scratch of its own.
    },
    async takeBack() {
      // Nothing was handed over.
    },
    async close() {
      await made?.then(
        (tree) => tree.remove(),
        () => undefined,
      );
    },
  };
}

async function gitContext(run: FetchedRun): Promise<GitContext> {
  const env = definedOnly(run.host.env);
  return {
    binary: await findGit(run.host.gitPath, env),
    env: gitEnvironment(env),
    config: [],
    signal: run.signal,
  };
}
