/** Opens a connection with the client that fits: this machine itself, the built-in ssh2, or the system's ssh. */
import { throwIfCancelled } from '../errors.ts';
import { effectiveChecking } from './hostKeySettings.ts';
import { connectLocal } from './local.ts';
import { connectOpenssh } from './openssh/client.ts';
import { needsOpenssh } from './opensshNeeds.ts';
import { readRoute } from './route.ts';
import { createSettingsReader } from './sshSettings.ts';
import { connectSsh2, type Ssh2Options } from './ssh2/client.ts';
import type { SessionState } from './ssh2/sessionRequest.ts';
import type { Connect, Connection } from './target.ts';

/**
 * A `Connect` with a memory of its own: settings of hosts for half a minute, opened keys (one passphrase serves all servers), and
 * host key questions under way (one question serves all connections). One for a run of the CLI, one for an editor window.
 */
export function createConnect(options: Ssh2Options = {}): Connect {
  const state: SessionState = {
    readSettings: createSettingsReader(),
    hostKeyDecisions: new Map(),
    openedKeys: new Map(),
  };
  return async (asked) => {
    throwIfCancelled(asked.signal);
    const request = { ...asked, signal: ownSignal(asked.signal) };
    if (request.address.local) return withOwnSignals(await connectLocal(request));
    const { address, identity, sshPath } = request;
    const route = await readRoute(
      {
        host: address.host,
        user: address.user ?? request.user,
        port: address.port ?? request.port,
        identity,
        sshPath,
      },
      state.readSettings,
      request.signal,
    );
    const [settings] = route;
    const forOpenssh = { ...request, hostKeyChecking: effectiveChecking(request.hostKeyChecking, settings) };
    const way = { route, checking: request.hostKeyChecking };
    if (request.client === 'openssh') return noted(await connectOpenssh(forOpenssh, way), request.onNotice);
    const needs = request.client === 'auto' ? await Promise.all(route.map(needsOpenssh)) : [];
    const why = needs.find((need) => need !== undefined);
    if (why === undefined)
      return noted(await connectSsh2(request, settings, state, options), request.onNotice);
    const connection = await connectOpenssh(forOpenssh, way);
    return noted({ ...connection, description: `openssh (${why})` }, request.onNotice);
  };
}

function noted(
  connection: Connection,
  onNotice: ((code: string, message: string) => void) | undefined,
): Connection {
  onNotice?.('ssh-client', `${connection.address.entry}: ${connection.description}`);
  return withOwnSignals(connection);
}

/** A signal that nobody else listens to: Node warns where more than ten listen to one, and a run has as many servers as it likes. */
function ownSignal(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal]);
}

function withOwnSignals(connection: Connection): Connection {
  return {
    ...connection,
    exec: ({ signal, ...command }) =>
      connection.exec(signal === undefined ? command : { ...command, signal: ownSignal(signal) }),
  };
}

/** `createConnect()` for callers that live as long as the process. */
export const connect: Connect = createConnect();
