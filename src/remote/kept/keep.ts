/** Starts the process that keeps a connection like this one for the next command. */
import { spawn } from 'node:child_process';
import type { Connection, ConnectRequest } from '../target.ts';
import { holdConnectionCommand, type HolderRequest } from './holderRequest.ts';

/** Where kept connections are, and what starts the command line anew. */
export interface Keeping {
  /** A folder of the user's. */
  readonly folder: string;
  readonly program: readonly string[];
}

/** The same connection; when it is closed, a holder logs in for those that come next. */
export function keptAfter(
  connection: Connection,
  request: ConnectRequest,
  { program, socket, keepMs }: Pick<Keeping, 'program'> & Pick<HolderRequest, 'socket' | 'keepMs'>,
): Connection {
  let closed = false;
  return {
    ...connection,
    close: () => {
      connection.close();
      if (closed) return;
      closed = true;
      startHolder(program, { socket, keepMs, request: loginOf(request) });
    },
  };
}

function loginOf(request: ConnectRequest): HolderRequest['request'] {
  const { address, user, port, identity, client, connectTimeoutMs, sshPath } = request;
  return { address, user, port, identity, client, connectTimeoutMs, sshPath };
}

function startHolder([command = process.execPath, ...args]: readonly string[], request: HolderRequest): void {
  const child = spawn(command, [...args, holdConnectionCommand], {
    detached: true,
    // No folder of the user's is held by it.
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(request));
  child.unref();
}
