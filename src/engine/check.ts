/** `check --connect`: every assessment that a deploy would make, changing nothing. */
import { asDurantError } from '../errors.ts';
import { assessServer, lockedError } from './assess.ts';
import type { Emit } from './events.ts';
import { openJournal } from './journal.ts';
import type { Host } from './ports.ts';
import { announcedPrompter, type StageRequest } from './run.ts';
import { connectTo, learnFacts, type Reach } from './servers.ts';
import { stageGoals } from './stageGoals.ts';
import type { Settings } from '../config/options.ts';
import type { Clone, Commit } from '../git/port.ts';
import { assertRsync } from '../transfer/rsync.ts';
import { rsyncHere } from './carrier.ts';
import { assertCanAsk, isUrl } from './goals/healthCheck.ts';
import { assertSharedThere, trim } from './goals/shared.ts';
import { dirname } from 'node:path';

export interface Assessment {
  /** null: this machine. */
  readonly server: string | null;
  readonly step: string;
  readonly ok: boolean;
  readonly message: string;
}

/** Assesses a stage here and on each of its servers. */
export async function assessStage(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<readonly Assessment[]> {
  const { settings } = request;
  const reach: Reach = {
    settings,
    host,
    prompt: announcedPrompter(host.prompt, emit),
    emit,
    mayAddHostKeys: false,
    signal,
  };
  const journal = openJournal(host.stateDir);
  let inCommit: ReadonlySet<string> | undefined;
  const fetch = attempt(null, 'fetch', async () => {
    const clone = await host.git.open({
      repository: settings.repository,
      remote: settings.remote,
      directory: dirname(request.file),
      stage: request.stage,
      tempDir: undefined,
      cacheDir: host.cacheDir,
      gitPath: host.gitPath,
      env: Object.fromEntries(
        Object.entries({ ...host.env, ...settings.env }).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value]],
        ),
      ),
      signal,
      onWait: (message) => emit({ event: 'warning', code: 'waiting-for-clone', message, server: null }),
      onWarning: (code, message) => emit({ event: 'warning', code, message, server: null }),
    });
    try {
      const commit = await clone.fetch(settings.branch);
      if (settings.shared_files.length > 0) inCommit = await sharedInCommit(settings, clone, commit);
      return `${commit.branch} is at ${commit.id.slice(0, 7)} ${commit.subject}`;
    } finally {
      await clone.release();
    }
  });
  const servers = request.servers.map(async (address) => {
    const entry = address.entry;
    const assessments: Assessment[] = [];
    try {
      const connection = await connectTo(reach, address);
      try {
        assessments.push({
          server: entry,
          step: 'connect',
          ok: true,
          message: `${connection.description}, as ${connection.user}`,
        });
        const facts = await learnFacts(connection, settings, signal);
        assessments.push(
          await attempt(entry, 'prepare', async () => {
            assessServer(entry, facts, settings, connection);
            return facts.managed ? 'project_dir is set up' : 'project_dir can be made and written';
          }),
          await attempt(entry, 'lock', async () => {
            if (facts.lock !== null && !(await journal.isDead(facts.lock.run)))
              throw lockedError(entry, facts.lock, host.now());
            return 'nobody holds the lock';
          }),
        );
        if (settings.transfer === 'rsync')
          assessments.push(
            await attempt(entry, 'update_code', async () => {
              await assertRsync(rsyncHere(host), connection, signal);
              return 'rsync 3.1 or newer is on both ends';
            }),
          );
        if (settings.shared_files.length > 0)
          assessments.push(
            await attempt(entry, 'shared', async () => {
              await fetch;
              assertSharedThere(entry, settings, facts, inCommit);
              return 'every shared file is there, or comes from the commit';
            }),
          );
        if (settings.health_check.some((check) => isUrl(check)))
          assessments.push(
            await attempt(entry, 'health_check', async () => {
              await assertCanAsk(connection, signal);
              return 'URLs can be asked for there';
            }),
          );
      } finally {
        connection.close();
      }
    } catch (error) {
      assessments.push({ server: entry, step: 'connect', ok: false, message: asDurantError(error).message });
    }
    return assessments;
  });
  const fetched = await fetch;
  const found = [fetched, ...(await Promise.all(servers)).flat()];
  return fetched.ok ? [...found, ...(await assessGoals(request, host, emit, signal))] : found;
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

/** Those of the shared files that the commit has, for a first release to seed them from. */
async function sharedInCommit(
  settings: Settings,
  clone: Clone,
  commit: Commit,
): Promise<ReadonlySet<string>> {
  const scratch = await clone.scratch(commit, { submodules: false });
  try {
    const root = settings.sub_directory === undefined ? '' : `${trim(settings.sub_directory)}/`;
    const tracked = new Set(scratch.files.map(({ path }) => Buffer.from(path, 'latin1').toString('utf8')));
    return new Set(settings.shared_files.filter((path) => tracked.has(`${root}${trim(path)}`)).map(trim));
  } finally {
    await scratch.remove();
  }
}

async function attempt(
  server: string | null,
  step: string,
  work: () => Promise<string>,
): Promise<Assessment> {
  try {
    return { server, step, ok: true, message: await work() };
  } catch (error) {
    return { server, step, ok: false, message: asDurantError(error).message };
  }
}
