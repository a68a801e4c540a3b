/**
 * What Durant leaves on a server about a release or a lock: flat `key = value` lines, read with `ini` as strings. Values are written as
 * JSON strings, so that `true`, `null`, `%` or an escape sequence in a commit subject stay text, and no line can be forged by a value.
 */
import { parse } from 'ini';

/** `preparing` → `prepared` → `finished`; `failed` was switched back automatically, `bad` was left by a rollback. */
export type ReleaseState = 'preparing' | 'prepared' | 'finished' | 'failed' | 'bad';

const RELEASE_FIELDS = [
  'name',
  'commit',
  'branch',
  'subject',
  'author',
  'recipe',
  'deployed_by',
  'from_host',
  'started',
  'finished',
  'state',
  'files',
  'bytes',
  'env_names',
  'env_looked_up',
  'env_digest',
  'order',
  'roles',
  'wave',
  'promoted_from',
] as const;

/**
 * One release as its record tells it. Dates are UTC ISO 8601; `finished` is empty until it is. Of its environment file it knows the
 * names, with commas between, those of them whose values were looked up, and a keyed digest; all are empty where it has none. `wave` is
 * `2 of 4` from the switch of one of several waves until the run is finished, else empty.
 */
export type ReleaseRecord = {
  readonly [
    F in Exclude<(typeof RELEASE_FIELDS)[number], 'state' | 'files' | 'bytes' | 'order' | 'roles'>
  ]: string;
} & {
  readonly state: ReleaseState;
  /** Files and bytes of the tree as `update_code` left it. */
  readonly files: number;
  readonly bytes: number;
  /** Its place among the releases of its servers, given under their locks: a later release has a higher one. 0: from before there were such. */
  readonly order: number;
  /** What its server was there for; empty: everything. */
  readonly roles: readonly string[];
};

/** Who holds `.durant/lock`, why, and since when. */
export interface LockRecord {
  readonly run: string;
  readonly stage: string;
  readonly user: string;
  readonly host: string;
  readonly started: string;
  readonly action: string;
  readonly message: string;
}

/** A rollback that has begun to switch a server. */
export interface PendingRollback {
  /** What it goes to. */
  readonly release: string;
  /** The release that was live before; empty for none. */
  readonly left: string;
}

/** What a dead man's switch did, as `status` shows it. */
export interface Reverted {
  /** The release that no run had confirmed. */
  readonly release: string;
  /** What is live instead; empty for nothing. */
  readonly back_to: string;
  /** When, by the server's clock: UTC ISO 8601. */
  readonly at: string;
}

/** Why nobody may deploy, who said so and until when. Times are of the server's clock: UTC ISO 8601. */
export interface HoldRecord {
  readonly user: string;
  readonly host: string;
  readonly why: string;
  readonly since: string;
  /** null: until somebody lifts it. */
  readonly until: string | null;
}

/** One line of a record; also what shell scripts compare whole lines with. */
export function recordLine(key: string, value: string | number): string {
  return `${key} = ${jsonText(String(value))}`;
}

export function formatRecord(record: ReleaseRecord): string {
  const without = [
    ...(record.env_names === '' ? ['env_names', 'env_looked_up', 'env_digest'] : []),
    ...(record.order === 0 ? ['order'] : []),
    ...(record.roles.length === 0 ? ['roles'] : []),
    ...(record.wave === '' ? ['wave'] : []),
    ...(record.promoted_from === '' ? ['promoted_from'] : []),
  ];
  return formatFields(
    RELEASE_FIELDS.filter((field) => !without.includes(field)).map((field) => [
      field,
      field === 'roles' ? record.roles.join(',') : record[field],
    ]),
  );
}

export function formatLock(lock: LockRecord): string {
  return formatFields(Object.entries(lock));
}

export function formatPendingRollback({ release, left }: PendingRollback): string {
  return formatFields([
    ['release', release],
    ['left', left],
  ]);
}

/** Reads a record of any age: unknown fields are dropped, missing ones are empty, an unknown state is `failed`. */
export function parseRecord(text: string, name: string): ReleaseRecord {
  const fields = parseFields(text);
  const get = (field: string): string => fields.get(field) ?? '';
  return {
    name,
    commit: get('commit'),
    branch: get('branch'),
    subject: get('subject'),
    author: get('author'),
    recipe: get('recipe'),
    deployed_by: get('deployed_by'),
    from_host: get('from_host'),
    started: get('started'),
    finished: get('finished'),
    state: isReleaseState(get('state')) ? (get('state') as ReleaseState) : 'failed',
    files: Number(get('files')) || 0,
    bytes: Number(get('bytes')) || 0,
    env_names: get('env_names'),
    // Records before it do not say: all may have been.
    env_looked_up: fields.get('env_looked_up') ?? get('env_names'),
    env_digest: get('env_digest'),
    order: Number(get('order')) || 0,
    roles: get('roles').split(',').filter(Boolean),
    wave: get('wave'),
    promoted_from: get('promoted_from'),
  };
}

/** Names of the variables of a release's environment file whose values were looked up. */
export function lookedUpIn(record: ReleaseRecord): readonly string[] {
  return record.env_looked_up.split(',');
}

export function parseLock(text: string): LockRecord {
  const fields = parseFields(text);
  const get = (field: string): string => fields.get(field) ?? '';
  return {
    run: get('run'),
    stage: get('stage'),
    user: get('user'),
    host: get('host'),
    started: get('started'),
    action: get('action'),
    // What somebody else has written there is shown as it is.
    message: get('message') || (get('run') === '' ? text.trim().slice(0, 200) : ''),
  };
}

export function parsePendingRollback(text: string): PendingRollback {
  const fields = parseFields(text);
  return { release: fields.get('release') ?? '', left: fields.get('left') ?? '' };
}

export function parseReverted(text: string): Reverted {
  const fields = parseFields(text);
  const get = (field: string): string => fields.get(field) ?? '';
  return { release: get('release'), back_to: get('back_to'), at: get('at') };
}

export function formatHold({ until, ...hold }: HoldRecord): string {
  return formatFields(Object.entries({ ...hold, until: until ?? '' }));
}

export function parseHold(text: string): HoldRecord {
  const fields = parseFields(text);
  const get = (field: string): string => fields.get(field) ?? '';
  return {
    user: get('user'),
    host: get('host'),
    why: get('why'),
    since: get('since'),
    until: get('until') || null,
  };
}

function isReleaseState(text: string): text is ReleaseState {
  return ['preparing', 'prepared', 'finished', 'failed', 'bad'].includes(text);
}

function formatFields(fields: readonly (readonly [string, string | number])[]): string {
  return fields.map(([key, value]) => `${recordLine(key, value)}\n`).join('');
}

function parseFields(text: string): Map<string, string> {
  return new Map(Object.entries(parse(text)).map(([key, value]) => [key, String(value)]));
}

/** JSON, with every control character escaped: also DEL, the C1 range and the line separators that JSON leaves raw. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
