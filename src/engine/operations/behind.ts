/** How many commits of a stage's branch are not live: fetched once for all servers. */
import { dirname } from 'node:path';
import type { Clone, Commit } from '../../git/port.ts';
import type { CountBehind } from './status.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import type { StageRequest } from '../run/run.ts';
import { warnOfUncommitted } from '../source/warnOfUncommitted.ts';

/** More than this is told as this many. */
const countedCommits = 10_000;
/** How long to wait for whoever has the clone: another stage's look takes a moment, a deploy takes its time. */
const patienceMs = 3000;

export interface BehindCounter {
  readonly count: CountBehind;
  /** Gives the clone back. */
  readonly close: () => Promise<void>;
}

/** Never fails: where the branch cannot be reached, or a run has the clone, the answer is undefined. */
export function behindCounter(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): BehindCounter {
  const giveUp = new AbortController();
  let opened: Promise<{ readonly clone: Clone; readonly head: Commit } | undefined> | undefined;
  const open = async (): Promise<{ readonly clone: Clone; readonly head: Commit } | undefined> => {
    const { settings } = request;
    const env = Object.entries({ ...host.env, ...settings.env });
    let clone: Clone | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      clone = await host.git.open({
        repository: settings.repository,
        remote: settings.remote,
        directory: dirname(request.file),
        stage: request.stage,
        // Only asked, never checked out: temp_dir is the deploys' alone.
        tempDir: undefined,
        cacheDir: host.cacheDir,
        gitPath: host.gitPath,
        env: Object.fromEntries(env.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
        lfs: settings.lfs,
        signal: AbortSignal.any([signal, giveUp.signal]),
        onWarning: () => undefined,
        // A status that waits for a deploy to end would tell nothing while it matters most.
        onWait: () => {
          timer ??= setTimeout(() => {
            giveUp.abort();
          }, patienceMs);
        },
      });
      await warnOfUncommitted(clone, emit);
      return { clone, head: await clone.fetch(settings.branch) };
    } catch {
      // What is wrong with the repository is the deploy's to say; here the number is just not known.
      await clone?.release();
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    count: async (commit) => {
      const found = await (opened ??= open());
      if (found === undefined) return undefined;
      return (await found.clone.log(commit, found.head.id, countedCommits))?.length;
    },
    close: async () => {
      await (await opened)?.clone.release();
    },
  };
}
