/** What a server looks like before a run touches it: one read-only script, one round trip, parsed into `ServerFacts`. */
import type { Settings } from '../../config/options/options.ts';
import { parameters, positional } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import type { Query } from '../../remote/target.ts';
import { LAYOUTS } from './layout.ts';
import { transferProbe, type TransferFacts } from '../../transfer/stream/probe.ts';
import { isSwitchMethod, trySwitch, type SwitchMethod } from './linkSwitch.ts';
import {
  parseHold,
  parseLock,
  parsePendingRollback,
  parseRecord,
  parseReverted,
  type HoldRecord,
  type LockRecord,
  type PendingRollback,
  type ReleaseRecord,
  type Reverted,
} from './record.ts';

/** The layout that this version writes and reads. */
export const LAYOUT_VERSION = '1';

export interface ServerFacts {
  /** Absolute path of project_dir on the server, links resolved; as asked where it does not exist. */
  readonly project: string;
  readonly exists: boolean;
  /** Why project_dir cannot be entered or written, else undefined: `denied`, `not-a-folder`, `read-only`, `read-only-file-system`. */
  readonly obstacle: 'denied' | 'not-a-folder' | 'read-only' | 'read-only-file-system' | undefined;
  /** Whether project_dir, or `releases` in it, can be entered by the login user alone, or would be made so. */
  readonly hidden: boolean;
  /** Whether `.durant` is there, and the layout version in it. */
  readonly managed: boolean;
  readonly layout: string | undefined;
  /** Something in project_dir that is neither `.durant` nor `shared`, where it is not managed. */
  readonly foreign: string | undefined;
  /** Whether `.durant/live` is there: strategy inplace has deployed here. */
  readonly inplace: boolean;
  /** `releases/<name>` that `current` points at, as a name; null where there is no link or it points elsewhere. */
  readonly live: string | null;
  /** The target of the `current` link as it stands. */
  readonly currentTarget: string | undefined;
  readonly currentIsFolder: boolean;
  /** Folders in `releases/`. */
  readonly folders: ReadonlySet<string>;
  /** Records whose folder exists, and those without one. */
  readonly records: readonly ReleaseRecord[];
  readonly orphanRecords: readonly ReleaseRecord[];
  readonly lock: LockRecord | null;
  /** Visitors get the maintenance page (app/maintenanceSite.ts). */
  readonly maintenance: boolean;
  /** What holds the stage there, expired or not; undefined for nothing. */
  readonly hold: HoldRecord | undefined;
  /** The server's clock when it was looked at; undefined where it does not tell. */
  readonly clock: Date | undefined;
  /** The rollback that was last begun there and not finished. */
  readonly rollback: PendingRollback | undefined;
  /** Tells this lock from any other, whatever is written in it; '' where there is none. */
  readonly lockId: string;
  /** Runs that have begun to take the lock over, by the run they take it from. */
  readonly takers: ReadonlyMap<string, string>;
  /** Free bytes and inodes for the login user; undefined where df does not say. */
  readonly freeBytes: number | undefined;
  readonly freeInodes: number | undefined;
  /** Names of needed tools that are missing. */
  readonly missingTools: readonly string[];
  /** How `current` can flip; undefined: no command there can. */
  readonly switchBy: SwitchMethod | undefined;
  /** Whether a process can leave the group of the script that starts it. */
  readonly hasSetsid: boolean;
  /** What logind.conf says of processes that outlive their session, by key; the last word counts. */
  readonly logind: ReadonlyMap<string, string>;
  /** Whether the login user's systemd runs without a login and can be given processes. */
  readonly hasScopes: boolean;
  /** What the dead man's switch put back there since a run was last finished. */
  readonly reverted: Reverted | undefined;
  readonly home: string;
  /** The login user. */
  readonly user: string;
  /** Releases with a record of the services that they run with. */
  readonly withServices: ReadonlySet<string>;
  /** Those of the stage's shared paths that `shared/` does not have. */
  readonly missingShared: ReadonlySet<string>;
  readonly transfer: TransferFacts;
}

/** What the script needs to know of the stage. */
export interface FactsRequest {
  readonly projectDir: string;
  readonly currentPath: string;
  /** Paths below `shared/` to look for. */
  readonly shared: readonly string[];
  readonly strategy: Settings['strategy'];
}

/** Defines `lock_id`. */
export const lockIdentity = shellFile(import.meta.url, './lockIdentity.sh');

const look = shellFile(import.meta.url, './facts.sh');

/** Changes nothing that stays, so a dry run, `status` and `check --connect` ask it, too. */
export function factsQuery(request: FactsRequest): Query<ServerFacts> {
  const { projectDir, currentPath, shared, strategy } = request;
  const { hasReleases } = LAYOUTS[strategy];
  const script = [
    parameters({ has_releases: hasReleases ? 'yes' : '' }, { project: projectDir, current: currentPath }),
    positional(shared),
    hasReleases ? `try_switch() {\n${trySwitch()}\n}\n` : '',
    `transfer_probe() {\n${transferProbe.script}}\n`,
    lockIdentity,
    look,
  ].join('');
  return { script, parse: (stdout) => parseFacts(stdout, request) };
}

function parseFacts(stdout: Buffer, request: FactsRequest): ServerFacts {
  const values = new Map<string, string>();
  const missingTools: string[] = [];
  const folders = new Set<string>();
  const missingShared = new Set<string>();
  const logind = new Map<string, string>();
  const takers = new Map<string, string>();
  const withServices = new Set<string>();
  const blocks = new Map<string, string[]>();
  let block: string[] | undefined;
  for (const line of stdout.toString('utf8').split('\n')) {
    if (line.startsWith('@')) {
      block = line === '@end' ? undefined : [];
      if (block !== undefined) blocks.set(line.slice(1), block);
      continue;
    }
    if (block !== undefined) {
      block.push(line);
      continue;
    }
    const split = line.indexOf('=');
    if (split < 0) continue;
    const [key, value] = [line.slice(0, split), line.slice(split + 1)];
    if (key === 'missing') missingTools.push(value);
    else if (key === 'folder') folders.add(value);
    else if (key === 'services') withServices.add(value);
    else if (key === 'noshared') missingShared.add(value);
    else if (key === 'logind') logind.set(...assignment(value));
    else if (key === 'taker') takers.set(...pair(value));
    else values.set(key, value);
  }
  const records = [...blocks]
    .filter(([name]) => name.startsWith('record '))
    .map(([name, lines]) => parseRecord(lines.join('\n'), name.slice('record '.length, -'.ini'.length)));
  const lock = blocks.get('lock');
  const hold = blocks.get('hold');
  const clock = count(values.get('clock'));
  const rollback = blocks.get('rollback');
  const reverted = blocks.get('reverted');
  const inplace = values.get('inplace');
  const { hasReleases } = LAYOUTS[request.strategy];
  // Where a release has no folder, its record is all there is of it.
  const isThere = (record: ReleaseRecord): boolean => !hasReleases || folders.has(record.name);
  const switchBy = values.get('switch');
  return {
    project: values.get('project') ?? request.projectDir,
    exists: values.get('exists') === 'yes',
    obstacle: obstacleOf(values.get('obstacle')),
    managed: values.get('managed') === 'yes',
    layout: values.get('layout'),
    foreign: values.get('foreign'),
    live: hasReleases ? (values.get('live') ?? null) : inplaceLive(inplace, records),
    inplace: inplace !== undefined,
    hidden: values.get('hidden') === 'yes',
    currentTarget: values.get('current'),
    currentIsFolder: values.get('currentfolder') === 'yes',
    folders,
    records: records.filter(isThere),
    orphanRecords: records.filter((record) => !isThere(record)),
    lock: lock === undefined ? null : parseLock(lock.join('\n')),
    maintenance: values.get('maintenance') === 'yes',
    hold: hold === undefined ? undefined : parseHold(hold.join('\n')),
    clock: clock === undefined ? undefined : new Date(clock * 1000),
    rollback: rollback === undefined ? undefined : parsePendingRollback(rollback.join('\n')),
    lockId: values.get('lockid') ?? '',
    takers,
    freeBytes: kilobytes(values.get('free')),
    freeInodes: count(values.get('inodes')),
    missingTools,
    switchBy: isSwitchMethod(switchBy) ? switchBy : undefined,
    hasSetsid: values.get('setsid') === 'yes',
    logind,
    hasScopes: values.get('scopes') === 'yes',
    reverted: reverted === undefined ? undefined : parseReverted(reverted.join('\n')),
    home: values.get('home') ?? '',
    user: values.get('user') ?? '',
    withServices,
    missingShared: values.get('exists') === 'yes' ? missingShared : new Set(request.shared),
    transfer: transferProbe.parse(stdout),
  };
}

function inplaceLive(name: string | undefined, records: readonly ReleaseRecord[]): string | null {
  return records.find((record) => record.name === name)?.name ?? null;
}

const OBSTACLES = ['denied', 'not-a-folder', 'read-only', 'read-only-file-system'] as const;

function obstacleOf(text: string | undefined): ServerFacts['obstacle'] {
  return OBSTACLES.find((known) => known === text);
}

function pair(text: string): [string, string] {
  const [from = '', by = ''] = text.split(' ');
  return [from, by];
}

function assignment(text: string): [string, string] {
  const [key = '', ...value] = text.split('=');
  return [key.trim(), value.join('=').trim()];
}

function kilobytes(text: string | undefined): number | undefined {
  const value = count(text);
  return value === undefined ? undefined : value * 1024;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
