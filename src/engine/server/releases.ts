/** Releases of a project as data: their names, their order, which of them a rollback may take and which a cleanup may remove. */
import type { ReleaseRecord } from './record.ts';

/** What one server has, as far as choosing among releases is concerned. */
export interface ServerReleases {
  /** Records whose folder exists. */
  readonly records: readonly ReleaseRecord[];
  /** Name of the release that `current` points at. */
  readonly live: string | null;
}

/** What a release name is made of. */
export interface NameParts {
  readonly template: string;
  readonly date: Date;
  readonly commit: string;
  readonly branch: string;
  readonly version: string;
}

/**
 * Fills the `release_name` template: `{date}` UTC yyyymmddHHMMSS, `{commit}` 7 hex, `{branch}`, `{version}`; what a folder name
 * should not hold becomes `-`. A name that is taken on any server gets `-2`, `-3` ….
 */
export function releaseName(parts: NameParts, taken: ReadonlySet<string>): string {
  const date = parts.date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  const filled = parts.template
    .replaceAll('{date}', date)
    .replaceAll('{commit}', parts.commit.slice(0, 7))
    .replaceAll('{branch}', parts.branch)
    .replaceAll('{version}', parts.version);
  const base = filled.replaceAll(/[^A-Za-z0-9._+-]+/g, '-').replace(/^[.-]+/, '') || date;
  if (!taken.has(base)) return base;
  for (let suffix = 2; ; suffix++) {
    if (!taken.has(`${base}-${suffix}`)) return `${base}-${suffix}`;
  }
}

/** Newest first. */
export function newestFirst(records: readonly ReleaseRecord[]): ReleaseRecord[] {
  return [...records].sort((a, b) => age(b, a));
}

/** The place of a release that comes after all of these. */
export function nextOrder(records: readonly ReleaseRecord[]): number {
  return 1 + Math.max(0, ...records.map(({ order }) => order));
}

/** The releases that every server has in state `finished`, newest first (as the first server records them). */
export function sharedFinished(servers: readonly ServerReleases[]): ReleaseRecord[] {
  const [first, ...others] = servers;
  if (first === undefined) return [];
  return newestFirst(first.records).filter(
    (record) =>
      record.state === 'finished' &&
      others.every((other) =>
        other.records.some((theirs) => theirs.name === record.name && theirs.state === 'finished'),
      ),
  );
}

/**
 * What a rollback goes to: the newest release that every server has finished and that is older than the live one; where servers
 * differ, older than the newest live one.
 */
export function rollbackCandidate(servers: readonly ServerReleases[]): ReleaseRecord | undefined {
  const live = newestLive(servers);
  const candidates = sharedFinished(servers).filter((record) => record.name !== live?.name);
  return live === undefined ? candidates[0] : candidates.find((record) => isOlder(record, live));
}

/** The newest of the releases that are live on the servers. */
export function newestLive(servers: readonly ServerReleases[]): ReleaseRecord | undefined {
  return newestFirst(
    servers.flatMap((server) => server.records.filter((record) => record.name === server.live)),
  )[0];
}

/**
 * Names of the releases of one server that a cleanup removes: finished ones beyond `keep` (-1: none; the live one counts), bad ones, and
 * whatever dead runs left. Never the live one, its rollback candidate, or the newest that all servers share.
 */
export function removableReleases(
  server: ServerReleases,
  all: readonly ServerReleases[],
  keep: number,
): string[] {
  const stays = new Set([
    ...keptReleases(server, keep),
    ...neededReleases(server, all).map(({ name }) => name),
  ]);
  return server.records
    .filter(({ name, state }) => !stays.has(name) && (state !== 'bad' || keep >= 0))
    .map(({ name }) => name);
}

/** Finished releases that stay although they are beyond `keep`, and why, for a sentence. */
export function keptBeyond(
  server: ServerReleases,
  all: readonly ServerReleases[],
  keep: number,
): readonly NeededRelease[] {
  const kept = new Set(keptReleases(server, keep));
  const there = new Set(server.records.map(({ name }) => name));
  return neededReleases(server, all).filter(
    ({ name }, index, needed) =>
      there.has(name) && !kept.has(name) && needed.findIndex((each) => each.name === name) === index,
  );
}

export interface NeededRelease {
  readonly name: string;
  readonly why: string;
}

/** What no cleanup removes, however few are to be kept. */
function neededReleases(server: ServerReleases, all: readonly ServerReleases[]): readonly NeededRelease[] {
  const needed = (name: string | null | undefined, why: string): readonly NeededRelease[] =>
    typeof name === 'string' ? [{ name, why }] : [];
  return [
    ...needed(server.live, 'it is live'),
    ...needed(rollbackCandidate(all)?.name, 'a rollback goes to it'),
    ...needed(sharedFinished(all)[0]?.name, 'it is the newest that all servers have'),
  ];
}

/** The live release and the newest others, `keep` in all; -1: every finished one. */
function keptReleases(server: ServerReleases, keep: number): readonly string[] {
  const finished = newestFirst(server.records.filter(({ state }) => state === 'finished'));
  const live = finished.filter(({ name }) => name === server.live);
  const others = finished.filter(({ name }) => name !== server.live);
  const kept = keep < 0 ? finished : [...live, ...others.slice(0, Math.max(0, keep - live.length))];
  return kept.map(({ name }) => name);
}

/** Whether the first of two was released before the second. */
export function isOlder(a: ReleaseRecord, b: ReleaseRecord): boolean {
  return age(a, b) < 0;
}

/** By the servers' order; releases from before there was one are older, and go by the clocks of who made them. */
function age(a: ReleaseRecord, b: ReleaseRecord): number {
  return a.order - b.order || compare(a.started, b.started) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
