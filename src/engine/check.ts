/** `check --connect`: every assessment that a deploy would make, changing nothing. */
import { asDurantError } from '../errors.ts';
import { assessServer, lockedError } from './assess.ts';
import type { Emit } from './events.ts';
import { openJournal } from './journal.ts';
import type { Host } from './ports.ts';
import { announcedPrompter, type StageRequest } from './run.ts';
import { connectTo, learnFacts, type Reach } from './servers.ts';
import { stageGoals } from './stageGoals.ts';
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
