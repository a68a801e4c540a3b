/**
 * The saved plan of a deploy: what a dry run found, by digest. A deploy by it does exactly that, or nothing: where anything of it is
 * otherwise by now, it ends before anything is written.
 */
import { asDurantError, DurantError } from '../../errors.ts';
import { filesDrift } from '../server/drift.ts';
import { forEachServer } from './parallel.ts';
import type { BuiltRun, NamedRun, Run, ServerRun } from './run.ts';

export interface DeployPlan {
  readonly version: 1;
  readonly stage: string;
  /** Full id. */
  readonly commit: string;
  /** Digest of the manifest that the release is to have: sha256 in hex. */
  readonly tree: string;
  readonly recipe: string;
  readonly servers: readonly PlannedServer[];
  /** UTC ISO 8601. */
  readonly created: string;
}

/** What is live on a server: a release's name, and the digest of its manifest; null for none. */
export interface PlannedServer {
  readonly server: string;
  readonly live: string | null;
  readonly manifest: string | null;
}

/** Whether a dry run tells its plan: always, or where it knows the tree without a build. */
export type SavePlan = boolean | 'where-known';

/**
 * Tells the plan of a dry run that was asked for it.
 * @param tree digest of the manifest that the release is to have; undefined where it is not known before the build has run.
 * @throws {DurantError} `usage` where it has to be known and is not.
 */
export function emitPlan(run: NamedRun, tree: string | undefined, wanted: SavePlan = false): void {
  if (wanted === false || (tree === undefined && wanted === 'where-known')) return;
  if (tree === undefined)
    throw new DurantError(
      'usage',
      'What would be sent is known only after before_deploy has run, and a plan has to say it.',
      { remedy: 'Add --build.' },
    );
  run.emit({ event: 'plan', ...planOf(run, tree) });
}

function planOf(run: NamedRun, tree: string): DeployPlan {
  return {
    version: 1,
    stage: run.request.stage,
    commit: run.commit.id,
    tree,
    recipe: run.recipe,
    servers: run.servers.map(plannedServer),
    created: run.host.now().toISOString(),
  };
}

/** @throws {DurantError} `usage` where the text is no plan. */
export function parsePlan(text: string, name: string): DeployPlan {
  const refuse = (why: string): never => {
    throw new DurantError('usage', `${name} ${why}.`, {
      remedy: 'Make one with',
      command: 'durant -n deploy STAGE --out FILE',
    });
  };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  if (!isRecord(found)) return refuse('is not a plan');
  if (found['version'] !== 1) return refuse(`has the version ${JSON.stringify(found['version'])}, not 1`);
  const { stage, commit, tree, recipe, servers, created } = found;
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (!isText(stage) || !isText(commit) || !isText(tree) || !isText(recipe) || !Array.isArray(servers))
    return refuse('lacks a field of a plan');
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return refuse('does not name a commit by its full id');
  return {
    version: 1,
    stage,
    commit,
    tree,
    recipe,
    servers: servers.map((server: unknown) => parseServer(server) ?? refuse('has an invalid server')),
    created: isText(created) ? created : '',
  };
}

/**
 * Whether what the plan was made of is as it was: recipe, what is live, and each of its files.
 * @throws {DurantError} `plan-stale`.
 */
export async function assertFresh(run: NamedRun, plan: DeployPlan): Promise<void> {
  if (run.recipe !== plan.recipe)
    throw stale('the options of the stage, or values that they take from elsewhere, have changed', run);
  assertSameLive(run, plan);
  await forEachServer(run, async ({ server, signal }) => {
    // What was adopted has no manifest: nobody can say what changed.
    if (plannedServer(server).live === null || server.facts.transfer.manifestDigest === undefined) return;
    const [first, ...more] = await filesDrift(run.request, server, signal);
    if (first === undefined) return;
    const others = more.length === 0 ? '' : `, and ${more.length} more`;
    throw stale(
      `${first.path} was changed on ${server.address.entry} after it was deployed${others}`,
      run,
      server,
    );
  });
}

/** Fetches the commit of a plan. @throws {DurantError} `plan-stale` where it, or its branch, is gone; what fetching throws. */
export async function fetchPlanned<T>(run: Run, fetching: Promise<T>): Promise<T> {
  try {
    return await fetching;
  } catch (error) {
    if (asDurantError(error).code !== 'branch-not-found') throw error;
    throw stale('its commit, or the branch that it was found by, is no longer in the repository', run);
  }
}

/** Also under the lock: somebody may have deployed meanwhile. @throws {DurantError} `plan-stale`. */
export function assertSameLive(run: NamedRun, plan: DeployPlan): void {
  for (const server of run.servers) {
    const now = plannedServer(server);
    const then = plan.servers.find((each) => each.server === now.server);
    if (then?.live === now.live && then.manifest === now.manifest) continue;
    throw stale(
      `${now.server} had ${then?.live ?? 'nothing'} live, and has ${now.live ?? 'nothing'} now`,
      run,
      server,
    );
  }
}

/** What is live on a server: a release's name, null for none. */
export type LiveOn = Pick<PlannedServer, 'server' | 'live'>;

/** For a rollback, whose files are those of its release. @throws {DurantError} `plan-stale`. */
export function assertLiveAs(run: NamedRun, expected: readonly LiveOn[]): void {
  for (const { address, facts } of run.servers) {
    const then = expected.find(({ server }) => server === address.entry);
    if (then !== undefined && then.live === facts.live) continue;
    throw new DurantError(
      'plan-stale',
      `The plan is stale: ${address.entry} had ${then?.live ?? 'nothing'} live, and has ${facts.live ?? 'nothing'} now. Nothing was changed.`,
      {
        remedy: 'Look again',
        command: `durant -n rollback ${run.request.stage}`,
        server: address.entry,
      },
    );
  }
}

/** @throws {DurantError} `plan-stale` where another tree was built. */
export function assertSameTree(run: BuiltRun, plan: DeployPlan): void {
  if (run.tree.manifest.digest === plan.tree) return;
  throw stale('other files would be sent, although the commit is the same', run);
}

function stale(why: string, run: Run, server?: ServerRun): DurantError {
  return new DurantError('plan-stale', `The plan is stale: ${why}. Nothing was changed.`, {
    remedy: 'Look again and save a new plan',
    command: `durant -n deploy ${run.request.stage} --out FILE`,
    server: server?.address.entry,
  });
}

function plannedServer({ address, facts }: ServerRun): PlannedServer {
  return { server: address.entry, live: facts.live, manifest: facts.transfer.manifestDigest ?? null };
}

function parseServer(value: unknown): PlannedServer | undefined {
  if (!isRecord(value)) return undefined;
  const { server, live, manifest } = value;
  const isName = (name: unknown): name is string | null => name === null || typeof name === 'string';
  return typeof server === 'string' && isName(live) && isName(manifest)
    ? { server, live, manifest }
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
