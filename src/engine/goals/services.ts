/**
 * `services`: the units and the proxy's site of a release, after the switch. What a release runs with is kept beside its record, so that a
 * rollback and a switch-back put back exactly that.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Run, ServerRun } from '../run.ts';
import { lastLines, runScript } from '../script.ts';
import { appName } from '../services/appName.ts';
import { applyScript, parseStates, statesScript } from '../services/apply.ts';
import { lookScript, parseLook, type ServicesFacts } from '../services/look.ts';
import { CADDY_FOLDER } from '../services/manager.ts';
import { obtainSudo, type Sudo } from '../services/privilege.ts';
import { readTemplates, templatesFolder } from '../services/projectTemplates.ts';
import { hasSite, renderServices } from '../services/render.ts';
import { formatServiceSet, isEmpty, parseServiceSet, type ServiceSet } from '../services/serviceSet.ts';
import type { Step, StepContext } from './goal.ts';

const BETWEEN_TRIES_MS = 2_000;

export const services: Step = {
  name: 'services',
  applies(run) {
    return runsServices(run);
  },
  async assess(context) {
    await assessServices(context);
  },
  async achieved() {
    // Units that are as they should be still run the release before.
    return false;
  },
  async reason(context) {
    const { set, facts } = await lookAt(context);
    const stale = facts.ours.filter((name) => !set.units.some((unit) => unit.name === name));
    const files = [...set.units.map(({ name }) => name), ...(set.site === undefined ? [] : [set.site.path])];
    const differ = files.filter((name) => !facts.same.has(name));
    return [
      differ.length === 0 ? 'unit files are in place' : `${differ.join(', ')} to install`,
      ...(stale.length === 0 ? [] : [`${stale.join(', ')} to stop and remove`]),
      `${set.units.flatMap(({ units }) => units).join(', ') || 'nothing'} to start or restart`,
    ].join('; ');
  },
  async achieve({ run, server, signal }) {
    const set = await wantedSet(run, server, signal);
    server.services = { before: server.services?.before, sudo: sudoOf(server), begun: true };
    if (run.action === 'deploy' && !isEmpty(set)) await keep(run, server, set, signal);
    await apply(run, server, set, signal);
  },
};

/** Whether the stage's processes and site are something that this run has to look after. */
export function runsServices(run: Run): boolean {
  if (run.settings.strategy !== 'releases') return false;
  const hasThem = ({ facts, previous, services: known }: ServerRun): boolean =>
    known !== undefined ||
    [run.release, facts.live, previous].some((name) => facts.withServices.has(name ?? ''));
  if (run.servers.some(hasThem)) return true;
  return run.action === 'deploy' && (run.request.processes.length > 0 || hasSite(run.settings));
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
      message: `${error.message} The release before is live again, but its services may not run; look with: durant app ${run.request.stage} info`,
      server: server.address.entry,
    });
  }
}

/** Part of the health check: every unit of the release is up, and stays so. @throws {DurantError} `health-check-failed`. */
export async function checkServices({ run, server, signal }: StepContext): Promise<void> {
  if (!runsServices(run)) return;
  const set = await wantedSet(run, server, signal);
  if (set.units.every(({ units }) => units.length === 0)) return;
  const tries = run.settings.health_retries + 1;
  for (let attempt = 1; ; attempt++) {
    const result = await runScript(run, server, statesScript(set, sudoOf(server)), { signal });
    const down = parseStates(result.stdout.toString('utf8'), set);
    const [first] = down;
    if (first === undefined) return;
    const what = down.map(({ unit, why }) => `${unit} ${why}`).join(', ');
    if (attempt >= tries) {
      const log = await recentLog(run, server, set, first.unit, signal);
      throw new DurantError(
        'health-check-failed',
        `On ${server.address.entry} ${what}. Every server was switched back; the release is kept as failed until the next run.${log === '' ? '' : `\n${log}`}`,
        { server: server.address.entry },
      );
    }
    run.emit({
      event: 'warning',
      code: 'health-check-retry',
      message: `${what}. Looking again (${attempt} of ${tries - 1}).`,
      server: server.address.entry,
    });
    await delay(BETWEEN_TRIES_MS, undefined, { signal });
  }
}

/** What `.durant/releases/` holds of a release's services. */
export function servicesRecord(release: string): string {
  return `.durant/releases/${release}.services`;
}

async function recentLog(
  run: Run,
  server: ServerRun,
  set: ServiceSet,
  unit: string,
  signal: AbortSignal,
): Promise<string> {
  const sudo = sudoOf(server);
  const user = set.manager === 'user' ? '--user ' : '';
  const root = set.manager === 'system' && sudo.kind === 'free' ? 'sudo -n ' : '';
  const result = await runScript(
    run,
    server,
    `${root}journalctl ${user}--no-pager --quiet -o cat -n 8 -u ${quote(unit)} 2>/dev/null; :`,
    { signal },
  );
  return lastLines(result.stdout.toString('utf8'), 8);
}

/** The services that this run wants on a server: rendered for a deploy, as they were kept for a rollback. */
async function wantedSet(run: Run, server: ServerRun, signal: AbortSignal): Promise<ServiceSet> {
  if (run.action !== 'deploy') return keptSet(run, server, run.release ?? '', signal);
  const { request, settings } = run;
  return renderServices({
    app: appName(request),
    stage: request.stage,
    settings,
    processes: request.processes,
    templates: await readTemplates(templatesFolder(request, run.host.env)),
    project: projectOf(server),
    user: server.facts.user,
  });
}

function noServices({ settings }: Run): ServiceSet {
  return { manager: settings.systemd, units: [], site: undefined };
}

/** Before the first deploy project_dir is not there yet, and `~` still stands for the home. */
function projectOf({ facts }: ServerRun): string {
  return facts.project.startsWith('~/') ? `${facts.home}/${facts.project.slice(2)}` : facts.project;
}

async function keptSet(
  run: Run,
  server: ServerRun,
  release: string,
  signal: AbortSignal,
): Promise<ServiceSet> {
  if (!server.facts.managed) return noServices(run);
  const file = quote(servicesRecord(release));
  const result = await runScript(run, server, `if [ -f ${file} ]; then cat ${file}; fi`, { signal });
  const text = result.stdout.toString('utf8');
  return text === '' ? noServices(run) : parseServiceSet(text);
}

async function keep(run: Run, server: ServerRun, set: ServiceSet, signal: AbortSignal): Promise<void> {
  const file = quote(servicesRecord(run.release ?? ''));
  await runScript(run, server, `cat > ${file}.new && mv -f ${file}.new ${file}`, {
    signal,
    input: Buffer.from(formatServiceSet(set)),
  });
}

async function apply(run: Run, server: ServerRun, set: ServiceSet, signal: AbortSignal): Promise<void> {
  const before = server.services?.before;
  const request = {
    project: projectOf(server),
    run: run.id,
    sudo: sudoOf(server),
    proxyDir: run.settings.proxy_dir,
  };
  const scripts = [applyScript({ ...request, set })];
  // The other systemd's units would run beside these.
  if (before !== undefined && before.units.length > 0 && before.manager !== set.manager)
    scripts.unshift(applyScript({ ...request, set: { manager: before.manager, units: [], site: set.site } }));
  for (const script of scripts) {
    let result;
    try {
      result = await runScript(run, server, script, { signal });
    } catch (thrown) {
      const error = asDurantError(thrown);
      if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
      const [, ...said] = error.message.split('\n');
      throw new DurantError(
        'services-failed',
        `The services could not be started on ${server.address.entry}. Mend what the server says, then deploy again:\n${said.join('\n')}`,
        { server: server.address.entry, cause: error },
      );
    }
    for (const line of result.stdout.toString('utf8').split('\n'))
      if (line !== '') run.emit({ event: 'output', server: server.address.entry, stream: 'stdout', line });
  }
}

function sudoOf(server: ServerRun): Sudo {
  return server.services?.sudo ?? { kind: 'free' };
}

async function lookAt({ run, server, signal }: StepContext): Promise<{
  readonly set: ServiceSet;
  readonly facts: ServicesFacts;
}> {
  const set = await wantedSet(run, server, signal);
  const result = await server.connection.exec({
    script: lookScript(set, projectOf(server)),
    signal,
  });
  return { set, facts: parseLook(result.stdout.toString('utf8')) };
}

/** @throws {DurantError} what would keep the services from being installed, before anything is changed. */
async function assessServices(context: StepContext): Promise<void> {
  const { run, server, signal } = context;
  const entry = server.address.entry;
  const { set, facts } = await lookAt(context);
  const refuse = (code: ConstructorParameters<typeof DurantError>[0], message: string): never => {
    throw new DurantError(code, message, { server: entry });
  };
  const [foreign] = facts.foreign;
  if (foreign !== undefined)
    refuse(
      'services-failed',
      `${foreign} on ${entry} was not made by Durant for this project_dir, and would be replaced. Remove it there, or choose another name with: app`,
    );
  if (set.units.length > 0 && !facts.hasSystemctl)
    refuse(
      'tool-missing',
      `${entry} has no systemd, which runs the processes. Leave them out with: processes`,
    );
  if (set.manager === 'user' && set.units.length > 0) {
    if (!facts.lingers)
      refuse(
        'services-failed',
        `On ${entry} the services of ${server.facts.user} would end with the login. Let them linger: sudo loginctl enable-linger ${server.facts.user}`,
      );
    if (!facts.userManager)
      refuse(
        'services-failed',
        `The systemd of ${server.facts.user} on ${entry} does not answer. Log in there and look at: systemctl --user status`,
      );
  }
  if (facts.refusedUnits !== undefined)
    refuse(
      'services-failed',
      `systemd on ${entry} refuses the units; nothing was changed. Mend [process …] or the templates:\n${lastLines(facts.refusedUnits, 6)}`,
    );
  if (set.site !== undefined) {
    if (!facts.hasCaddy)
      refuse(
        'tool-missing',
        `${entry} has no caddy, which serves ${run.settings.domain_name ?? ''}. Install it there, or write proxy = none.`,
      );
    if (facts.refusedSite !== undefined)
      refuse(
        'services-failed',
        `Caddy on ${entry} refuses the site file; nothing was changed. Mend domain_name, upstream, statics or the template:\n${lastLines(facts.refusedSite, 4)}`,
      );
    if (!facts.caddyRuns)
      refuse(
        'services-failed',
        `Caddy does not run on ${entry}, so nobody would serve ${run.settings.domain_name ?? ''}. Start it there: sudo systemctl enable --now caddy`,
      );
    if (!facts.imported)
      run.emit({
        event: 'warning',
        code: 'site-not-imported',
        message: `${CADDY_FOLDER}/Caddyfile on ${entry} does not import ${run.settings.proxy_dir}, so Caddy will not see the site. Add to it: import ${run.settings.proxy_dir}/*.caddy`,
        server: entry,
      });
  }
  const before =
    server.facts.live === null ? undefined : await keptSet(run, server, server.facts.live, signal);
  const sudo = await becomeRoot(context, facts, set);
  server.services = { begun: server.services?.begun ?? false, before, sudo };
}

/** @throws {DurantError} `permission-denied` where root is needed and cannot be had. */
async function becomeRoot(
  { run, server, signal }: StepContext,
  facts: ServicesFacts,
  set: ServiceSet,
): Promise<Sudo> {
  const needed =
    (set.manager === 'system' && (set.units.length > 0 || facts.ours.length > 0)) || set.site !== undefined;
  if (!needed) return { kind: 'none' };
  const known = server.services?.sudo;
  if (known?.kind === 'password') return known;
  // A dry run starts nothing, so there is nothing to ask for.
  if (run.dryRun) return { kind: 'free' };
  return obtainSudo({
    connection: server.connection,
    found: facts.sudo,
    user: server.facts.user,
    prompt: run.host.prompt,
    hide: run.hide,
    signal,
  });
}
