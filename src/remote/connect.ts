/** Opens a connection with the client that fits: this machine itself, the built-in ssh2, or the system's ssh. */
import { throwIfCancelled } from '../errors.ts';
import { effectiveChecking } from './hostKeySettings.ts';
import { connectLocal } from './local.ts';
import { connectOpenssh } from './openssh/client.ts';
import { takeKept } from './kept/client.ts';
import { keptAfter, type Keeping } from './kept/keep.ts';
import { socketOf } from './kept/place.ts';
import { needsOpenssh } from './opensshNeeds.ts';
import { readRoute } from './route.ts';
import { createSettingsReader, type SshSettings } from './sshSettings.ts';
import { connectSsh2, type Ssh2Options } from './ssh2/client.ts';
import type { SessionState } from './ssh2/sessionRequest.ts';
import type { Connect, Connection, ConnectRequest, Prompter } from './target.ts';

/** Each kept connection is a process of its own. */
const mostKept = 8;

/**
 * A `Connect` with a memory of its own: settings of hosts for half a minute, opened keys (one passphrase serves all servers), and
 * host key questions under way (one question serves all connections). One for a run of the CLI, one for an editor window.
 */
export function createConnect(options: Ssh2Options & { readonly keeping?: Keeping } = {}): Connect {
  const { keeping } = options;
  let keepers = 0;
  const state: SessionState = {
    readSettings: createSettingsReader(),
    hostKeyDecisions: new Map(),
    openedKeys: new Map(),
  };
  return async (wanted) => {
    throwIfCancelled(wanted.signal);
    const request = { ...wanted, signal: ownSignal(wanted.signal) };
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
    const { keepMs = 0 } = request;
    const socket =
      keeping === undefined || keepMs === 0 || request.agent !== undefined
        ? undefined
        : await socketOf(keeping.folder, request, route);
    if (keeping === undefined || socket === undefined) return open(request, route);
    const kept = await takeKept(socket, request, keepMs);
    if (kept !== undefined) return noted(kept, request.onNotice);
    let asked = false;
    const prompt: Prompter = (question, signal) => {
      asked = true;
      return request.prompt(question, signal);
    };
    const connection = await open({ ...request, prompt }, route);
    // A login that needs an answer would need it again: nobody's password is kept.
    if (asked || keepers >= mostKept) return connection;
    keepers += 1;
    // The login may have added a host key, which changes the name.
    const next = (await socketOf(keeping.folder, request, route)) ?? socket;
    return keptAfter(connection, request, { program: keeping.program, socket: next, keepMs });
  };

  async function open(
    request: ConnectRequest,
    route: readonly [SshSettings, ...SshSettings[]],
  ): Promise<Connection> {
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
  }
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
