/** `verify`: what is live on each server compared with what was deployed there: files, `current`, units and site. Takes no lock, changes nothing. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { compareRelease, type PathDrift } from '../../transfer/stream/compareRelease.ts';
import { displayPath } from '../../transfer/tree/manifest.ts';
import { installedScript, parseInstalled } from '../app/installedServices.ts';
import { parseServiceSet } from '../app/serviceSet.ts';
import { servicesRecord } from '../app/wanted.ts';
import type { Emit, RunEvent, RunFinished, ServerOutcome } from '../events.ts';
import type { Host } from '../ports.ts';
import { maskedEmit } from '../run/emit.ts';
import { newRunId, type StageRequest } from '../run/run.ts';
import { LAYOUTS, type Layout } from '../server/layout.ts';
import { lookAtEach, type Looked } from '../server/lookAtServers.ts';
import { newestFirst } from '../server/releases.ts';
import { trim } from '../steps/shared.ts';

export interface VerifyRequest extends StageRequest {
  /** Shared and writable paths, too, and what the run's own commands have changed. */
  readonly all: boolean;
}

export type Drift = Extract<RunEvent, { readonly event: 'drift' }>;

export interface Verified {
  readonly finished: RunFinished;
  readonly drifts: readonly Drift[];
}

type Found = Pick<Drift, 'path' | 'path_base64' | 'kind'>;

/** Verifies a stage. Never throws: how it ended is the last event, which is in the result too. One server's failure hides no other. */
export async function verify(
  request: VerifyRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<Verified> {
  const masked = maskedEmit(emit, request.secrets);
  const drifts: Drift[] = [];
  let failure: DurantError | undefined;
  masked.emit({
    event: 'run-started',
    action: 'verify',
    run: newRunId(host.now(), host.randomId()),
    stage: request.stage,
    dry_run: false,
    servers: request.servers.map(({ entry }) => entry),
  });
  const servers = await lookAtEach<ServerOutcome>(
    { request, host, emit: masked.emit, signal },
    async (looked) => {
      const { entry } = looked.address;
      for (const found of await driftOf(request, looked, signal)) {
        const drift: Drift = { event: 'drift', server: entry, ...found };
        drifts.push(drift);
        masked.emit(drift);
      }
      return { server: entry, state: 'unchanged', current: looked.facts.live, error: null };
    },
    ({ entry }, error) => {
      failure ??= error;
      return { server: entry, state: 'failed', current: null, error: masked.mask(error.message) };
    },
  ).catch((thrown: unknown) => {
    if (!(thrown instanceof DurantError)) throw thrown;
    failure = thrown;
    return [];
  });
  const finished: RunFinished = {
    event: 'run-finished',
    ok: failure === undefined,
    dry_run: false,
    release: servers.find(({ current }) => current !== null)?.current ?? null,
    commit: null,
    servers,
    error:
      failure === undefined
        ? null
        : { code: failure.code, message: masked.mask(failure.message), changed: false },
  };
  masked.emit(finished);
  return { finished, drifts };
}

async function driftOf(
  request: VerifyRequest,
  looked: Looked,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const { settings, all } = request;
  const { address, connection, facts } = looked;
  const layout = LAYOUTS[settings.strategy];
  const current = layout.hasReleases ? currentDrift(looked) : [];
  if (facts.live === null) {
    if (current.length > 0) return current;
    throw new DurantError(
      'unknown-release',
      `Nothing is live on ${address.entry}. Deploy first: durant deploy ${request.stage}`,
      { server: address.entry },
    );
  }
  const shared = [...settings.shared_dirs, ...settings.shared_files].map(trim);
  const paths = await compareRelease({
    connection,
    projectDir: facts.project,
    release: facts.live,
    hashTool: facts.transfer.hashTool ?? 'sha256sum',
    strategy: settings.strategy,
    through: all && layout.hasReleases ? shared : [],
    signal,
    timeoutMs: settings.command_timeout,
  });
  const leftOut = [...shared, ...settings.writable_dirs].map(latin1);
  const revision = layout.hasReleases ? await revisionDrift(looked, signal) : [];
  const files = [...revision, ...paths.filter((drift) => counts(drift, all ? 'all' : leftOut, layout))]
    .toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)))
    .map(({ path, kind }) => ({ ...displayPath(path), kind }));
  return [...current, ...(await servicesDrift(request, looked, signal)), ...files];
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
function currentDrift({ facts }: Looked): readonly Found[] {
  const last = newestFirst(facts.records).find(({ state }) => state === 'finished');
  if (last === undefined || last.name === facts.live) return [];
  const isThere = facts.currentTarget !== undefined || facts.currentIsFolder;
  return [{ path: 'current', kind: isThere ? 'changed' : 'deleted' }];
}

async function servicesDrift(
  { settings }: VerifyRequest,
  { connection, facts }: Looked,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  if (!facts.withServices.has(facts.live ?? '')) return [];
  const file = quote(`${facts.project}/${servicesRecord(facts.live ?? '')}`);
  const kept = await connection.exec({ script: `cat ${file}`, signal });
  const script = installedScript(
    parseServiceSet(kept.stdout.toString('utf8')),
    facts.project,
    settings.proxy_dir,
  );
  return parseInstalled((await connection.exec({ script, signal })).stdout.toString('utf8'));
}
