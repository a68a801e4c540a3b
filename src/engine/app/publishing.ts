/** Whether a release's process is started beside the one before it, or that one is restarted: `publish`. Pure. */
import type { Settings } from '../../config/options/options.ts';
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Templates } from './builtInTemplates.ts';

/** How a process listens: on a socket of systemd's, on one of its own (`{socket}`), or on a port (`{port}`). */
export type Listens = 'socket' | 'own socket' | 'port';

export type Publishing =
  | {
      readonly how: 'beside';
      readonly process: NamedProcess;
      readonly listens: Listens;
      readonly why: string;
    }
  | { readonly how: 'restart'; readonly why: string };

interface Asked {
  readonly app: string;
  readonly settings: Pick<Settings, 'publish' | 'domain_name' | 'proxy' | 'upstream'>;
  readonly processes: readonly NamedProcess[];
  readonly templates: Templates;
}

/** How the stage is published, and why, in words that go on after `publish: beside, as `. */
export function publishingOf({ app, settings, processes, templates }: Asked): Publishing {
  const restart = (why: string): Publishing => ({ how: 'restart', why });
  if (settings.publish === 'restart') return restart('durant.conf says so');
  if (settings.domain_name.length === 0 || settings.proxy === 'none')
    return restart('there is no site of a domain_name that could lead elsewhere');
  const process = servingProcess(app, settings.upstream, processes);
  if (process === undefined)
    return restart(
      settings.upstream === undefined
        ? 'there is no [process web]'
        : `upstream ${settings.upstream} leads to no process of the stage`,
    );
  const { name, settings: own } = process;
  if (own.timer !== undefined) return restart(`${name} is started by a timer`);
  if (own.replicas > 1) return restart(`several of ${name} run (replicas)`);
  const listens = listensOn(process);
  if (listens === undefined)
    return restart(
      socketKind(own.socket) === 'given'
        ? `${name} has one address (socket: ${own.socket ?? ''})`
        : `${name} listens neither on a socket of systemd's (socket: yes) nor on {socket} or {port}`,
    );
  const missing = missingFrom(templates, name, listens);
  if (missing !== undefined) return restart(missing);
  const words = { socket: "a socket of systemd's", 'own socket': '{socket}', port: '{port}' } as const;
  return { how: 'beside', process, listens, why: `${name} listens on ${words[listens]}` };
}

/** The process that the site's upstream leads to. */
export function servingProcess(
  app: string,
  upstream: string | undefined,
  processes: readonly NamedProcess[],
): NamedProcess | undefined {
  const web = processes.find(({ name }) => name === 'web');
  if (upstream === undefined) return web;
  const placeholder = /\{(?:port|socket)\}/.exec(upstream)?.[0];
  if (placeholder !== undefined) {
    const listening = processes.filter(({ settings }) => settings.command.includes(placeholder));
    const [only, ...others] = listening;
    return listening.find(({ name }) => name === 'web') ?? (others.length > 0 ? undefined : only);
  }
  const start = `unix//run/${app}/`;
  if (!upstream.startsWith(start) || !upstream.endsWith('.sock')) return undefined;
  return processes.find(({ name }) => name === upstream.slice(start.length, -'.sock'.length));
}

/** How each instance of a process may listen on an address of its own; undefined: it cannot. */
export function listensOn({ settings: { command, socket } }: NamedProcess): Listens | undefined {
  if (command.includes('{port}')) return 'port';
  const kind = socketKind(socket);
  if (kind === 'yes') return 'socket';
  return kind === 'no' && command.includes('{socket}') ? 'own socket' : undefined;
}

export function socketKind(socket: string | undefined): 'no' | 'yes' | 'given' {
  if (socket === undefined || /^(no|false|off|0)$/i.test(socket)) return 'no';
  return /^(yes|true|on|1)$/i.test(socket) ? 'yes' : 'given';
}

/** A template of the project's own with a fixed address or folder cannot be two instances. */
function missingFrom(templates: Templates, name: string, listens: Listens): string | undefined {
  const needed = [
    ['Caddyfile', 'Caddyfile', 'upstream'],
    [`${name}.service`, 'default.service', 'directory'],
    ...(listens === 'socket' ? [[`${name}.socket`, 'default.socket', 'listen'] as const] : []),
  ] as const;
  for (const [own, fallback, value] of needed) {
    const file = Object.hasOwn(templates, own) ? own : fallback;
    if (!new RegExp(`\\{\\{\\s*${value}\\s*\\}\\}`).test(templates[file] ?? ''))
      return `the template ${file} has no {{${value}}}`;
  }
  return undefined;
}
