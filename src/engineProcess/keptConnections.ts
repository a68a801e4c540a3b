/** Connections that stay open for a while after a call, so that the next one needs no new handshake. */
import { asDurantError, throwIfCancelled } from '../errors.ts';
import type { Connect, Connection, ConnectRequest, RemoteCommand } from '../remote/target.ts';

export interface KeptConnections {
  readonly connect: Connect;
  /**
   * For what only looks and is soon done: whoever wants the same server meanwhile waits for this connection, and so takes it over instead
   * of logging in beside it. Whoever holds one must not wait for another to the same server.
   */
  readonly connectInTurn: Connect;
  /** Ends those that nobody uses. */
  readonly closeUnused: () => void;
}

interface Kept {
  readonly connection: Connection;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

/** After this long, ms, an unused connection is asked whether it is still there: one round trip, much less than a handshake. */
const trustedMs = 10_000;
const probeMs = 3000;

/** @param keepMs how long an unused connection stays open; asked each time, as the setting may change. */
export function keepConnections(connect: Connect, keepMs: () => number): KeptConnections {
  const unused = new Map<string, Kept[]>();

  const take = (key: string): Kept | undefined => {
    const kept = unused.get(key)?.pop();
    if (kept !== undefined) clearTimeout(kept.timer);
    return kept;
  };
  const drop = (key: string, connection: Connection): void => {
    unused.set(
      key,
      (unused.get(key) ?? []).filter((kept) => kept.connection !== connection),
    );
    connection.close();
  };
  const park = (key: string, connection: Connection): void => {
    const timer = setTimeout(() => {
      drop(key, connection);
    }, keepMs());
    unused.set(key, [...(unused.get(key) ?? []), { connection, since: Date.now(), timer }]);
  };

  const turns = new Map<string, Promise<void>>();
  const open: Connect = async (request) => {
    if (request.address.local || request.agent !== undefined || keepMs() === 0) return connect(request);
    const key = keyOf(request);
    for (let kept = take(key); kept !== undefined; kept = take(key)) {
      if (Date.now() - kept.since < trustedMs || (await isAlive(kept.connection, request.signal)))
        return shared(kept.connection, (connection) => {
          park(key, connection);
        });
      kept.connection.close();
    }
    return shared(await connect(request), (connection) => {
      park(key, connection);
    });
  };

  return {
    connect: open,
    connectInTurn: async (request) => {
      if (request.address.local) return open(request);
      const key = keyOf(request);
      const before = turns.get(key);
      let done = (): void => undefined;
      const turn = new Promise<void>((resolve) => (done = resolve));
      const mine = (before ?? Promise.resolve()).then(() => turn);
      turns.set(key, mine);
      const end = (): void => {
        done();
        if (turns.get(key) === mine) turns.delete(key);
      };
      try {
        await before;
        throwIfCancelled(request.signal);
        const connection = await open(request);
        return {
          ...connection,
          close: () => {
            connection.close();
            end();
          },
        };
      } catch (error) {
        end();
        throw error;
      }
    },
    closeUnused: () => {
      for (const kept of [...unused.values()].flat()) {
        clearTimeout(kept.timer);
        kept.connection.close();
      }
      unused.clear();
    },
  };
}

/** Whatever makes a connection another one. */
function keyOf({ address, user, port, identity, client, sshPath }: ConnectRequest): string {
  return JSON.stringify([address.entry, user, port, identity, client, sshPath]);
}

async function isAlive(connection: Connection, signal: AbortSignal): Promise<boolean> {
  try {
    return (await connection.exec({ script: ':', signal, timeoutMs: probeMs })).status === 0;
  } catch {
    return false;
  }
}

/** The connection for one user of it: its `close` gives it back, unless the line turned out to be bad. */
function shared(connection: Connection, giveBack: (connection: Connection) => void): Connection {
  let closed = false;
  let bad = false;
  return {
    ...connection,
    exec: async (command: RemoteCommand) => {
      try {
        return await connection.exec(command);
      } catch (error) {
        // A command that was cancelled or timed out had to be ended through the same line: that may have gone wrong, too.
        bad ||= asDurantError(error).code !== 'cancelled';
        throw error;
      }
    },
    close: () => {
      if (closed) return;
      closed = true;
      if (bad) connection.close();
      else giveBack(connection);
    },
  };
}
