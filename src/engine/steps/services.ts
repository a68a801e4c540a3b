/**
 * `services`: the units and the proxy's site of a release, after the switch. What a release runs with is kept beside its record, so that a
 * rollback and a switch-back put back exactly that.
 */
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { type NamedRun, type Run, type ServerRun, type ServerServices, makesRelease } from '../run/run.ts';
import { outputLines } from '../run/outputLines.ts';
import { defer, runScript } from '../run/script.ts';
import { applyScript, type ApplyRequest } from '../app/apply.ts';
import { choosePorts } from '../app/choosePorts.ts';
import { startDrain } from '../app/drain.ts';
import { removeInstance } from '../app/instance.ts';
import type { Sudo } from '../app/privilege.ts';
import { hasSite } from '../app/site.ts';
import {
  formatServiceSet,
  hasInstance,
  instanceOf,
  isEmpty,
  servingFiles,
  type ServiceSet,
} from '../app/serviceSet.ts';
import { parseRestarts } from '../app/unitStates.ts';
import { keptSet, noServices, projectOf, servicesRecord, unfilledSet, wantedSet } from '../app/wanted.ts';
import { failedStart, watchServices } from '../app/watchServices.ts';
import type { Step, StepContext } from '../run/step.ts';
import { needsScope } from '../server/session.ts';
import { assessServices, pendingServices } from './servicesAssessment.ts';

export const services: Step<NamedRun> = {
  name: 'services',
  applies(run) {
    return runsServices(run);
  },
  async assess(context) {
    // A dry run starts nothing, so there is nothing to ask for.
    await assessServices(context, context.run.dryRun ? 'not asked' : 'asked');
  },
  // Units that are as they should be still run the release before.
  unconditional: true,
  async look(context) {
    return { achieved: false, reason: await pendingServices(context) };
  },
  async achieve(context) {
    const { server } = context;
    const set = await settledSet(context);
    note(server, { begun: true });
    const stdout = await apply(context, set, 'to drain');
    // Those of an instance are counted since its own start.
    const restarts = new Map([...parseRestarts(stdout), ...(server.services?.restarts ?? [])]);
    const files = set.units.map(({ name }) => name);
    note(server, { files, started: performance.now(), restarts });
  },
};

/**
 * The services of the run's release, with their ports chosen, as they are kept for it.
 * @throws {DurantError} `services-failed`.
 */
export async function settledSet(context: StepContext<NamedRun>): Promise<ServiceSet> {
  const { run, server, signal } = context;
  const unfilled = await unfilledSet(run, server, signal);
  if (server.services?.ports === undefined) {
    const { before } = server.services ?? {};
    const kept = await keptSet(run, server, run.release, signal);
    const had = { ...(hasInstance(unfilled) ? {} : before?.ports), ...kept.ports };
    const ports = await choosePorts(context, unfilled, had);
    note(server, { ports });
    const isOther = JSON.stringify(ports) !== JSON.stringify(kept.ports ?? {});
    if (!isEmpty(unfilled) && (makesRelease(run) || isOther)) await keep(context, { ...unfilled, ports });
  }
  return wantedSet(run, server, signal);
}

/** Adds to what is known of a server's services. */
export function note(server: ServerRun, found: Partial<ServerServices>): void {
  server.services = { begun: false, before: undefined, sudo: { kind: 'free' }, ...server.services, ...found };
}

/** Whether the stage's processes and site are something that this run has to look after. */
export function runsServices(run: Run): boolean {
  if (!run.strategy.layout.hasReleases) return false;
  const hasThem = ({ facts, previous, services: known }: ServerRun): boolean =>
    known !== undefined ||
    [run.release, facts.live, previous].some((name) => name && facts.withServices.has(name));
  if (run.servers.some(hasThem)) return true;
  return makesRelease(run) && (run.request.processes.length > 0 || hasSite(run.settings));
}

/**
 * After `current` was switched back: what the release before ran with runs again. Where that fails it is a warning, since the switch back
 * itself has worked.
 */
export async function restoreServices(run: Run, server: ServerRun, signal: AbortSignal): Promise<void> {
  if (!runsServices(run)) return;
  // Where this run has begun nothing with services, they still run what is live now; a dead run may have left others.
  if (run.phase === 'publishing' && server.services?.begun !== true && !(await isLed(run, server, signal)))
    return dropInstance(run, server, signal);
  await orWarn(run, server, async () => {
    const { live } = server.facts;
    const set = live === null ? noServices(run) : await keptSet(run, server, live, signal);
    await apply({ run, server, signal }, set, 'stopped');
  });
}

/** Whether the site leads to this run's instance already: a run that died unconfirmed has led it there. */
async function isLed(run: Run, server: ServerRun, signal: AbortSignal): Promise<boolean> {
  const { instance, before } = server.services ?? {};
  if (instance === undefined || before === undefined) return false;
  const names = new Set(namesOf(before));
  return instanceOf(await wantedSet(run, server, signal)).units.some(({ name }) => names.has(name));
}

/** Stops what was started beside the release that is live, where the site leads to that still. What fails is a warning. */
export async function dropInstance(run: Run, server: ServerRun, signal: AbortSignal): Promise<void> {
  const { services: known } = server;
  if (known?.instance !== 'begun' || known.begun) return;
  await orWarn(run, server, async () => {
    const instance = instanceOf(await wantedSet(run, server, signal));
    const live = new Set(known.before?.units.map(({ name }) => name));
    const units = instance.units.filter(({ name }) => !live.has(name));
    const request = { set: { ...instance, units }, project: projectOf(server), sudo: known.sudo };
    await runScript(server, removeInstance(request), { signal });
  });
}

async function orWarn(run: Run, server: ServerRun, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost') throw error;
    run.emit({
      event: 'warning',
      code: 'services-not-restored',
      message: error.with({
        summary: `${error.summary} The previous release is live again, but its services may not be running.`,
        remedy: 'Look at them',
        command: `durant app ${run.request.stage} info`,
      }).message,
      server: server.address.entry,
    });
  }
}

/** When the run is confirmed: has the server stop, in its own time, what visitors have left. */
export function leaveToDrain(run: Run, server: ServerRun): void {
  const { services: known } = server;
  if (known?.files === undefined) return;
  const script = startDrain({
    run: run.id,
    project: projectOf(server),
    manager: run.settings.systemd,
    sudo: known.sudo,
    wanted: known.files,
    seconds: Math.ceil(run.settings.drain / 1000),
    inScope: needsScope(server.facts),
  });
  defer(server, script);
}

/**
 * Part of the health check: every unit of the release is up; to the end: it stays so for `watch`.
 * @throws {DurantError} `health-check-failed`.
 */
export async function checkServices(
  { run, server, signal }: StepContext<NamedRun>,
  how: 'once' | 'to the end',
): Promise<void> {
  if (!runsServices(run)) return;
  await watchServices({ run, server, signal }, await wantedSet(run, server, signal), how);
}

async function keep({ run, server, signal }: StepContext<NamedRun>, set: ServiceSet): Promise<void> {
  const file = quote(servicesRecord(run.release));
  await runScript(server, `cat > ${file}.new && mv -f ${file}.new ${file}`, {
    signal,
    input: Buffer.from(formatServiceSet(set)),
  });
}

/** Scripts that make a server run what it ran with before this run, for whoever puts it back without this client. */
export function restoringScripts(run: Run, server: ServerRun): readonly string[] {
  if (!runsServices(run)) return [];
  return applyScripts(run, server, server.services?.before ?? noServices(run), 'stopped');
}

/** @param left what becomes of what visitors have left. */
function applyScripts(
  run: Run,
  server: ServerRun,
  set: ServiceSet,
  left: ApplyRequest['left'],
): readonly string[] {
  const { before, files = [], instance } = server.services ?? {};
  const isBack = left === 'stopped';
  const request = {
    project: projectOf(server),
    sudo: sudoOf(server),
    proxyDir: run.settings.proxy_dir,
    left,
    // The site leads to what this run leaves, and back from what it has made.
    serving: !hasInstance(set) ? [] : isBack ? files : namesOf(before),
    kept: isBack && instance === 'begun' ? servingFiles(set).flatMap((file) => file.units) : [],
  };
  const scripts = [applyScript({ ...request, set })];
  // The other systemd's units would run beside these.
  if (before !== undefined && before.units.length > 0 && before.manager !== set.manager) {
    const none: ServiceSet = { manager: before.manager, units: [], site: set.site };
    scripts.unshift(applyScript({ ...request, left: 'stopped', set: none }));
  }
  return scripts;
}

function namesOf(set: ServiceSet | undefined): readonly string[] {
  return set === undefined ? [] : servingFiles(set).map(({ name }) => name);
}

/** @returns what the scripts said. */
async function apply(
  { run, server, signal }: StepContext,
  set: ServiceSet,
  left: ApplyRequest['left'],
): Promise<string> {
  let said = '';
  for (const script of applyScripts(run, server, set, left))
    said += await runOrTell({ run, server, signal }, set, script);
  return said;
}

/** Runs a script that starts services, and tells what it says. @throws {DurantError} `services-failed`, with the journal of what did not start. */
export async function runOrTell(
  { run, server, signal }: StepContext,
  set: ServiceSet,
  script: string,
): Promise<string> {
  // As they come: it may wait for what drains, and says so.
  const lines = outputLines(run.mask, (stream, line) => {
    if (stream === 'stdout' && line !== '' && !line.startsWith('@'))
      run.emit({ event: 'output', server: server.address.entry, stream, line });
  });
  let said: string;
  try {
    said = (await runScript(server, script, { signal, onOutput: lines.write })).stdout.toString('utf8');
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
    throw await notStarted({ run, server, signal }, set, error);
  }
  lines.end();
  return said;
}

async function notStarted(context: StepContext, set: ServiceSet, error: DurantError): Promise<DurantError> {
  const { entry } = context.server.address;
  const found = await failedStart(context, set).catch(() => undefined);
  return new DurantError(
    'services-failed',
    `The services could not be started on ${entry}${found === undefined ? '' : `: ${found.what}`}.`,
    {
      remedy: 'Fix the cause, then deploy again.',
      server: entry,
      output: found?.output ?? error.output,
      cause: error,
    },
  );
}

function sudoOf(server: ServerRun): Sudo {
  return server.services?.sudo ?? { kind: 'free' };
}
