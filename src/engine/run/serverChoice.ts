/** Which servers of a stage are meant. Pure. */
import { hasRole } from '../../config/values/serverEntries.ts';
import { DurantError } from '../../errors.ts';
import type { ServerAddress } from '../../remote/target.ts';
import type { StageRequest } from './run.ts';

/** Which servers of a stage are worked on: entries, hosts or host:port, and roles; both empty: all. */
export interface ServerChoice {
  readonly servers: readonly string[];
  readonly roles: readonly string[];
}

/**
 * The servers of a stage that are chosen by name (the entry, its host, or host:port), and of those the ones with a role that is asked for.
 * @param defaultPort of entries that name none: `ssh_port`.
 * @throws {DurantError} `unknown-server`, `unknown-role`.
 */
export function selectServers(
  all: readonly ServerAddress[],
  { servers, roles }: ServerChoice,
  defaultPort = 22,
): readonly ServerAddress[] {
  if (servers.length === 0 && roles.length === 0) return all;
  for (const name of servers)
    if (!all.some((server) => isCalled(server, name, defaultPort)))
      throw new DurantError(
        'unknown-server',
        `The stage has no server "${name}". Its servers are ${all.map((server) => server.entry).join(', ')}.`,
        { remedy: 'Name one of them.' },
      );
  for (const role of roles)
    if (!all.some((server) => hasRole(server, role)))
      throw new DurantError(
        'unknown-role',
        `No server of the stage has the role "${role}". Its roles are ${[...new Set(all.flatMap((server) => server.roles))].join(', ')}.`,
        { remedy: 'Name one of them.' },
      );
  const chosen = all.filter(
    (server) =>
      (servers.length === 0 || servers.some((name) => isCalled(server, name, defaultPort))) &&
      (roles.length === 0 || roles.some((role) => hasRole(server, role))),
  );
  if (chosen.length === 0)
    throw new DurantError(
      'unknown-role',
      `None of ${servers.join(', ')} has the role ${roles.join(' or ')}.`,
      { remedy: 'Leave --server or --role out.' },
    );
  return chosen;
}

function isCalled({ entry, host, port }: ServerAddress, name: string, defaultPort: number): boolean {
  const at = String(port ?? defaultPort);
  return [entry, host, `${host}:${at}`, `[${host}]:${at}`].includes(name);
}

/** @throws {DurantError} `config-invalid` where the stage has none. */
export function firstServer({ stage, servers }: Pick<StageRequest, 'stage' | 'servers'>): ServerAddress {
  const [first] = servers;
  if (first !== undefined) return first;
  throw new DurantError('config-invalid', `The stage ${stage} has no server.`, { remedy: 'Add one.' });
}
