/** `down`: takes an application away from the servers of a stage: units, site, `current`, releases, `.durant`; `shared/` only where asked. */
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { prologue, stopSparesFunction } from '../../transfer/stream/serverFunctions.ts';
import { findServices, removeServices, type FoundServices } from '../app/removeServices.ts';
import type { Emit, RunFinished } from '../events.ts';
import type { Host } from '../ports.ts';
import { assertTyped } from '../run/confirm.ts';
import { connectServers, runLifecycle } from '../run/lifecycle.ts';
import { forEachServer } from '../run/parallel.ts';
import { removeReleases } from '../run/removal.ts';
import type { Run, ServerRun, StageRequest } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { StepContext } from '../run/step.ts';
import { timed } from '../run/timed.ts';
import { assertNotLocked, lockServers } from '../server/lockServers.ts';
import { assessServer } from '../server/preflight.ts';

export interface DownRequest extends StageRequest {
  /** Remove `shared/` too. */
  readonly shared: boolean;
  readonly confirmed: boolean;
}

export interface TakenDown {
  readonly finished: RunFinished;
  /** What was removed, by server entry: units, `site`, releases, `current`, `shared`. */
  readonly removed: ReadonlyMap<string, readonly string[]>;
}

/** Takes a stage down. Never throws: how it ended is the last event, which is in the result too. */
export async function down(
  request: DownRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<TakenDown> {
  const removed = new Map<string, readonly string[]>();
  const options = { request, action: 'down', dryRun: false, host, emit, signal } as const;
  const finished = await runLifecycle(options, async (run) => {
    await connectServers(run);
    for (const { address } of run.servers) removed.set(address.entry, []);
    const services = new Map<ServerRun, readonly FoundServices[]>();
    for (const server of run.servers) services.set(server, await findServices(run, server, signal));
    const there = run.servers.filter(
      (server) => services.get(server)?.length !== 0 || isThere(server, request),
    );
    leaveAlone(run, there);
    if (there.length === 0) return;
    await assertNotLocked(run);
    await confirm(run, request);
    await lockServers(run, 0);
    await forEachServer(run, async (context) => {
      const { server } = context;
      await timed(context, 'down', async () => {
        const gone = await takeDown(context, services.get(server) ?? [], request);
        removed.set(server.address.entry, gone);
        const reason = gone.length === 0 ? 'records removed' : `removed ${gone.join(', ')}`;
        return { state: 'done', reason };
      });
    });
  });
  return { finished, removed };
}

/** @throws {DurantError} where project_dir cannot be entered or written. */
function isThere({ address, facts, connection }: ServerRun, { shared, settings }: DownRequest): boolean {
  if (facts.exists && facts.obstacle !== undefined) assessServer(address.entry, facts, settings, connection);
  // Only a folder that has nothing but shared/ can be what an earlier `down` has left.
  return facts.managed || (shared && facts.exists && facts.foreign === undefined);
}

/** A server that has nothing of it gets no lock, which would make what is to go. */
function leaveAlone(run: Run, there: readonly ServerRun[]): void {
  for (const server of run.servers.splice(0, run.servers.length, ...there))
    if (!there.includes(server)) server.connection.close();
}

/** The stage's name, whether it is protected or not. @throws {DurantError} `confirmation-needed`, `cancelled`. */
async function confirm(run: Run, { stage, shared, confirmed, settings }: DownRequest): Promise<void> {
  if (confirmed) return;
  const kept = shared ? ', shared/ included' : '; shared/ stays';
  const message = `${stage} will be taken down: its units, site, releases and records in ${settings.project_dir} on ${run.servers.map(({ address }) => address.entry).join(', ')} will be removed${kept}. Type the stage's name to go on.`;
  const answer = await run.host.prompt({ kind: 'confirm', server: null, message, expect: stage }, run.signal);
  assertTyped(stage, answer, `Taking down ${stage} was not confirmed.`);
}

async function takeDown(
  { run, server, signal }: StepContext,
  services: readonly FoundServices[],
  { shared }: DownRequest,
): Promise<readonly string[]> {
  const { entry } = server.address;
  const { facts } = server;
  await removeServices(run, server, services, signal);
  const link = facts.currentTarget === undefined ? [] : ['current'];
  await runScript(server, `${stopSpares(server)}\n${link.length === 0 ? ':' : removeLink(run)}`, { signal });
  server.facts = { ...facts, live: null, currentTarget: undefined };
  const names = run.strategy.layout.hasReleases
    ? [...facts.records, ...facts.orphanRecords].map(({ name }) => name)
    : [];
  const { removed, left } = await removeReleases(run, server, names, { last: '', signal });
  if (left.length > 0)
    throw new DurantError(
      'permission-denied',
      `Not all of ${run.request.stage} could be removed from ${entry}: ${left.join(', ')}.`,
      {
        remedy: 'Remove it there, or set cleanup_use_sudo: yes, then run it again',
        command: `durant down ${run.request.stage}`,
        server: entry,
        changed: true,
      },
    );
  const hadShared = shared && facts.exists;
  await runScript(server, lastScript(hadShared), { signal });
  server.ownLock = { state: 'none' };
  const gone = [
    ...services.flatMap(({ found }) => found),
    ...link,
    ...removed,
    ...(hadShared ? ['shared'] : []),
  ];
  return gone;
}

/** A spare in the making would go on writing into `.durant`. */
function stopSpares({ facts }: ServerRun): string {
  return `( ${prologue(facts.project, facts.transfer.hashTool ?? 'sha256sum')}${stopSparesFunction}stop_spares '' ) || exit 1`;
}

function removeLink({ settings }: Run): string {
  const current = quote(settings.current_path);
  return `if [ -L ${current} ]; then rm -f ${current}; fi`;
}

/** The lock goes with `.durant`, last of all. What Durant did not make in `releases/` stays, and so does project_dir. */
function lastScript(withShared: boolean): string {
  return `${withShared ? 'rm -rf shared || exit 1\n' : ''}[ ! -d releases ] || rmdir releases 2>/dev/null
rm -rf .durant`;
}
