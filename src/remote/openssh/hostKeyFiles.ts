/** The known_hosts files of one connection by OpenSSH's `ssh`. */
import { join } from 'node:path';
import type { ConnectRequest } from '../target.ts';
import type { HostKeyFiles } from './arguments.ts';
import { jumpArguments, type Way } from './jumps.ts';

/**
 * Where nothing may be written to known_hosts, an accepted key goes to a file of this connection, which ssh then has in front of the
 * user's files: it writes to the first.
 */
export function hostKeyFiles(
  request: ConnectRequest,
  { route, checking }: Pick<Way, 'route' | 'checking'>,
  directory: string,
): HostKeyFiles {
  const own = request.mayAddHostKeys ? undefined : ownKnownHosts(directory);
  return {
    knownHosts:
      own === undefined || request.hostKeyChecking === 'strict'
        ? undefined
        : [own, ...(route[0]?.userKnownHostsFiles ?? [])],
    jumps: jumpArguments({
      route,
      checking,
      sshPath: request.sshPath,
      log: 'verbose',
      knownHosts: own,
    }),
  };
}

/** The connection's own file, which goes with it. */
export function ownKnownHosts(directory: string): string {
  return join(directory, 'known_hosts');
}
