/** The proxy's site of a stage: from its options to a Caddyfile, and where visitors find it. Pure. */
import type { Settings } from '../../config/options/options.ts';
import { DurantError } from '../../errors.ts';
import { fillTemplate, withMark } from './builtInTemplates.ts';
import { listensOn, servingProcess, socketKind } from './publishing.ts';
import { runsThere, socketPath, workingFolder, type RenderRequest, type Running } from './renderUnits.ts';
import { markLine, markOf, portToken, type SiteFile } from './serviceSet.ts';

/** Whether a stage's proxy gets a site file. */
export function hasSite(settings: Settings): boolean {
  return settings.domain_name.length > 0 && (settings.proxy ?? 'caddy') === 'caddy';
}

/** Where visitors find the application; undefined where the stage names no domain. */
export function siteAddress({ domain_name: [first] }: Pick<Settings, 'domain_name'>): string | undefined {
  return first === undefined ? undefined : `https://${first}`;
}

/** A site file, and where it leads. */
export interface Site {
  readonly file: SiteFile;
  readonly upstream: string;
  /** The process that answers there; undefined: none of the stage's. */
  readonly serves: string | undefined;
}

/** @throws {DurantError} `config-invalid` where there is no process that the proxy could ask. */
export function siteOf(request: RenderRequest, running: Running): Site | undefined {
  const { app, settings, project, processes, templates } = request;
  const serving = servingProcess(app, settings.upstream, processes);
  const web = serving ?? processes.find(({ name }) => name === 'web');
  const isElsewhere = web !== undefined && !runsThere(web, request.address);
  if (!hasSite(settings) || isElsewhere) return undefined;
  const upstream = upstreamOf(request, running);
  // Of an instance its own release's: what the site shows changes with where it leads.
  const directory = workingFolder(request, running);
  const mark = `# ${markOf(project)}`;
  const statics = settings.statics.map((route) => {
    const [url = '', folder = ''] = route.split(/\s*=\s*/, 2);
    const path = `/${url.replace(/^\/+|\/+$/g, '')}`;
    const root = `${directory}/${folder.replace(/^(\.\/)+/, '').replace(/\/+$/, '')}`;
    return `\thandle_path ${path === '/' ? '/*' : `${path}/*`} {\n\t\troot * ${caddyWord(root)}\n\t\tfile_server\n\t}`;
  });
  const text = fillTemplate(
    templates,
    { own: 'Caddyfile', fallback: 'Caddyfile' },
    {
      project: markLine(project),
      app,
      domain_name: settings.domain_name[0] ?? '',
      upstream: caddyWord(upstream),
      statics: statics.join('\n'),
      redirects: redirectsOf(settings),
      directory: caddyWord(directory),
    },
  );
  const path = `${settings.proxy_dir.replace(/\/+$/, '')}/${app}.caddy`;
  return { file: { path, text: withMark(text, mark) }, upstream, serves: serving?.name };
}

/** 308 keeps the method of a request, unlike 301. */
function redirectsOf({ domain_name: [first, ...others] }: Settings): string {
  if (first === undefined || others.length === 0) return '';
  return `${others.join(', ')} {\n\tredir https://${first}{uri} 308\n}`;
}

/** Where the proxy asks for what it does not serve itself: `unix//path` or `host:port`. @throws {DurantError} `config-invalid`. */
function upstreamOf(request: RenderRequest, running: Running): string {
  const { app, processes, settings } = request;
  const { upstream } = settings;
  const process = servingProcess(app, upstream, processes);
  const isPlaceheld = upstream !== undefined && /\{(?:port|socket)\}/.test(upstream);
  if (process === undefined) {
    if (upstream !== undefined && !isPlaceheld) return upstream;
    throw isPlaceheld
      ? new DurantError(
          'config-invalid',
          `upstream is ${upstream}, but no process has it in its command, or several have.`,
          { remedy: 'Write it in the command of the process that is to be asked.' },
        )
      : noUpstream();
  }
  const listens = listensOn(process);
  if (listens === 'port')
    return isPlaceheld
      ? upstream.replaceAll('{port}', portToken(process.name))
      : `127.0.0.1:${portToken(process.name)}`;
  if (listens !== undefined) {
    if (settings.systemd === 'user')
      throw new DurantError(
        'config-invalid',
        `The proxy has no access to the sockets of the login user, which [process ${process.name}] has one of (systemd: user).`,
        { remedy: 'Give the process a port: write {port} in its command, or socket = 8000.' },
      );
    const path = socketPath(request, process, running);
    return isPlaceheld ? upstream.replaceAll('{socket}', path) : `unix/${path}`;
  }
  if (upstream !== undefined) return upstream;
  const given = process.settings.socket ?? '';
  if (socketKind(given) === 'no') throw noUpstream();
  if (given.startsWith('/')) return `unix/${given}`;
  return /^\d+$/.test(given) ? `127.0.0.1:${given}` : given.replace(/^0\.0\.0\.0:/, '127.0.0.1:');
}

function noUpstream(): DurantError {
  return new DurantError(
    'config-invalid',
    'domain_name is set, but the proxy does not know where to send requests: there is no [process web] with a socket.',
    { remedy: 'Write upstream = host:port, or give [process web] a socket.' },
  );
}

/** A word of a Caddyfile. */
function caddyWord(text: string): string {
  return /[\s"{}`]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : text;
}
