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
 * Names of the releases of one server that a cleanup removes: finished ones beyond `keep` (-1: none; the live one counts), bad ones
 * older than all that is kept, and whatever dead runs left. Never the live one, its rollback candidate, or the newest that all
 * servers share.
 */
export function removableReleases(
  server: ServerReleases,
  all: readonly ServerReleases[],
  keep: number,
): string[] {
  const protectedNames = new Set<string>();
  if (server.live !== null) protectedNames.add(server.live);
  const candidate = rollbackCandidate(all);
  if (candidate !== undefined) protectedNames.add(candidate.name);
  const newestShared = sharedFinished(all)[0];
  if (newestShared !== undefined) protectedNames.add(newestShared.name);

  const finished = newestFirst(server.records.filter((record) => record.state === 'finished'));
  const others = finished.filter((record) => record.name !== server.live);
  const live = finished.length - others.length;
  const kept =
    keep < 0
      ? finished
      : [
          ...finished.filter((record) => record.name === server.live),
          ...others.slice(0, Math.max(0, keep - live)),
        ];
  for (const record of kept) protectedNames.add(record.name);
  const oldestKept = newestFirst(finished.filter((record) => protectedNames.has(record.name))).at(-1);

  return server.records
    .filter((record) => {
      if (protectedNames.has(record.name)) return false;
      if (record.state === 'bad') return keep >= 0 && oldestKept !== undefined && isOlder(record, oldestKept);
      return true;
    })
    .map((record) => record.name);
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
