/** `fetch`: the commit that a run is about, in the stage's local clone. */
import { DurantError } from '../../errors.ts';
import type { Clone, Commit } from '../../git/port.ts';
import { isFetched, withFound, type FetchedRun, type Run } from '../run/run.ts';
import { localStep } from '../run/timed.ts';
import { openClone } from './openClone.ts';
import { resolveVersion } from './version.ts';

export interface WantedCommit {
  /** Branch, tag or commit; undefined: the stage's `branch`. */
  readonly ref: string | undefined;
  /** Exactly this commit, by its full id; it is recorded as found by `ref`. */
  readonly commit?: string | undefined;
}

/** Once per run: goals before the deploy work at the commit, too. */
export async function fetchCommit(run: Run, wanted: WantedCommit): Promise<FetchedRun> {
  if (isFetched(run)) return run;
  const found = await localStep(run, 'fetch', async () => {
    // Noted at once: the run gives it back, whatever fails from here on.
    const clone = (run.clone = await openClone(run));
    const ref = wanted.ref ?? run.settings.branch;
    const fetched = withFound(run, { clone, commit: await fetchWanted(clone, ref, wanted.commit) });
    await resolveVersion(fetched);
    return fetched;
  });
  if (found.settings.verify_commit) await localStep(found, 'verify_commit', () => assertVerified(found));
  return found;
}

/** @throws {DurantError} `commit-unverified`. */
export async function assertVerified({ clone, commit }: Pick<FetchedRun, 'clone' | 'commit'>): Promise<void> {
  const verified = await clone.verify(commit);
  if (verified.ok) return;
  throw new DurantError(
    'commit-unverified',
    `${commit.id.slice(0, 7)} "${commit.subject}" was not deployed: git could not verify its signature (verify_commit).`,
    {
      remedy:
        "Sign it, or tell git whose signatures count (gpg.ssh.allowedSignersFile, or gpg's keys), then try again.",
      output: verified.said,
    },
  );
}

async function fetchWanted(
  clone: Clone,
  ref: string | undefined,
  exact: string | undefined,
): Promise<Commit> {
  const named = await clone.fetch(ref);
  return exact === undefined ? named : { ...(await clone.fetch(exact)), branch: named.branch };
}
