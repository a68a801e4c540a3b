/** The services that a run wants on a server, and those that a release there was kept with. */
import { quote } from '../../remote/shell.ts';
import { isNamed, type Run, type ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import { appName } from './appName.ts';
import { readTemplates, templatesFolder } from './projectTemplates.ts';
import { renderServices } from './renderServices.ts';
import { parseServiceSet, type ServiceSet } from './serviceSet.ts';

/** What `.durant/releases/` holds of a release's services. */
export function servicesRecord(release: string): string {
  return `.durant/releases/${release}.services`;
}

/** The services that this run wants on a server: rendered for a deploy, as they were kept for a rollback. */
export async function wantedSet(run: Run, server: ServerRun, signal: AbortSignal): Promise<ServiceSet> {
  if (run.action === 'rollback' && isNamed(run)) return keptSet(run, server, run.release, signal);
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
  });
}

export function noServices({ settings }: Run): ServiceSet {
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
  if (!server.facts.managed) return noServices(run);
  const file = quote(servicesRecord(release));
  const result = await runScript(server, `if [ -f ${file} ]; then cat ${file}; fi`, { signal });
  const text = result.stdout.toString('utf8');
  return text === '' ? noServices(run) : parseServiceSet(text);
}
