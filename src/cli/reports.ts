/** Tables of what is on the servers: releases, status, locks. Pure. */
import type { HoldRecord, LockRecord, Reverted } from '../engine/server/record.ts';
import type { ProcessState } from '../engine/index.ts';
import { isSound, standingText } from '../report/processes.ts';
import { formatAge, formatBytes } from '../format.ts';
import type { Colors } from './output.ts';
import { printable, printableLines } from '../printable.ts';
import { tableLines } from './table.ts';

export interface Look {
  readonly color: Colors;
  readonly now: Date;
}

type Lock = Pick<LockRecord, 'user' | 'host' | 'started' | 'action' | 'message'>;

/** Who holds a lock, since when and why. */
export function lockText(lock: Lock, now: Date): string {
  const why = lock.message === '' ? '' : ` (${printable(lock.message)})`;
  if (lock.user === '' && lock.host === '') return `an unknown holder${why}`;
  const age = formatAge(lock.started, now.getTime());
  return `${printable(lock.user)}@${printable(lock.host)}, ${printable(lock.action)}, ${printable(age)}${why}`;
}

/** Who holds a stage, since when, until when and why. */
export function holdText({ user, host, since, until, why }: HoldRecord, now: Date): string {
  const end = until === null ? '' : `, until ${until}`;
  return printable(`${user}@${host}, ${formatAge(since, now.getTime())}${end}: ${why}`);
}

export interface ReleaseRow {
  readonly name: string;
  readonly state: string;
  readonly commit: string;
  readonly branch: string;
  readonly subject: string;
  readonly deployed_by: string;
  readonly started: string;
  readonly bytes: number;
  readonly current: boolean;
  readonly unchecked: boolean;
}

export interface ReleasesOfServer {
  readonly server: string;
  readonly current: string | null;
  readonly locked: Lock | null;
  readonly releases: readonly ReleaseRow[];
  readonly error: string | null | undefined;
}

export function releasesLines(servers: readonly ReleasesOfServer[], { color, now }: Look): string[] {
  const lines = servers.map((server) => {
    const head = color.bold(printable(server.server));
    if (typeof server.error === 'string') return [`${head}: ${color.red(printableLines(server.error))}`];
    const lock = server.locked === null ? '' : color.yellow(`  locked by ${lockText(server.locked, now)}`);
    if (server.releases.length === 0) return [`${head}${lock}`, '  no releases yet'];
    const rows = server.releases.map((release) => [
      { text: release.current ? '→' : ' ', paint: color.green },
      { text: release.name, ...(release.current ? { paint: color.green } : {}) },
      liveWord(release),
      release.commit.slice(0, 7),
      release.branch,
      formatAge(release.started, now.getTime()),
      release.deployed_by,
      formatBytes(release.bytes),
      release.subject,
    ]);
    return [`${head}${lock}`, ...tableLines(rows).map((line) => ` ${line}`)];
  });
  return lines.flat();
}

function liveWord({ current, unchecked, state }: ReleaseRow): string {
  if (!current) return state;
  return unchecked ? 'live, unchecked' : 'live';
}

export interface StatusOfServer {
  readonly server: string;
  readonly roles: readonly string[];
  readonly release: string | null;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly subject: string | null;
  readonly finished: string | null;
  readonly behind: number | null;
  readonly locked: Lock | null;
  readonly maintenance: boolean;
  readonly free_bytes: number | null;
  readonly unchecked: boolean;
  readonly reverted: Reverted | null;
  readonly processes: readonly ProcessState[];
  readonly error: string | null | undefined;
}

export interface StatusOfStage {
  readonly stage: string;
  readonly mixed: boolean;
  readonly hold: HoldRecord | null;
  readonly wave: { readonly number: number; readonly of: number } | null;
  readonly servers: readonly StatusOfServer[];
}

export function statusLines(stages: readonly StatusOfStage[], look: Look): string[] {
  const { color, now } = look;
  return stages.flatMap(({ stage, mixed, hold, wave, servers }) => [
    `${color.bold(printable(stage))}${mixed ? color.yellow('  servers are on different releases') : ''}${wave === null ? '' : color.yellow(`  wave ${wave.number} of ${wave.of}`)}`,
    ...(hold === null ? [] : [color.yellow(`  held by ${holdText(hold, now)}`)]),
    ...tableLines(servers.map((server) => statusCells(server, look))).map((line) => `  ${line}`),
    ...servers.flatMap(({ server, locked }) =>
      locked === null ? [] : [color.yellow(`  ${printable(server)} is locked by ${lockText(locked, now)}`)],
    ),
    ...servers.flatMap(({ server, processes }) =>
      processes
        .filter((each) => !isSound(each))
        .map((each) => color.red(`  ${printable(`${server}: ${each.process}: ${standingText(each)}`)}`)),
    ),
    ...servers.flatMap(({ server, maintenance }) =>
      maintenance ? [color.yellow(`  ${printable(server)} is in maintenance: visitors get 503`)] : [],
    ),
    ...servers.flatMap(({ server, reverted }) =>
      reverted === null ? [] : [color.yellow(`  ${revertedText(server, reverted, now)}`)],
    ),
  ]);
}

function revertedText(server: string, { release, back_to, at }: Reverted, now: Date): string {
  const back = back_to === '' ? 'removed it' : `put ${back_to} back`;
  return printable(
    `${server}: a run that ended after its switch never confirmed ${release}; the dead man's switch ${back} ${formatAge(at, now.getTime())}`,
  );
}

function statusCells(server: StatusOfServer, { color, now }: Look) {
  const roles = server.roles.length === 0 ? '' : ` [${server.roles.join(' ')}]`;
  const name = `${server.server}${roles}`;
  if (typeof server.error === 'string')
    return [name, { text: printableOneLine(server.error), paint: color.red }];
  if (server.release === null) return [name, { text: 'nothing is live yet', paint: color.dim }];
  return [
    name,
    { text: server.release, paint: color.green },
    server.unchecked ? { text: 'unchecked', paint: color.yellow } : '',
    (server.commit ?? '').slice(0, 7),
    server.branch ?? '',
    behindText(server.behind),
    server.finished === null || server.finished === '' ? '' : formatAge(server.finished, now.getTime()),
    server.free_bytes === null ? '' : `${formatBytes(server.free_bytes)} free`,
    server.subject ?? '',
  ];
}

function behindText(behind: number | null): string {
  if (behind === null) return '';
  return behind === 0 ? 'up to date' : `${String(behind)} behind`;
}

function printableOneLine(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, ' · ');
}
