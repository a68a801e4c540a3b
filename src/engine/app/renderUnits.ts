/** From `[process NAME]` sections and the options of a stage to the files that run it on a server. Pure. */
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Settings } from '../../config/options/options.ts';
import { DurantError } from '../../errors.ts';
import { markOf, type ServiceSet, type SiteFile, type UnitFile } from './serviceSet.ts';
import { plainValue, shellCommand } from './systemdText.ts';
import { fillTemplate, withMark, type Templates } from './builtInTemplates.ts';

export interface RenderRequest {
  readonly app: string;
  readonly stage: string;
  readonly settings: Settings;
  readonly processes: readonly NamedProcess[];
  readonly templates: Templates;
  /** Absolute project_dir on the server, links resolved. */
  readonly project: string;
  /** The login user there. */
  readonly user: string;
}

/** @throws {DurantError} `config-invalid` for what validation cannot see: templates, a proxy without a process to ask. */
export function renderServices(request: RenderRequest): ServiceSet {
  return {
    manager: request.settings.systemd,
    units: request.processes.flatMap((process) => unitsOf(request, process)),
    site: siteOf(request),
  };
}

/** `<app>` for the process `web`, `<app>-<name>` for others; what systemd does not take in a name becomes `-`. */
export function unitBase(app: string, process: string): string {
  return process === 'web' ? app : `${app}-${process.replaceAll(/[^A-Za-z0-9:_.-]/g, '-')}`;
}

/** The units of a process that a user starts, stops and reads the log of. */
export function unitNames(app: string, { name, settings }: NamedProcess): readonly string[] {
  const base = unitBase(app, name);
  if (settings.replicas === 1) return [`${base}.service`];
  return Array.from({ length: settings.replicas }, (_, index) => `${base}@${index + 1}.service`);
}

/** Whether a stage's proxy gets a site file. */
export function hasSite(settings: Settings): boolean {
  return settings.domain_name !== undefined && (settings.proxy ?? 'caddy') === 'caddy';
}

/** Where visitors find the application; undefined where the stage names no domain. */
export function siteAddress({ domain_name }: Pick<Settings, 'domain_name'>): string | undefined {
  return domain_name === undefined ? undefined : `https://${domain_name}`;
}

function unitsOf(request: RenderRequest, process: NamedProcess): readonly UnitFile[] {
  const { app, settings, project, stage, templates } = request;
  const { name } = process;
  const own = process.settings;
  const base = unitBase(app, name);
  const listen = listenOf(app, process);
  const common = {
    description: plainValue(`${app} ${name} (${stage}, by Durant)`),
    project: plainMark(project),
  };
  const mark = markOf(project);
  if (own.user !== undefined && settings.systemd === 'user' && own.user !== request.user)
    throw new DurantError(
      'config-invalid',
      `[process ${name}] wants the user ${own.user}, but with systemd: user everything runs as the login user ${request.user}. Remove user, or write systemd: system.`,
    );
  const service = `${base}${own.replicas > 1 ? '@' : ''}.service`;
  const timed = own.timer !== undefined;
  const text = (suffix: string, values: Readonly<Record<string, string>>): string =>
    withMark(
      fillTemplate(
        templates,
        { own: `${name}.${suffix}`, fallback: `default.${suffix}` },
        { ...common, ...values },
      ),
      mark,
    );
  const files: UnitFile[] = [];
  if (listen !== undefined)
    files.push({
      name: `${base}.socket`,
      process: name,
      text: text('socket', { listen }),
      units: [`${base}.socket`],
      mayEnd: false,
    });
  if (timed)
    files.push({
      name: `${base}.timer`,
      process: name,
      text: text('timer', { timer: timerLines(own.timer ?? '') }),
      units: [`${base}.timer`],
      mayEnd: false,
    });
  files.push({
    name: service,
    process: name,
    text: text('service', {
      type: timed ? 'oneshot' : 'simple',
      user: settings.systemd === 'user' ? '' : plainValue(own.user ?? request.user),
      directory: plainValue(`${project}/${settings.current_path}`),
      environment_file:
        settings.env_file === undefined
          ? ''
          : plainValue(`${project}/${settings.current_path}/${settings.env_target.replace(/^(\.\/)+/, '')}`),
      exec_start: shellCommand(own.command),
      command: own.command,
      restart: timed ? '' : own.restart,
      restart_delay: timed ? '' : '1',
      socket: listen === undefined ? '' : `${base}.socket`,
      target: timed ? '' : settings.systemd === 'user' ? 'default.target' : 'multi-user.target',
    }),
    units: timed ? [] : unitNames(app, process),
    mayEnd: own.restart !== 'always',
  });
  return files;
}

/** A mark is compared as a whole line, so it has to stay one. */
function plainMark(project: string): string {
  return project.replaceAll(/[\r\n]+/g, ' ');
}

function timerLines(timer: string): string {
  return timer
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (/^[A-Za-z]+\s*=/.test(line) ? line : `OnCalendar=${line}`))
    .join('\n');
}

/** `ListenStream=` of a process; undefined where it has no socket. */
function listenOf(app: string, { name, settings }: NamedProcess): string | undefined {
  switch (socketKind(settings.socket)) {
    case 'no':
      return undefined;
    case 'yes':
      return `%t/${app}/${name}.sock`;
    case 'given':
      return plainValue(settings.socket ?? '');
  }
}

function socketKind(socket: string | undefined): 'no' | 'yes' | 'given' {
  if (socket === undefined || /^(no|false|off|0)$/i.test(socket)) return 'no';
  return /^(yes|true|on|1)$/i.test(socket) ? 'yes' : 'given';
}

function siteOf(request: RenderRequest): SiteFile | undefined {
  const { app, settings, project, templates } = request;
  if (!hasSite(settings)) return undefined;
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
      project: plainMark(project),
      app,
      domain_name: settings.domain_name ?? '',
      upstream: caddyWord(settings.upstream ?? socketUpstream(request)),
      statics: statics.join('\n'),
      directory: caddyWord(`${project}/${settings.current_path}`),
    },
  );
  return { path: `${settings.proxy_dir.replace(/\/+$/, '')}/${app}.caddy`, text: withMark(text, mark) };
}

/** Where the proxy asks the process `web`. */
function socketUpstream({ app, processes, settings }: RenderRequest): string {
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
        "The proxy may not enter the login user's folder of sockets. With systemd: user give [process web] a port: socket = 8000",
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
