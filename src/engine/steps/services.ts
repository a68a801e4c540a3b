/**
 * `services`: the units and the proxy's site of a release, after the switch. What a release runs with is kept beside its record, so that a
 * rollback and a switch-back put back exactly that.
 */
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { type NamedRun, type Run, type ServerRun, makesRelease } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import { applyScript } from '../app/apply.ts';
import type { Sudo } from '../app/privilege.ts';
import { hasSite } from '../app/site.ts';
import { formatServiceSet, isEmpty, type ServiceSet } from '../app/serviceSet.ts';
import { parseRestarts } from '../app/unitStates.ts';
import { keptSet, noServices, projectOf, servicesRecord, wantedSet } from '../app/wanted.ts';
import { failedStart, watchServices } from '../app/watchServices.ts';
import type { Step, StepContext } from '../run/step.ts';
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
  async achieve({ run, server, signal }) {
    const set = await wantedSet(run, server, signal);
    server.services = { before: server.services?.before, sudo: sudoOf(server), begun: true };
    if (makesRelease(run) && !isEmpty(set)) await keep(run, server, set, signal);
    const stdout = await apply(run, server, set, signal);
    server.services = { ...server.services, started: performance.now(), restarts: parseRestarts(stdout) };
  },
};

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
  // Where this run has begun nothing with services, they still run what is live now; a dead run may have left others.
  if (!runsServices(run) || (run.phase === 'publishing' && server.services?.begun !== true)) return;
  try {
    const { live } = server.facts;
    const set = live === null ? noServices(run) : await keptSet(run, server, live, signal);
    await apply(run, server, set, signal);
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'connection-lost') throw error;
    run.emit({
      event: 'warning',
      code: 'services-not-restored',
      message: error.with({
        summary: `${error.summary} The previous release is live again, but its services may not be running; check with: durant app ${run.request.stage} info`,
      }).message,
      server: server.address.entry,
    });
  }
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

async function keep(run: NamedRun, server: ServerRun, set: ServiceSet, signal: AbortSignal): Promise<void> {
  const file = quote(servicesRecord(run.release));
  await runScript(server, `cat > ${file}.new && mv -f ${file}.new ${file}`, {
    signal,
    input: Buffer.from(formatServiceSet(set)),
  });
}

/** Scripts that make a server run what it ran with before this run, for whoever puts it back without this client. */
export function restoringScripts(run: Run, server: ServerRun): readonly string[] {
  return runsServices(run) ? applyScripts(run, server, server.services?.before ?? noServices(run)) : [];
}

function applyScripts(run: Run, server: ServerRun, set: ServiceSet): readonly string[] {
  const before = server.services?.before;
  const request = {
    project: projectOf(server),
    sudo: sudoOf(server),
    proxyDir: run.settings.proxy_dir,
  };
  const scripts = [applyScript({ ...request, set })];
  // The other systemd's units would run beside these.
  if (before !== undefined && before.units.length > 0 && before.manager !== set.manager)
    scripts.unshift(applyScript({ ...request, set: { manager: before.manager, units: [], site: set.site } }));
  return scripts;
}

/** @returns what the scripts said. */
async function apply(run: Run, server: ServerRun, set: ServiceSet, signal: AbortSignal): Promise<string> {
  let said = '';
  for (const script of applyScripts(run, server, set)) {
    let result;
    try {
      result = await runScript(server, script, { signal });
    } catch (thrown) {
      const error = asDurantError(thrown);
      if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
      throw await notStarted({ run, server, signal }, set, error);
    }
    said += result.stdout.toString('utf8');
  }
  for (const line of said.split('\n'))
    if (line !== '' && !line.startsWith('@'))
      run.emit({ event: 'output', server: server.address.entry, stream: 'stdout', line });
  return said;
}

async function notStarted(context: StepContext, set: ServiceSet, error: DurantError): Promise<DurantError> {
  const { entry } = context.server.address;
  const found = await failedStart(context, set).catch(() => undefined);
  return new DurantError(
    'services-failed',
    `The services could not be started on ${entry}${found === undefined ? '' : `: ${found.what}`}. Fix the cause below, then deploy again:`,
    { server: entry, output: found?.output ?? error.output, cause: error },
  );
}

function sudoOf(server: ServerRun): Sudo {
  return server.services?.sudo ?? { kind: 'free' };
}
