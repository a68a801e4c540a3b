/** `release`: the new release's record and folder; what dead runs left is removed. */
import { quote } from '../../remote/shell.ts';
import { unfinishedRecord } from '../server/lockScripts.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import { formatRecord, type ReleaseRecord, type ReleaseState } from '../server/record.ts';
import { removeQuietly } from '../run/removal.ts';
import { defer } from '../run/script.ts';
import type { Step } from '../run/step.ts';

export const release: Step<NamedRun> = {
  name: 'release',
  async look({ run, server }) {
    return resumable(run, server) === undefined
      ? { achieved: false, reason: `the release ${run.release} is not there yet` }
      : { achieved: true, reason: 'an interrupted run prepared it: it is complete and checked' };
  },
  async achieve({ run, server }) {
    server.begun = true;
    const name = run.release;
    const leftovers = leftoversOf(run, server);
    // A dead run completed it on another server, but not here: here it is made anew under its name.
    if (hasTraceOf(server, name)) leftovers.push(name);
    defer(
      server,
      [
        `rm -rf .durant/incoming.* .durant/current.* .durant/touched.* .durant/lock.* 2>/dev/null || :`,
        removeQuietly(run.settings, leftovers),
        `${writeRecord(recordOf(run, server, 'preparing'))} && mkdir ${quote(`releases/${name}`)}`,
      ].join('\n'),
    );
  },
};

/** The record on this server of the release that this run resumes, complete from an earlier run; undefined: nothing to resume. */
export function resumable(run: NamedRun, server: ServerRun): ReleaseRecord | undefined {
  if (server.begun) return undefined;
  return server.facts.records.find(
    (record) =>
      record.name === run.release &&
      record.commit === run.commit.id &&
      record.recipe === run.recipe &&
      (record.state === 'prepared' || record.state === 'finished'),
  );
}

/** The record of this run's release as of now. */
export function recordOf(run: NamedRun, server: ServerRun, state: ReleaseState): ReleaseRecord {
  const { commit } = run;
  return {
    name: run.release,
    commit: commit.id,
    branch: commit.branch,
    subject: run.mask(commit.subject),
    author: commit.author,
    recipe: run.recipe,
    deployed_by: run.host.user,
    from_host: run.host.hostname,
    started: resumable(run, server)?.started ?? run.started.toISOString(),
    finished: state === 'finished' ? run.host.now().toISOString() : '',
    state,
    files: run.tree?.totals.files ?? 0,
    bytes: run.tree?.totals.bytes ?? 0,
    env_names: Object.keys(run.environment?.values ?? {}).join(','),
    env_looked_up: run.environment?.lookedUp.join(',') ?? '',
    env_digest: run.environment?.digest ?? '',
    order: run.order,
    roles: server.address.roles,
    wave:
      state === 'prepared' && run.wave !== undefined && run.wave.of > 1
        ? `${run.wave.number} of ${run.wave.of}`
        : '',
    promoted_from: run.promotedFrom ?? '',
  };
}

/** Writes a record, whole or not at all; the working directory is project_dir. What a kill leaves of it goes with the lock. */
export function writeRecord(record: ReleaseRecord): string {
  const file = quote(`.durant/releases/${record.name}.ini`);
  return `{ printf %s ${quote(formatRecord(record))} > ${unfinishedRecord} && mv -f ${unfinishedRecord} ${file}; }`;
}

function hasTraceOf({ facts }: ServerRun, name: string): boolean {
  return facts.folders.has(name) || facts.orphanRecords.some((record) => record.name === name);
}

/** Releases that no run will finish: not live, not the one being resumed, in a state that only a run under way may have. */
function leftoversOf(run: Run, server: ServerRun): string[] {
  const { facts } = server;
  const dead = facts.records.filter(
    (record) =>
      record.name !== facts.live &&
      record.name !== run.release &&
      (record.state === 'preparing' || record.state === 'prepared' || record.state === 'failed'),
  );
  return [...dead, ...facts.orphanRecords].map((record) => record.name);
}
