/** From `[process NAME]` sections and the options of a stage to the units that run it on a server. Pure. */
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Settings } from '../../config/options/options.ts';
import { hasRole, type ServerAddress } from '../../config/values/serverEntries.ts';
import { DurantError } from '../../errors.ts';
import { environmentPath, hasEnvironment } from '../secrets/environment.ts';
import { markLine, markOf, type UnitFile } from './serviceSet.ts';
import { plainValue, shellCommand } from './systemdText.ts';
import { fillTemplate, withMark, type Templates } from './builtInTemplates.ts';

export interface RenderRequest {
  readonly app: string;
  readonly stage: string;
  readonly settings: Settings;
  /** All of the stage. */
  readonly processes: readonly NamedProcess[];
  /** The server, for the roles that it has. */
  readonly address: Pick<ServerAddress, 'roles'>;
  readonly templates: Templates;
  /** Absolute project_dir on the server, links resolved. */
  readonly project: string;
  /** The login user there. */
  readonly user: string;
}

/** Whether a process runs on a server: one without roles runs on all. */
export function runsThere(
  { settings: { roles } }: NamedProcess,
  address: Pick<ServerAddress, 'roles'>,
): boolean {
  return roles.length === 0 || roles.some((role) => hasRole(address, role));
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

/** The unit files of a process. @throws {DurantError} `config-invalid` for what validation cannot see. */
export function unitsOf(request: RenderRequest, process: NamedProcess): readonly UnitFile[] {
  const { app, settings, project, stage, templates } = request;
  const { name } = process;
  const own = process.settings;
  const base = unitBase(app, name);
  const listen = listenOf(app, process);
  const common = {
    description: plainValue(`${app} ${name} (${stage}, by Durant)`),
    project: markLine(project),
  };
  const mark = markOf(project);
  if (own.user !== undefined && settings.systemd === 'user' && own.user !== request.user)
    throw new DurantError(
      'config-invalid',
      `[process ${name}] has user = ${own.user}, but with systemd: user everything runs as the login user ${request.user}. Remove user, or write systemd: system.`,
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
      type: timed ? 'oneshot' : own.type,
      user: settings.systemd === 'user' ? '' : plainValue(own.user ?? request.user),
      directory: plainValue(`${project}/${settings.current_path}`),
      environment_file: hasEnvironment(request)
        ? plainValue(`${project}/${settings.current_path}/${environmentPath(settings)}`)
        : '',
      identifier: plainValue(name),
      exec_start: shellCommand(own.command),
      command: own.command,
      restart: timed ? '' : own.restart,
      restart_delay: timed ? '' : '1',
      stop_timeout: own.stop_timeout === undefined ? '' : String(own.stop_timeout / 1000),
      memory_limit: plainValue(own.memory_limit ?? ''),
      socket: listen === undefined ? '' : `${base}.socket`,
      target: timed ? '' : settings.systemd === 'user' ? 'default.target' : 'multi-user.target',
    }),
    units: timed ? [] : unitNames(app, process),
    mayEnd: own.restart !== 'always',
  });
  return files;
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

export function socketKind(socket: string | undefined): 'no' | 'yes' | 'given' {
  if (socket === undefined || /^(no|false|off|0)$/i.test(socket)) return 'no';
  return /^(yes|true|on|1)$/i.test(socket) ? 'yes' : 'given';
}
