/** What earlier runs left: is the commit live already, did a dead run prepare it, did it switch only some servers? */
import { switchBack } from '../steps/symlink.ts';
import { pendingRollback } from './pendingRollback.ts';
import { newestFirst, nextOrder, releaseName, sharedFinished } from '../server/releases.ts';
import type { ReleaseRecord } from '../server/record.ts';
import {
  withFound,
  type FetchedRun,
  type DeployRun,
  type NamedRun,
  type Run,
  type ServerRun,
  makesRelease,
} from './run.ts';
import type { Look } from './step.ts';
import { learnFacts } from '../server/connectServers.ts';

/** Whether every server of the run has this commit by this recipe live and finished, and why, or why not, in words. */
export function lookAtLive(run: NamedRun): Look {
  const { commit, recipe } = run;
  const id = commit.id.slice(0, 7);
  const others = run.servers.flatMap((server) => {
    const { entry } = server.address;
    const live = liveRecord(server);
    if (server.facts.live === null) return [`nothing is live on ${entry}`];
    if (live?.commit !== commit.id) return [`${entry} has ${live?.commit.slice(0, 7) ?? server.facts.live}`];
    return live.recipe === recipe && live.state === 'finished' ? [] : [`${entry} has it by another recipe`];
  });
  return others.length === 0
    ? { achieved: true, reason: `${id} is live by the same recipe on every server` }
    : { achieved: false, reason: `${id} is not live on every server: ${others.join(', ')}` };
}

/** Names the run's release: the one that an interrupted run prepared for the same commit and recipe, else a new one that no server has. */
export function nameRelease(
  run: FetchedRun,
  recipe: string,
  options: { readonly again: boolean },
): DeployRun {
  const release = interruptedRelease(run, recipe, options) ?? newName(run);
  const others = run.others.flatMap(({ records }) => records);
  const order = nextOrder([...recordsOf(run), ...others].filter(({ name }) => name !== release));
  return withFound(run, { release, recipe, order });
}

function interruptedRelease(
  run: FetchedRun,
  recipe: string,
  options: { readonly again: boolean },
): string | undefined {
  if (options.again) return undefined;
  const { commit } = run;
  const records = recordsOf(run);
  // Switched back or rolled back on one server, it is over on all.
  const over = new Set(
    records.flatMap(({ name, state }) => (state === 'failed' || state === 'bad' ? [name] : [])),
  );
  return newestFirst(
    records.filter(
      (record) =>
        record.state === 'prepared' &&
        record.commit === commit.id &&
        record.recipe === recipe &&
        !over.has(record.name),
    ),
  )[0]?.name;
}

function newName(run: FetchedRun): string {
  const { commit } = run;
  const taken = new Set(
    run.servers.flatMap(({ facts }) => [
      ...facts.folders,
      ...facts.records.map((record) => record.name),
      ...facts.orphanRecords.map((record) => record.name),
    ]),
  );
  return releaseName(
    {
      template: run.settings.release_name,
      date: run.started,
      commit: commit.id,
      branch: commit.branch,
      version: run.version ?? '',
    },
    taken,
  );
}

/**
 * Where an earlier run died, or lost a server, while it switched: the servers go back to one release before anything else. A release
 * that it had switched to everywhere stays live, but is not checked yet: a deploy that fails goes back behind it. So does a rollback that
 * finishes an interrupted one.
 */
export async function reconcile(run: NamedRun): Promise<void> {
  const unchecked = run.servers.filter((server) => liveRecord(server)?.state === 'prepared');
  const differ = new Set(run.servers.map(({ facts }) => facts.live)).size > 1;
  const pending = run.servers.filter(({ facts }) => pendingRollback(facts) !== undefined);
  const resumed = pending.filter(({ facts }) => run.action === 'rollback' && facts.live === run.release);
  const outOfSync = differ ? [...unchecked, ...pending].filter((server) => !resumed.includes(server)) : [];
  for (const server of outOfSync) {
    const before = releaseBefore(run, server);
    if (before === undefined || before === server.facts.live) continue;
    run.emit({
      event: 'warning',
      code: 'switched-back',
      message: `An interrupted run had switched ${server.address.entry} alone; it goes back to ${before} first.`,
      server: server.address.entry,
    });
    server.previous = before;
    await switchBack(run, server, run.signal);
    server.previous = undefined;
    // What the transfer builds on is another release now.
    server.facts = await learnFacts(server.connection, run.settings, run.signal);
  }
  for (const server of resumed) server.previous = pendingRollback(server.facts)?.left || null;
  if (!makesRelease(run)) return;
  for (const server of unchecked)
    if (server.facts.live === run.release) server.previous = releaseBefore(run, server) ?? null;
}

/** What a server goes back to: the newest release that is live on another and finished here, else the newest that all have finished. */
function releaseBefore(run: Run, server: ServerRun): string | undefined {
  const finishedHere = new Set(
    server.facts.records.flatMap(({ name, state }) => (state === 'finished' ? [name] : [])),
  );
  const live = run.servers.flatMap((each) => liveRecord(each) ?? []);
  const before =
    newestFirst(live).find(({ name, state }) => state === 'finished' && finishedHere.has(name)) ??
    sharedFinished(run.servers.map(({ facts }) => facts))[0];
  return before?.name;
}

function recordsOf(run: Run): readonly ReleaseRecord[] {
  return run.servers.flatMap(({ facts }) => facts.records);
}

function liveRecord({ facts }: ServerRun): ReleaseRecord | undefined {
  return facts.records.find((record) => record.name === facts.live);
}
