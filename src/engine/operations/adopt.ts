/** `adopt`: takes over the `releases/` + `current` of Deployer or Capistrano by writing a record for the live release, and nothing else. */
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
import { nextOrder } from '../server/releases.ts';
import { forEachServer } from '../run/parallel.ts';
import type { Run, ServerRun, StageRequest } from '../run/run.ts';
import type { StepContext } from '../run/step.ts';

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
    if (request.dryRun || [...seen.values()].every((record) => record === undefined)) {
      if (request.dryRun) await reportLocks(run);
      for (const [server, record] of seen) say(run, server, record);
      return;
    }
    await lockServers(run, 0);
    // Under the lock: somebody may have worked there meanwhile.
    const found = await recogniseEach(run);
    // ‖ What keeps one server from being adopted leaves all as they are.
    await forEachServer(run, (context) => adoptServer(context, found.get(context.server)));
    await giveBackLocks(run);
  });
}

async function recogniseEach(run: Run): Promise<ReadonlyMap<ServerRun, ReleaseRecord | undefined>> {
  const found = new Map<ServerRun, ReleaseRecord | undefined>();
  await forEachServer(run, async (context) => {
    found.set(context.server, await recognise(context));
  });
  return found;
}

/** The record that the live release gets; undefined where Durant has it already. */
async function recognise({ run, server, signal }: StepContext): Promise<ReleaseRecord | undefined> {
  const { facts } = server;
  const entry = server.address.entry;
  const path = run.settings.project_dir;
  if (facts.obstacle !== undefined || !facts.exists)
    throw new DurantError(
      'nothing-to-adopt',
      `project_dir ${path} on ${entry} does not exist or may not be written. Check project_dir and the login user.`,
      { server: entry },
    );
  if (facts.live === null)
    throw new DurantError(
      'nothing-to-adopt',
      `${path} on ${entry} has no ${run.settings.current_path} link to a folder in releases/, so there is nothing to take over. Use strategy: inplace, or an empty project_dir.`,
      { server: entry },
    );
  if (facts.records.some((record) => record.name === facts.live)) return undefined;
  const result = await server.connection.exec({
    script: `cd ${quote(facts.project)} || exit 1
d=${quote(`releases/${facts.live}`)}
head -n 1 "$d/REVISION" 2>/dev/null || git -C "$d" rev-parse HEAD 2>/dev/null || echo
[ -d .dep ] && echo deployer || echo capistrano`,
    signal,
  });
  const [commit = '', tool = ''] = result.stdout.toString('utf8').split('\n');
  const when = dateOf(facts.live) ?? run.started.toISOString();
  return {
    name: facts.live,
    commit: /^[0-9a-f]{40}$/.test(commit.trim()) ? commit.trim() : '',
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
    order: nextOrder(run.servers.flatMap((each) => each.facts.records)),
    promoted_from: '',
  };
}

async function adoptServer(
  { run, server, signal }: StepContext,
  record: ReleaseRecord | undefined,
): Promise<void> {
  if (record === undefined) return say(run, server, record);
  run.release = record.name;
  await runScript(server, `${writeRecord(record)} && ${historyLine(run, server, { ok: true })}`, { signal });
  server.state = 'live';
  report(run, server, 'done', `adopted ${record.name}`);
}

/** What is so already, or would be done. */
function say(run: Run, server: ServerRun, record: ReleaseRecord | undefined): void {
  run.release = server.facts.live ?? undefined;
  if (record === undefined) return report(run, server, 'already', `${server.facts.live ?? ''} has a record`);
  const commit = record.commit === '' ? '' : ` (${record.commit.slice(0, 7)})`;
  report(run, server, 'pending', `a record would be written for the live release ${record.name}${commit}`);
}

function report(run: Run, server: ServerRun, state: 'already' | 'pending' | 'done', reason: string): void {
  run.emit({ event: 'step', step: 'adopt', server: server.address.entry, state, reason, ms: null });
}

/** The date in the name of a Capistrano release; Deployer's are numbers. */
function dateOf(name: string): string | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
