/** What is on the servers: `releases` and `status`, and `unlock`. One server's failure never hides another. */
import { liveProcesses, type ProcessState } from '../app/processStates.ts';
import { DurantError } from '../../errors.ts';
import type { Emit } from '../events.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { appendHistory } from '../server/history.ts';
import { openJournal } from '../server/journal.ts';
import { breakLockScript, lockInput, seenLock } from '../server/lockScripts.ts';
import type { Host } from '../ports.ts';
import { pendingRollback } from '../run/pendingRollback.ts';
import { holdOf } from '../server/holds.ts';
import type { HoldRecord, LockRecord, ReleaseRecord, Reverted } from '../server/record.ts';
import { newestFirst } from '../server/releases.ts';
import { newRunId, type StageRequest } from '../run/run.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';
import { lookAtEach, reachFor, type Looked } from '../server/lookAtServers.ts';

export interface StageReleases {
  readonly stage: string;
  readonly servers: readonly {
    readonly server: string;
    readonly current: string | null;
    readonly locked: LockRecord | null;
    /** What keeps the stage from being deployed to. */
    readonly hold: HoldRecord | null;
    /** Visitors get the maintenance page. */
    readonly maintenance: boolean;
    readonly releases: readonly (ReleaseRecord & {
      readonly current: boolean;
      /** It is live, and no run has seen its health check pass since it was made live. */
      readonly unchecked: boolean;
    })[];
    readonly error: string | null;
  }[];
}

export interface StageStatus {
  readonly stage: string;
  /** Whether the servers have different releases live. */
  readonly mixed: boolean;
  /** What keeps it from being deployed to: on any one server it holds the stage. */
  readonly hold: HoldRecord | null;
  /** How far a run has come that switches the servers in several waves; also one that died. */
  readonly wave: { readonly number: number; readonly of: number } | null;
  readonly servers: readonly {
    readonly server: string;
    /** What the server is there for; empty: everything. */
    readonly roles: readonly string[];
    readonly release: string | null;
    readonly commit: string | null;
    readonly branch: string | null;
    readonly subject: string | null;
    readonly finished: string | null;
    /** Commits of the branch that are not live; null where it can't be known. */
    readonly behind: number | null;
    readonly locked: LockRecord | null;
    readonly hold: HoldRecord | null;
    /** Visitors get the maintenance page. */
    readonly maintenance: boolean;
    readonly free_bytes: number | null;
    /** No run has seen the health check of what is live pass since it was made live. */
    readonly unchecked: boolean;
    /** What the dead man's switch put back since a run was last finished. */
    readonly reverted: Reverted | null;
    /** How its processes are; none where it has none. */
    readonly processes: readonly ProcessState[];
    readonly error: string | null;
  }[];
}

export interface UnlockResult {
  readonly stage: string;
  readonly servers: readonly {
    readonly server: string;
    readonly was: LockRecord | null;
    readonly unlocked: boolean;
  }[];
}

/** Asks how many commits of the stage's branch come after one; undefined where that can't be known. */
export type CountBehind = (commit: string) => Promise<number | undefined>;

interface Found {
  readonly facts: ServerFacts | undefined;
  readonly processes: readonly ProcessState[];
  readonly error: string | null;
}

/** The releases of each server, newest first, with the live one marked. */
export async function listReleases(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<StageReleases> {
  const servers = await lookAtEach<StageReleases['servers'][number]>(
    { request, host, emit, signal },
    ({ address, facts }) => ({
      server: address.entry,
      current: facts.live,
      locked: facts.lock,
      hold: holdOf(facts, host.now()),
      maintenance: facts.maintenance,
      releases: newestFirst(facts.records).map((record) => ({
        ...record,
        current: record.name === facts.live,
        unchecked: record.name === facts.live && isUnchecked(facts),
      })),
      error: null,
    }),
    ({ entry }, { message }) => ({
      server: entry,
      current: null,
      locked: null,
      hold: null,
      maintenance: false,
      releases: [],
      error: message,
    }),
  );
  return { stage: request.stage, servers };
}

/** What is live on each server. */
export async function stageStatus(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
  countBehind: CountBehind,
): Promise<StageStatus> {
  const looked = await lookAtEach<Pick<Looked, 'address'> & Found>(
    { request, host, emit, signal },
    async ({ address, facts, connection }) => ({
      address,
      facts,
      processes: await liveProcesses({ connection, facts, settings: request.settings, signal }),
      error: null,
    }),
    (address, { message }) => ({ address, facts: undefined, processes: [], error: message }),
  );
  const servers = await Promise.all(
    looked.map(async ({ address, facts, processes, error }) => {
      const live = facts?.records.find((record) => record.name === facts.live);
      const commit = live?.commit === '' ? undefined : live?.commit;
      return {
        server: address.entry,
        roles: address.roles,
        release: facts?.live ?? null,
        commit: commit ?? null,
        branch: live?.branch ?? null,
        subject: live?.subject ?? null,
        finished: live?.finished === '' ? null : (live?.finished ?? null),
        behind: commit === undefined ? null : ((await countBehind(commit)) ?? null),
        locked: facts?.lock ?? null,
        hold: facts === undefined ? null : holdOf(facts, host.now()),
        maintenance: facts?.maintenance === true,
        free_bytes: facts?.freeBytes ?? null,
        unchecked: facts !== undefined && isUnchecked(facts),
        reverted: facts?.reverted ?? null,
        processes,
        error,
      };
    }),
  );
  const known = servers.filter((server) => server.error === null);
  return {
    stage: request.stage,
    mixed: new Set(known.map((server) => server.release)).size > 1,
    hold: servers.find(({ hold }) => hold !== null)?.hold ?? null,
    wave: waveOf(looked.flatMap(({ facts }) => facts ?? [])),
    servers,
  };
}

/**
 * Removes the locks of a stage, after ending what their runs left running on the servers.
 * @param confirm is shown the holder; false leaves this server's lock.
 */
export async function unlock(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
  confirm: (server: string, lock: LockRecord) => Promise<boolean>,
): Promise<UnlockResult> {
  const reach = reachFor({ request, host, emit, signal });
  const { project_dir, strategy } = request.settings;
  const journal = openJournal(host.stateDir);
  const started = host.now();
  const run = newRunId(started, host.randomId());
  const entries = request.servers.map(({ entry }) => entry);
  const servers: { server: string; was: LockRecord | null; unlocked: boolean }[] = [];
  let isLeft = false;
  await journal.begin({
    run,
    stage: request.stage,
    config: request.file,
    action: 'unlock',
    servers: entries,
    started: started.toISOString(),
  });
  try {
    // One after the other: each may ask.
    for (const address of request.servers) {
      const connection = await connectTo(reach, address);
      try {
        const facts = await learnFacts(connection, request.settings, signal);
        const was = facts.lock;
        // With all that have begun to take it over, dead or not: who unlocks by force has decided that.
        const seen = seenLock(facts);
        const unlocked = was !== null && seen !== undefined && (await confirm(address.entry, was));
        if (unlocked) {
          const then = appendHistory(
            host,
            `unlock ${was.run} of ${was.user}@${was.host}`,
            { ok: true },
            {
              run,
              action: 'unlock',
              started,
              commit: null,
              from_commit: null,
              release: null,
              servers: entries,
            },
          );
          isLeft = true;
          const result = await connection.exec({
            script: breakLockScript(project_dir, run, seen, strategy, then),
            input: lockInput({
              run,
              stage: request.stage,
              user: host.user,
              host: host.hostname,
              started: started.toISOString(),
              action: 'unlock',
              message: '',
            }),
            signal,
          });
          isLeft = false;
          if (!result.stdout.toString('utf8').includes('unlocked'))
            throw new DurantError('locked', `The lock on ${address.entry} changed hands meanwhile.`, {
              remedy: 'See who holds it, then unlock again',
              command: `durant status ${request.stage}`,
              server: address.entry,
            });
        }
        servers.push({ server: address.entry, was, unlocked });
      } finally {
        connection.close();
      }
    }
  } finally {
    await (isLeft ? journal.end(run) : journal.forget(run));
  }
  return { stage: request.stage, servers };
}

/** Whether the run that made the live release live never said that its checks have passed. */
function isUnchecked(facts: ServerFacts): boolean {
  const live = facts.records.find(({ name }) => name === facts.live);
  return live?.state === 'prepared' || pendingRollback(facts) !== undefined;
}

/** The last wave that an unfinished run has switched; null where there is none, or but one. */
function waveOf(servers: readonly ServerFacts[]): StageStatus['wave'] {
  const waves = servers.flatMap(({ live, records }) => {
    const text = records.find(({ name, state }) => name === live && state === 'prepared')?.wave ?? '';
    const [number = 0, of = 0] = text.split(' of ').map(Number);
    return of > 0 ? [{ number, of }] : [];
  });
  return waves.toSorted((a, b) => b.number - a.number)[0] ?? null;
}
