/** What is promoted: the tree that is live in another stage, known by its manifest, of which only what is missing travels through here. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DurantError } from '../../errors.ts';
import type { Connection } from '../../remote/target.ts';
import { fetchFiles, fetchLinkTargets, type FetchFilesRequest } from '../../transfer/stream/fetchFiles.ts';
import type { Manifest } from '../../transfer/tree/manifest.ts';
import { fetchManifest } from '../../transfer/tree/manifestCache.ts';
import { totalsOf, type Tree } from '../../transfer/tree/scan.ts';
import { forEachServer } from '../run/parallel.ts';
import { withFound, type BuiltRun, type FetchedRun, type Run, type StageRequest } from '../run/run.ts';
import { firstServer } from '../run/serverChoice.ts';
import { localStep } from '../run/timed.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';
import { filesDrift, type Found } from '../server/drift.ts';
import { lookAtEach, reachFor } from '../server/lookAtServers.ts';
import { nothingLive } from '../server/preflight.ts';
import type { ReleaseRecord } from '../server/record.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { fetchCommit } from './fetchCommit.ts';
import { recipeOf } from './recipe.ts';

/** The live release of a stage, on its first server; the connection is open until `close`. */
export interface PromotedSource {
  readonly stage: string;
  readonly connection: Connection;
  /** Absolute folder of the release there. */
  readonly folder: string;
  readonly record: ReleaseRecord;
  readonly manifest: Manifest;
}

/**
 * Looks at what is live in a stage, which has to be the same on all of its servers.
 * @throws {DurantError} `unknown-release`, `failed-release`, `servers-disagree`, `verification-failed`, the connection codes.
 */
export async function openSource(run: Run, from: StageRequest): Promise<PromotedSource> {
  const { signal, host, emit } = run;
  run.addSecrets(from.secrets);
  const first = firstServer(from);
  const others = from.servers.slice(1);
  const reach = { ...reachFor({ request: from, host, emit, signal }), mayAddHostKeys: !run.dryRun };
  const connection = await connectTo(reach, first);
  try {
    const facts = await learnFacts(connection, from.settings, signal);
    const record = liveRecord(from.stage, first.entry, facts);
    const digest = facts.transfer.manifestDigest;
    if (digest === undefined)
      throw new DurantError(
        'verification-failed',
        `${first.entry} has no manifest of ${record.name}, so its contents are not known.`,
        { remedy: `Deploy ${from.stage} once more.`, server: first.entry },
      );
    await lookAtEach(
      { request: { ...from, servers: others }, host, emit, signal },
      ({ address, facts: other }) => {
        if (other.live === record.name && other.transfer.manifestDigest === digest) return;
        throw new DurantError(
          'servers-disagree',
          `${address.entry} has ${other.live ?? 'nothing'} live, ${first.entry} has ${record.name}: it is not clear which to promote.`,
          { remedy: `Deploy or roll back ${from.stage} first.`, server: address.entry },
        );
      },
      (_, error) => {
        throw error;
      },
    );
    const { project } = facts;
    const request = { connection, projectDir: project, release: record.name, digest, signal };
    const manifest = await fetchManifest({ ...request, cacheDir: host.cacheDir });
    return { stage: from.stage, connection, folder: `${project}/releases/${record.name}`, record, manifest };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function liveRecord(stage: string, server: string, facts: ServerFacts): ReleaseRecord {
  const record = facts.records.find(({ name }) => name === facts.live);
  if (record === undefined) throw nothingLive(stage, server);
  if (record.state !== 'finished')
    throw new DurantError(
      'failed-release',
      `${record.name} is live on ${server}, but its checks have not passed, so it is not promoted.`,
      { remedy: 'See how it stands', command: `durant status ${stage}`, server },
    );
  return record;
}

/** The commit of the promoted release, in the clone of the stage that it goes to. */
export async function fetchPromoted(run: Run, { record }: PromotedSource): Promise<FetchedRun> {
  const fetched = await fetchCommit(run, { ref: record.commit });
  return withFound(fetched, {
    commit: { ...fetched.commit, branch: record.branch || fetched.commit.branch },
  });
}

/** Its recipe: the options of the stage that it goes to, and the tree, which no `before_deploy` of it has built. */
export async function promotedRecipe(run: FetchedRun, { manifest }: PromotedSource): Promise<string> {
  return createHash('sha256')
    .update(`${await recipeOf(run)} ${manifest.digest}`)
    .digest('hex');
}

/** The whole tree as the manifest has it; `root` has none of its files yet. */
export async function promotedTree(run: FetchedRun, source: PromotedSource, root: string): Promise<Tree> {
  const { manifest } = source;
  const links = manifest.entries.filter(({ type }) => type === 'link');
  const targets = await fetchLinkTargets(fetchRequest(run, source, root), links);
  const entries = manifest.entries.map((entry) => ({
    ...entry,
    mtimeMs: run.commit.date,
    target: targets.get(entry.path) ?? '',
  }));
  return { root, entries, manifest, warnings: [], totals: totalsOf(entries) };
}

/**
 * Brings here what some server lacks, or no longer has as it was deployed, and what has not come yet.
 * @throws {DurantError} `verification-failed`.
 */
export async function fetchMissing(run: BuiltRun, source: PromotedSource): Promise<void> {
  const wanted = new Set<string>();
  await forEachServer(run, async (context) => {
    const { server, signal } = context;
    for (const { path } of (await run.strategy.plan(context)).send) wanted.add(path);
    if (server.facts.transfer.manifestDigest === undefined) return;
    for (const drift of await filesDrift(run.request, server, signal)) wanted.add(latin1(drift));
  });
  const { root, entries } = run.tree;
  const bytes = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
  const missing = entries.filter(
    ({ type, path }) => type === 'file' && wanted.has(path) && !existsSync(bytes(path)),
  );
  if (missing.length === 0) return;
  await localStep(run, 'fetch_release', () => fetchFiles(fetchRequest(run, source, root), missing));
}

function latin1({ path, path_base64 }: Found): string {
  const bytes = path_base64 === undefined ? Buffer.from(path, 'utf8') : Buffer.from(path_base64, 'base64');
  return bytes.toString('latin1');
}

function fetchRequest(run: Run, { connection, folder }: PromotedSource, root: string): FetchFilesRequest {
  return { connection, folder, root, signal: run.signal, timeoutMs: run.settings.command_timeout };
}
