/** What a run compares with its tree, worked out once for all servers that have the same release live. */
import { fetchManifest } from '../../transfer/tree/manifestCache.ts';
import type { Manifest } from '../../transfer/tree/manifest.ts';
import { planTransfer, type Plan } from '../../transfer/tree/plan.ts';
import type { Tree } from '../../transfer/tree/scan.ts';
import { resendPaths } from '../../transfer/stream/probe.ts';
import type { ServerRun, TreeRun } from './run.ts';

/** By digest of the manifest that is live; '' where nothing is. */
export interface Compared {
  readonly manifests: Map<string, Promise<Manifest>>;
  readonly plans: Map<string, { readonly tree: Tree; readonly plan: Plan }>;
}

/** Compares the tree with what is live on the server, and keeps the plan for events and the dry run. */
export async function planFor(
  run: TreeRun,
  server: ServerRun,
  signal: AbortSignal,
): Promise<{ readonly plan: Plan; readonly manifest: Manifest | undefined }> {
  const { transfer } = server.facts;
  const manifest = await liveManifest(run, server, signal);
  const touched = manifest === undefined ? [] : resendPaths(transfer);
  const plan = planOf(run, manifest, touched);
  server.plan = plan;
  return { plan, manifest };
}

function planOf(
  { compared: { plans }, tree }: TreeRun,
  live: Manifest | undefined,
  touched: readonly string[],
): Plan {
  const key = live?.digest ?? '';
  const known = plans.get(key);
  if (touched.length === 0 && known?.tree === tree) return known.plan;
  const plan = planTransfer({ live, touched, tree });
  if (touched.length === 0) plans.set(key, { tree, plan });
  return plan;
}

async function liveManifest(
  run: TreeRun,
  { connection, facts: { live, transfer, project } }: ServerRun,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const { manifestDigest: digest } = transfer;
  if (live === null || digest === undefined) return undefined;
  const { manifests } = run.compared;
  const known = manifests.get(digest);
  if (known !== undefined) {
    // What failed on one server is no failure of another.
    const manifest = await known.catch(() => undefined);
    if (manifest !== undefined) return manifest;
  }
  const fetching = fetchManifest({
    connection,
    projectDir: project,
    release: live,
    digest,
    cacheDir: run.host.cacheDir,
    signal,
  });
  manifests.set(digest, fetching);
  return fetching;
}
