/** What of a server's live release is not as it was deployed there: files, `current`, units and site. Changes nothing. */
import { quote } from '../../remote/shell.ts';
import { compareRelease, type PathDrift } from '../../transfer/stream/compareRelease.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import { installedScript, parseInstalled } from '../app/installedServices.ts';
import { parseServiceSet } from '../app/serviceSet.ts';
import { servicesRecord } from '../app/wanted.ts';
import type { RunEvent } from '../events.ts';
import type { StageRequest } from '../run/run.ts';
import { trim } from '../steps/shared.ts';
import { LAYOUTS, type Layout } from './layout.ts';
import type { Looked } from './lookAtServers.ts';
import { newestFirst } from './releases.ts';

export type Drift = Extract<RunEvent, { readonly event: 'drift' }>;
export type Found = Pick<Drift, 'path' | 'path_base64' | 'kind'>;

/**
 * The files, by their hashes, sorted.
 * @param scope `own`: without shared and writable paths, and what the release's own run did to it.
 * @throws {DurantError} `verification-failed` where there is no manifest.
 */
export async function filesDrift(
  { settings }: Pick<StageRequest, 'settings'>,
  looked: Looked,
  signal: AbortSignal,
  scope: 'own' | 'all' = 'own',
): Promise<readonly Found[]> {
  const { connection, facts } = looked;
  if (facts.live === null) return [];
  const layout = LAYOUTS[settings.strategy];
  const shared = [...settings.shared_dirs, ...settings.shared_files].map(trim);
  const paths = await compareRelease({
    connection,
    projectDir: facts.project,
    release: facts.live,
    hashTool: facts.transfer.hashTool ?? 'sha256sum',
    strategy: settings.strategy,
    through: scope === 'all' && layout.hasReleases ? shared : [],
    signal,
    timeoutMs: settings.command_timeout,
  });
  const leftOut = scope === 'all' ? scope : [...shared, ...settings.writable_dirs].map(latin1);
  const revision = layout.hasReleases ? await revisionDrift(looked, signal) : [];
  return [...revision, ...paths.filter((drift) => counts(drift, leftOut, layout))]
    .toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)))
    .map(({ path, kind }) => ({ ...displayPath(path), kind }));
}

/** A path as a manifest has it. */
function latin1(path: string): string {
  return Buffer.from(trim(path), 'utf8').toString('latin1');
}

function counts(
  { path, isOwn }: PathDrift,
  leftOut: 'all' | readonly string[],
  { hasReleases }: Layout,
): boolean {
  // Durant's own file, which no manifest lists: its content is looked at by itself.
  if (hasReleases && path === 'REVISION') return false;
  if (leftOut === 'all') return true;
  return !isOwn && !leftOut.some((each) => path === each || path.startsWith(`${each}/`));
}

/** `REVISION` holds the commit of the release. */
async function revisionDrift(
  { connection, facts }: Looked,
  signal: AbortSignal,
): Promise<readonly Pick<PathDrift, 'path' | 'kind'>[]> {
  const commit = facts.records.find(({ name }) => name === facts.live)?.commit ?? '';
  if (commit === '') return [];
  const file = quote(`${facts.project}/releases/${facts.live ?? ''}/REVISION`);
  const { stdout } = await connection.exec({
    script: `if [ -e ${file} ]; then cat ${file}; echo .; fi`,
    signal,
  });
  const text = stdout.toString('latin1');
  if (text === `${commit}\n.\n`) return [];
  return [{ path: 'REVISION', kind: text === '' ? 'deleted' : 'changed' }];
}

/** `current` leads to the newest release that a run has finished: deploys come after it, and a rollback marks the newer ones as bad. */
export function currentDrift({ facts }: Looked): readonly Found[] {
  const last = newestFirst(facts.records).find(({ state }) => state === 'finished');
  if (last === undefined || last.name === facts.live) return [];
  const isThere = facts.currentTarget !== undefined || facts.currentIsFolder;
  return [{ path: 'current', kind: isThere ? 'changed' : 'deleted' }];
}

export async function servicesDrift(
  { settings }: Pick<StageRequest, 'settings'>,
  { connection, facts }: Looked,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  if (!facts.withServices.has(facts.live ?? '')) return [];
  const file = quote(`${facts.project}/${servicesRecord(facts.live ?? '')}`);
  const kept = await connection.exec({ script: `cat ${file}`, signal });
  const set = parseServiceSet(kept.stdout.toString('utf8'));
  // The maintenance page is where the site would be, and Durant's own.
  const script = facts.maintenance
    ? installedScript({ ...set, site: undefined }, facts.project, '/nonexistent')
    : installedScript(set, facts.project, settings.proxy_dir);
  return parseInstalled((await connection.exec({ script, signal })).stdout.toString('utf8'));
}
