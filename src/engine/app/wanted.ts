/** The services that a run wants on a server, and those that a release there was kept with. */
import { parsePortRange } from '../../config/values/forms.ts';
import { quote } from '../../remote/shell.ts';
import { isNamed, type Run, type ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import { appName } from './appName.ts';
import { readTemplates, templatesFolder } from './projectTemplates.ts';
import { publishingOf, type Publishing } from './publishing.ts';
import { renderServices } from './renderServices.ts';
import { parseServiceSet, parseUnfilled, withPorts, type ServiceSet } from './serviceSet.ts';

/** What `.durant/releases/` holds of a release's services. */
export function servicesRecord(release: string): string {
  return `.durant/releases/${release}.services`;
}

/** Stands for the release while it has no name yet, in what is only looked at. */
const UNNAMED = 'RELEASE';

/** The services that this run wants on a server: rendered for a deploy, as they were kept for a rollback. Ports not chosen yet are the first. */
export async function wantedSet(run: Run, server: ServerRun, signal: AbortSignal): Promise<ServiceSet> {
  const set = await unfilledSet(run, server, signal);
  const [first] = parsePortRange(run.settings.ports) ?? [];
  return withPorts(set, (process) => server.services?.ports?.[process] ?? set.ports?.[process] ?? first);
}

/** The same with what stands for the ports. */
export async function unfilledSet(run: Run, server: ServerRun, signal: AbortSignal): Promise<ServiceSet> {
  if (run.action === 'rollback' && isNamed(run)) {
    const text = await keptText(server, run.release, signal);
    return text === '' ? noServices(run) : parseUnfilled(text);
  }
  const { request, settings } = run;
  return renderServices({
    app: appName(request),
    stage: request.stage,
    settings,
    processes: request.processes,
    address: server.address,
    templates: await readTemplates(templatesFolder(request, run.host.env)),
    project: projectOf(server),
    user: server.facts.user,
    release: run.release ?? UNNAMED,
  });
}

/** How the stage is published, as it is written now. */
export async function publishingOfRun({ request, settings, host }: Run): Promise<Publishing> {
  return publishingOf({
    app: appName(request),
    settings,
    processes: request.processes,
    templates: await readTemplates(templatesFolder(request, host.env)),
  });
}

export function noServices({ settings }: Pick<Run, 'settings'>): ServiceSet {
  return { manager: settings.systemd, units: [], site: undefined };
}

/** Before the first deploy project_dir is not there yet, and `~` still stands for the home. */
export function projectOf({ facts }: ServerRun): string {
  return facts.project.startsWith('~/') ? `${facts.home}/${facts.project.slice(2)}` : facts.project;
}

export async function keptSet(
  run: Run,
  server: ServerRun,
  release: string,
  signal: AbortSignal,
): Promise<ServiceSet> {
  const text = await keptText(server, release, signal);
  return text === '' ? noServices(run) : parseServiceSet(text);
}

/** Empty where none is kept. */
async function keptText(server: ServerRun, release: string, signal: AbortSignal): Promise<string> {
  if (!server.facts.managed) return '';
  const file = quote(servicesRecord(release));
  const result = await runScript(server, `if [ -f ${file} ]; then cat ${file}; fi`, { signal });
  return result.stdout.toString('utf8');
}
