/** What earlier runs left: is the commit live already, did a dead run prepare it, did it switch only some servers? */
import { ready } from './build.ts';
import { switchBack } from './goals/symlink.ts';
import { newestFirst, releaseName, sharedFinished } from './release.ts';
import type { Run } from './run.ts';

/** Whether every server of the run has this commit by this recipe live and finished. */
export function isLive(run: Run): boolean {
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

/** The release that an interrupted run prepared for the same commit and recipe, else a new name that is free on every server. */
export function nameRelease(run: Run, options: { readonly again: boolean }): void {
  const { commit } = ready(run);
  const interrupted = newestFirst(
    run.servers.flatMap(({ facts }) =>
      facts.records.filter(
        (record) =>
          record.state === 'prepared' && record.commit === commit.id && record.recipe === run.recipe,
      ),
    ),
  )[0];
  if (interrupted !== undefined && !options.again) {
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
export async function agree(run: Run): Promise<void> {
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
