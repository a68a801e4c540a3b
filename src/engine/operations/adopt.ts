/** `adopt`: takes over the `releases/` + `current` of Deployer or Capistrano by writing records for the live release and the complete ones before it, and nothing else. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import type { Emit, RunFinished } from '../events.ts';
import { giveBackLocks, lockServers, reportLocks } from '../server/lockServers.ts';
import { runScript } from '../run/script.ts';
import { writeRecord } from '../steps/release.ts';
import { historyLine } from '../server/history.ts';
import type { Host } from '../ports.ts';
import type { ReleaseRecord } from '../server/record.ts';
import { adoptableQuery, isBefore, type Adoptable } from '../server/adoptable.ts';
import { forEachServer } from '../run/parallel.ts';
import type { Run, ServerRun, StageRequest } from '../run/run.ts';
import type { StepContext } from '../run/step.ts';

/** What is to be recorded on a server. */
interface Recognised {
  /** Oldest first; none where Durant has them already. */
  readonly records: readonly ReleaseRecord[];
  /** Folders that are left alone. */
  readonly left: readonly string[];
}

const nothingFound: Recognised = { records: [], left: [] };

export interface AdoptRequest extends StageRequest {
  readonly dryRun: boolean;
}

/** Adopts a stage's layout on each server. Never throws: how it ended is the last event, which is returned too. */
export function adopt(
  request: AdoptRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunFinished> {
  const options = { request, action: 'adopt', dryRun: request.dryRun, host, emit, signal } as const;
  return runLifecycle(options, async (run) => {
    await connectServers(run);
    const seen = await recogniseEach(run);
    if (request.dryRun || [...seen.values()].every(({ records }) => records.length === 0)) {
      if (request.dryRun) await reportLocks(run);
      for (const [server, found] of seen) say(run, server, found);
      return;
    }
    await lockServers(run, 0);
    // Under the lock: somebody may have worked there meanwhile.
    const found = await recogniseEach(run);
    // ‖ What keeps one server from being adopted leaves all as they are.
    await forEachServer(run, (context) => adoptServer(context, found.get(context.server) ?? nothingFound));
    await giveBackLocks(run);
  });
}

async function recogniseEach(run: Run): Promise<ReadonlyMap<ServerRun, Recognised>> {
  const adoptable = new Map<ServerRun, Adoptable>();
  await forEachServer(run, async (context) => {
    adoptable.set(context.server, await lookAt(context));
  });
  const orderOf = orders(run, [...adoptable.values()]);
  return new Map(
    [...adoptable].map(([server, { tool, releases, left }]) => {
      const known = new Set(server.facts.records.map(({ name }) => name));
      const fresh = releases.filter(({ name }) => !known.has(name));
      const records = fresh.map(({ name, commit, started }): ReleaseRecord => {
        const when = started ?? run.started.toISOString();
        return {
          name,
          commit,
          branch: '',
          subject: `adopted from ${tool}`,
          author: '',
          recipe: '',
          deployed_by: run.host.user,
          from_host: run.host.hostname,
          started: when,
          finished: when,
          state: 'finished',
          files: 0,
          bytes: 0,
          env_names: '',
          env_looked_up: '',
          env_digest: '',
          roles: server.address.roles,
          wave: '',
          order: orderOf(name),
          promoted_from: '',
        };
      });
      return [server, { records, left: left.filter((name) => !known.has(name)) }];
    }),
  );
}

/** @throws {DurantError} `nothing-to-adopt`. */
async function lookAt({ run, server, signal }: StepContext): Promise<Adoptable> {
  const { facts } = server;
  const entry = server.address.entry;
  const path = run.settings.project_dir;
  if (facts.obstacle !== undefined || !facts.exists)
    throw new DurantError(
      'nothing-to-adopt',
      `project_dir ${path} on ${entry} does not exist or cannot be written.`,
      { remedy: 'Check project_dir and the login user.', server: entry },
    );
  if (facts.live === null)
    throw new DurantError(
      'nothing-to-adopt',
      `${path} on ${entry} has no ${run.settings.current_path} link to a folder in releases/, so there is nothing to take over.`,
      { remedy: 'Use strategy: inplace, or an empty project_dir.', server: entry },
    );
  const { script, parse } = adoptableQuery(
    facts.live,
    facts.records.map(({ name }) => name),
  );
  const result = await server.connection.exec({
    script: `cd ${quote(facts.project)} || exit 1\n${script}`,
    signal,
  });
  return parse(result.stdout);
}

/** One place for each name on all servers, before all that Durant has made: what is adopted is older. */
function orders(run: Run, found: readonly Adoptable[]): (name: string) => number {
  const known = run.servers.flatMap(({ facts }) => facts.records);
  const names = [...new Set(found.flatMap(({ releases }) => releases.map(({ name }) => name)))]
    .filter((name) => !known.some((record) => record.name === name))
    .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const first = Math.min(names.length + 1, ...known.map(({ order }) => order)) - names.length;
  return (name) => known.find((record) => record.name === name)?.order ?? first + names.indexOf(name);
}

async function adoptServer({ run, server, signal }: StepContext, found: Recognised): Promise<void> {
  if (found.records.length === 0) return say(run, server, found);
  run.release = server.facts.live ?? undefined;
  const script = [...found.records.map(writeRecord), historyLine(run, server, { ok: true })].join(' && ');
  await runScript(server, script, { signal });
  server.state = 'live';
  report(run, server, 'done', `adopted ${namesOf(found)}${leftWords(found)}`);
}

/** What is so already, or would be done. */
function say(run: Run, server: ServerRun, found: Recognised): void {
  run.release = server.facts.live ?? undefined;
  const live = server.facts.live ?? '';
  if (found.records.length === 0)
    return report(run, server, 'already', `${live} has a record${leftWords(found)}`);
  const commit = found.records.find(({ name }) => name === live)?.commit ?? '';
  const liveWords = `${live}${commit === '' ? '' : ` (${commit.slice(0, 7)})`} is live`;
  report(
    run,
    server,
    'pending',
    `records would be written for ${namesOf(found)}; ${liveWords}${leftWords(found)}`,
  );
}

function namesOf({ records }: Recognised): string {
  return records.map(({ name }) => name).join(', ');
}

function leftWords({ left }: Recognised): string {
  return left.length === 0 ? '' : `; not taken over, as they failed or came after it: ${left.join(', ')}`;
}

function report(run: Run, server: ServerRun, state: 'already' | 'pending' | 'done', reason: string): void {
  run.emit({ event: 'step', step: 'adopt', server: server.address.entry, state, reason, ms: null });
}
