/** The proxy's site of a stage: from its options to a Caddyfile, and where visitors find it. Pure. */
import type { Settings } from '../../config/options/options.ts';
import { DurantError } from '../../errors.ts';
import { fillTemplate, withMark } from './builtInTemplates.ts';
import { socketKind, runsThere, type RenderRequest } from './renderUnits.ts';
import { markLine, markOf, type SiteFile } from './serviceSet.ts';

/** Whether a stage's proxy gets a site file. */
export function hasSite(settings: Settings): boolean {
  return settings.domain_name.length > 0 && (settings.proxy ?? 'caddy') === 'caddy';
}

/** Where visitors find the application; undefined where the stage names no domain. */
export function siteAddress({ domain_name: [first] }: Pick<Settings, 'domain_name'>): string | undefined {
  return first === undefined ? undefined : `https://${first}`;
}

/** @throws {DurantError} `config-invalid` where there is no process that the proxy could ask. */
export function siteOf(request: RenderRequest): SiteFile | undefined {
  const { app, settings, project, templates } = request;
  const web = request.processes.find(({ name }) => name === 'web');
  const isElsewhere = web !== undefined && !runsThere(web, request.address);
  if (!hasSite(settings) || isElsewhere) return undefined;
  const mark = `# ${markOf(project)}`;
  const statics = settings.statics.map((route) => {
    const [url = '', folder = ''] = route.split(/\s*=\s*/, 2);
    const path = `/${url.replace(/^\/+|\/+$/g, '')}`;
    const root = `${project}/${settings.current_path}/${folder.replace(/^(\.\/)+/, '').replace(/\/+$/, '')}`;
    return `\thandle_path ${path === '/' ? '/*' : `${path}/*`} {\n\t\troot * ${caddyWord(root)}\n\t\tfile_server\n\t}`;
  });
  const text = fillTemplate(
    templates,
    { own: 'Caddyfile', fallback: 'Caddyfile' },
    {
      project: markLine(project),
      app,
      domain_name: settings.domain_name[0] ?? '',
      upstream: caddyWord(upstreamOf(request)),
      statics: statics.join('\n'),
      redirects: redirectsOf(settings),
      directory: caddyWord(`${project}/${settings.current_path}`),
    },
  );
  return { path: `${settings.proxy_dir.replace(/\/+$/, '')}/${app}.caddy`, text: withMark(text, mark) };
}

/** 308 keeps the method of a request, unlike 301. */
function redirectsOf({ domain_name: [first, ...others] }: Settings): string {
  if (first === undefined || others.length === 0) return '';
  return `${others.join(', ')} {\n\tredir https://${first}{uri} 308\n}`;
}

/** Where the proxy asks for what it does not serve itself: `unix//path` or `host:port`. @throws {DurantError} `config-invalid`. */
export function upstreamOf(request: Pick<RenderRequest, 'app' | 'processes' | 'settings'>): string {
  return request.settings.upstream ?? socketUpstream(request);
}

/** Where the proxy asks the process `web`. */
function socketUpstream({
  app,
  processes,
  settings,
}: Pick<RenderRequest, 'app' | 'processes' | 'settings'>): string {
  const web = processes.find(({ name }) => name === 'web');
  const socket = web?.settings.socket;
  const kind = socketKind(socket);
  if (web === undefined || kind === 'no')
    throw new DurantError(
      'config-invalid',
      'domain_name is set, but the proxy does not know where to send requests: there is no [process web] with a socket. Write upstream = host:port, or give [process web] a socket.',
    );
  if (kind === 'yes') {
    if (settings.systemd === 'user')
      throw new DurantError(
        'config-invalid',
        "The proxy has no access to the login user's folder of sockets. With systemd: user give [process web] a port: socket = 8000",
      );
    return `unix//run/${app}/web.sock`;
  }
  const given = socket ?? '';
  if (given.startsWith('/')) return `unix/${given}`;
  return /^\d+$/.test(given) ? `127.0.0.1:${given}` : given.replace(/^0\.0\.0\.0:/, '127.0.0.1:');
}

/** A word of a Caddyfile. */
function caddyWord(text: string): string {
  return /[\s"{}`]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : text;
}
