/** From `[process NAME]` sections and the options of a stage to the units that run it on a server. Pure. */
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Settings } from '../../config/options/options.ts';
import { hasRole, type ServerAddress } from '../../config/values/serverEntries.ts';
import { DurantError } from '../../errors.ts';
import { LAYOUTS } from '../server/layout.ts';
import { environmentPath, hasEnvironment } from '../secrets/environment.ts';
import { listensOn, socketKind } from './publishing.ts';
import { markLine, markOf, portToken, type UnitFile } from './serviceSet.ts';
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
  readonly release: string;
}

/** Whether a process runs as an instance of its release's own, or as the one that is restarted. */
export type Running = 'beside' | 'restarted';

/** Whether a process runs on a server: one without roles runs on all. */
export function runsThere(
  { settings: { roles } }: NamedProcess,
  address: Pick<ServerAddress, 'roles'>,
): boolean {
  return roles.length === 0 || roles.some((role) => hasRole(address, role));
}

/** `<app>` for the process `web`, `<app>-<name>` for others; what systemd does not take in a name becomes `-`. */
export function unitBase(app: string, process: string): string {
  return process === 'web' ? app : `${app}-${unitWord(process)}`;
}

/** The units of a process that a user starts, stops and reads the log of. */
export function unitNames(app: string, { name, settings }: NamedProcess): readonly string[] {
  const base = unitBase(app, name);
  if (settings.replicas === 1) return [`${base}.service`];
  return Array.from({ length: settings.replicas }, (_, index) => `${base}@${index + 1}.service`);
}

/** `<app>-<name>@<release>`: the units of an instance. */
function instanceBase({ app, release }: RenderRequest, process: string): string {
  return `${app}-${unitWord(process)}@${unitWord(release)}`;
}

function unitWord(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9:_.-]/g, '-');
}

/** Where a process finds its code: an instance in its release, others where `current` leads. */
export function workingFolder({ project, release, settings }: RenderRequest, running: Running): string {
  return running === 'beside'
    ? LAYOUTS[settings.strategy].releaseFolder(project, release)
    : `${project}/${settings.current_path}`;
}

/** Path of a process's socket. */
export function socketPath(request: RenderRequest, process: NamedProcess, running: Running): string {
  const own = `${request.app}/${process.name}${running === 'beside' ? `@${request.release}` : ''}`;
  const folder = listensOn(process) === 'own socket' ? `/${process.name}` : '';
  return `/run/${own}${folder}.sock`;
}

/** The unit files of a process. @throws {DurantError} `config-invalid` for what validation cannot see. */
export function unitsOf(
  request: RenderRequest,
  process: NamedProcess,
  running: Running,
): readonly UnitFile[] {
  const { app, settings, stage, templates } = request;
  const { name } = process;
  const own = process.settings;
  const isBeside = running === 'beside';
  const base = isBeside ? instanceBase(request, name) : unitBase(app, name);
  const listen = listenOf(request, process, running);
  const isOwnSocket = listensOn(process) === 'own socket';
  const socket = socketPath(request, process, running);
  const command = own.command.replaceAll('{port}', portToken(name)).replaceAll('{socket}', socket);
  const directory = workingFolder(request, running);
  if (command !== own.command && own.replicas > 1)
    throw new DurantError(
      'config-invalid',
      `[process ${name}] has {port} or {socket} and several replicas, which cannot share one.`,
      { remedy: 'Write replicas: 1.' },
    );
  const common = {
    description: plainValue(`${app} ${name} (${stage}, by Durant)`),
    project: markLine(request.project),
  };
  const mark = markOf(request.project);
  if (own.user !== undefined && settings.systemd === 'user' && own.user !== request.user)
    throw new DurantError(
      'config-invalid',
      `[process ${name}] has user = ${own.user}, but with systemd: user everything runs as the login user ${request.user}.`,
      { remedy: 'Remove user, or write systemd: system.' },
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
      text: text('socket', { listen, remove_on_stop: isBeside ? 'yes' : '' }),
      units: [`${base}.socket`],
      mayEnd: false,
      ...(isBeside ? { beside: true } : {}),
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
      directory: plainValue(directory),
      environment_file: hasEnvironment(request)
        ? plainValue(`${directory}/${environmentPath(settings)}`)
        : '',
      identifier: plainValue(name),
      exec_start: shellCommand(command),
      // As a socket of systemd's: whoever is on the server may ask it.
      exec_start_post: isOwnSocket ? openSocket(socket) : '',
      runtime_directory: isOwnSocket ? plainValue(socket.slice('/run/'.length, socket.lastIndexOf('/'))) : '',
      command,
      restart: timed ? '' : own.restart,
      restart_delay: timed ? '' : '1',
      stop_timeout: own.stop_timeout === undefined ? (isBeside ? '10' : '') : String(own.stop_timeout / 1000),
      memory_limit: plainValue(own.memory_limit ?? ''),
      socket: listen === undefined ? '' : `${base}.socket`,
      target: timed ? '' : settings.systemd === 'user' ? 'default.target' : 'multi-user.target',
    }),
    units: timed ? [] : isBeside ? [service] : unitNames(app, process),
    mayEnd: own.restart !== 'always',
    ...(isBeside ? { beside: true } : {}),
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
function listenOf(request: RenderRequest, process: NamedProcess, running: Running): string | undefined {
  const { socket } = process.settings;
  switch (socketKind(socket)) {
    case 'no':
      return undefined;
    case 'yes':
      return `%t/${plainValue(socketPath(request, process, running).slice('/run/'.length))}`;
    case 'given':
      return plainValue(socket ?? '');
  }
}

/** `ExecStartPost=`: waits until the process has made its socket, or has ended. */
function openSocket(path: string): string {
  return shellCommand(
    `sh -c 'while ! [ -S ${path} ]; do kill -0 "$MAINPID" || exit 1; sleep 0.1; done; chmod 666 ${path}'`,
  );
}
