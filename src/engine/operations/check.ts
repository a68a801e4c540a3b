/** `check --connect`: every assessment that a deploy would make, changing nothing. */
import { asDurantError, throwIfCancelled } from '../../errors.ts';
import type { Settings } from '../../config/options/options.ts';
import type { TrackedFile } from '../../git/port.ts';
import type { ServerAddress } from '../../remote/target.ts';
import { lockedError } from '../server/preflight.ts';
import { buildCommands, readTree } from '../source/build.ts';
import { fetchCommit } from '../source/fetchCommit.ts';
import { inspect } from '../run/inspect.ts';
import { reachOf, serverRun } from '../run/lifecycle.ts';
import { watcherProblem } from '../run/deadManSwitch.ts';
import { stepsOf } from './deploy.ts';
import type { Emit } from '../events.ts';
import type { StepContext } from '../run/step.ts';
import { parseCommand } from '../../config/values/resolvers.ts';
import { isAsked } from '../steps/healthChecks.ts';
import { assessServices } from '../steps/servicesAssessment.ts';
import { assessSudo } from '../steps/sudoAssessment.ts';
import { installsOn } from '../steps/install.ts';
import { hiddenWords } from '../steps/prepare.ts';
import { assertSharedThere, trim } from '../steps/shared.ts';
import { isOurDeadLock } from '../server/lockServers.ts';
import type { Host } from '../ports.ts';
import {
  hasTree,
  isFetched,
  type FetchedRun,
  type Run,
  type ServerRun,
  type StageRequest,
} from '../run/run.ts';
import { assessEnvironment } from '../secrets/environment.ts';
import { tryRelease } from '../server/trialRelease.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';
import { appName } from '../app/appName.ts';
import { stageGoals } from './goals.ts';
import { withVersion } from '../source/version.ts';

export interface Assessment {
  /** null: this machine. */
  readonly server: string | null;
  readonly step: string;
  readonly ok: boolean;
  readonly message: string;
}

/**
 * Assesses a stage here and on each of its servers; what one of them lacks does not hide the others.
 * @throws {DurantError} `cancelled`.
 */
export async function assessStage(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<readonly Assessment[]> {
  const found: Assessment[] = [];
  let isFetched = false;
  await inspect({ request, host, emit, signal }, async (run) => {
    // All are waited for, also when one was cancelled: what a server answers late has to be closed, too.
    const [looked, ...reached] = await Promise.allSettled([
      lookHere(run),
      ...request.servers.map((address) => reach(run, address)),
    ]);
    const here = settled(looked);
    const servers = reached.map(settled);
    isFetched = here.isFetched;
    found.push(...here.assessments);
    const more = servers.map(async ({ server, connected }) => [
      connected,
      ...(server === undefined ? [] : await lookAt({ run, server, signal }, here.tracked)),
    ]);
    found.push(...(await Promise.all(more)).flat());
  });
  return isFetched ? [...found, ...(await assessGoals(request, host, emit, signal))] : found;
}

/** The goals of the pipeline beside `deploy`. */
async function assessGoals(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<readonly Assessment[]> {
  const { pipeline } = request;
  const goals = pipeline?.goals.filter((goal) => goal.kind === 'section') ?? [];
  if (pipeline === undefined || goals.length === 0) return [];
  const looked = await stageGoals(
    { ...request, pipeline: { goals, secrets: pipeline.secrets } },
    host,
    emit,
    signal,
  );
  return looked.goals.map(({ goal, state, reason, optional }) => ({
    server: null,
    step: goal,
    ok: state !== 'unknown' || optional,
    message: reason,
  }));
}

/** What is looked at on this machine: the environment file, the commit, and the tree where nothing has to be built first. */
async function lookHere(run: Run): Promise<{
  readonly assessments: readonly Assessment[];
  /** Paths of the commit that a first release can seed shared files from; undefined where nobody asks, or it is not known. */
  readonly tracked: ReadonlySet<string> | undefined;
  readonly isFetched: boolean;
}> {
  const { settings } = run;
  const { env_file } = settings;
  const assessments: Assessment[] = [];
  if (env_file !== undefined)
    assessments.push(await attempt(run, null, 'env_file', () => assessEnvironment(run, env_file)));
  const fetched = await attempt(run, null, 'fetch', async () => {
    const { commit } = await fetchCommit(run, { ref: undefined });
    const version = run.version === undefined ? '' : `, version ${run.version}`;
    return `${commit.branch} is at ${commit.id.slice(0, 7)} ${commit.subject}${version}`;
  });
  assessments.push(fetched);
  if (!fetched.ok || !isFetched(run)) return { assessments, tracked: undefined, isFetched: false };
  let tracked: ReadonlySet<string> | undefined;
  const checkout = await attempt(run, null, 'checkout', async () => {
    tracked = await lookAtTree(run);
    return '';
  });
  if (!checkout.ok) assessments.push(checkout);
  return { assessments, tracked, isFetched: true };
}

/** Reads the tree that a deploy would send; where `before_deploy` makes something of it first, only the commit's paths are known. */
async function lookAtTree(run: FetchedRun): Promise<ReadonlySet<string> | undefined> {
  const { clone, commit, settings } = run;
  const isBuilt = buildCommands(run).length > 0;
  if (isBuilt && settings.shared_files.length === 0) return undefined;
  const scratch = await clone.scratch(commit, { submodules: settings.submodules && !isBuilt });
  try {
    if (!isBuilt) run.tree = await readTree(run, scratch.directory, scratch.files);
    return sharedIn(settings, scratch.files);
  } finally {
    await scratch.remove();
  }
}

/** Those of the shared files that the commit has. */
function sharedIn(settings: Settings, files: readonly TrackedFile[]): ReadonlySet<string> {
  const root = settings.sub_directory === undefined ? '' : `${trim(settings.sub_directory)}/`;
  const tracked = new Set(files.map(({ path }) => Buffer.from(path, 'latin1').toString('utf8')));
  return new Set(settings.shared_files.filter((path) => tracked.has(`${root}${trim(path)}`)).map(trim));
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

async function reach(
  run: Run,
  address: ServerAddress,
): Promise<{ readonly connected: Assessment; readonly server: ServerRun | undefined }> {
  let server: ServerRun | undefined;
  const connected = await attempt(run, address.entry, 'connect', async () => {
    const connection = await connectTo(reachOf(run), address);
    try {
      server = serverRun(run, connection, await learnFacts(connection, run.settings, run.signal));
      run.servers.push(server);
    } catch (error) {
      connection.close();
      throw error;
    }
    return `${connection.description}, as ${connection.user}`;
  });
  return { connected, server };
}

/** Every step of a deploy in its order; of those that have nothing to look at, none is listed. */
async function lookAt(
  context: StepContext,
  tracked: ReadonlySet<string> | undefined,
): Promise<readonly Assessment[]> {
  const { run, server } = context;
  const assessments: Assessment[] = [];
  for (const step of stepsOf(run)) {
    if (step.applies?.(run) === false) continue;
    // Where the transfer comes in two steps, it is looked at before the first.
    const name = step.name === 'upload' ? 'update_code' : step.name;
    let said: string | undefined;
    const assessment = await attempt(run, server.address.entry, name, async () => {
      // The look at services asks for the password of sudo as a run would, and not as a dry run.
      if (name !== 'services') await step.assess?.(context);
      said = await looks[name]?.(context, tracked);
      return said ?? '';
    });
    if (!assessment.ok || said !== undefined) assessments.push(assessment);
  }
  let allowed: string | undefined;
  const sudo = await attempt(run, server.address.entry, 'sudo', async () => {
    allowed = await assessSudo(context, 'all');
    return allowed ?? '';
  });
  return !sudo.ok || allowed !== undefined ? [...assessments, sudo] : assessments;
}

/** What there is to say of a step that nothing stands against, and what a run finds out about it elsewhere. */
type Look = (context: StepContext, tracked: ReadonlySet<string> | undefined) => Promise<string | undefined>;

const looks: Readonly<Record<string, Look>> = {
  prepare: async ({ run, server: { address, facts } }) => {
    const made = facts.managed ? 'project_dir is set up' : 'project_dir can be made and written';
    return facts.hidden ? `${made}, but ${hiddenWords(address.entry, run.settings.project_dir)}` : made;
  },
  lock: async ({ run, server }) => {
    const { lock } = server.facts;
    if (lock !== null && !(await isOurDeadLock(run, server.facts)))
      throw lockedError(server.address.entry, lock, run.host.now());
    return 'nobody holds the lock';
  },
  release: async ({ run, server, signal }) => {
    if (!hasTree(run)) return undefined;
    await run.strategy.assertRoom({ run, server, signal });
    return 'there is room for it';
  },
  update_code: async ({ run, server, signal }) => {
    // What keeps a release from being made at all is said by `prepare`.
    if (server.facts.obstacle !== undefined || server.facts.missingTools.length > 0) return undefined;
    if (server.facts.transfer.hashTool === undefined || !server.facts.transfer.tar) return undefined;
    await tryRelease({
      connection: server.connection,
      facts: server.facts.transfer,
      tree: run.tree,
      unchanged: run.settings.unchanged,
      signal,
    });
    const made = 'its tools made a release in a scratch folder';
    return run.settings.transfer === 'rsync' ? `rsync 3.1 or newer is on both ends, and ${made}` : made;
  },
  shared: async ({ run, server }, tracked) => {
    if (run.settings.shared_files.length === 0) return undefined;
    assertSharedThere(server.address.entry, run.settings, server.facts, tracked);
    return 'every shared file is there, or comes from the commit';
  },
  install: async ({ run, server }) => {
    if (!installsOn({ run, server })) return 'nothing is installed here (install_roles)';
    const { install_mode, distfile } = run.settings;
    return install_mode === 'binary'
      ? `${withVersion(run, distfile ?? '')} becomes ${appName(run.request)}`
      : 'a virtual environment can be made there';
  },
  services: (context) => assessServices(context, 'asked'),
  symlink: async ({ run, server }) => watcherProblem(run, server),
  health_check: async ({ run }) =>
    run.settings.health_check.some((check) => isAsked(run.settings, parseCommand(check).command))
      ? 'URLs can be asked for there'
      : undefined,
};

/** An assessment of what may throw. @throws {DurantError} `cancelled`. */
async function attempt(
  run: Run,
  server: string | null,
  step: string,
  work: () => Promise<string>,
): Promise<Assessment> {
  try {
    return { server, step, ok: true, message: run.mask(await work()) };
  } catch (error) {
    throwIfCancelled(run.signal);
    return { server, step, ok: false, message: run.mask(asDurantError(error).message) };
  }
}
