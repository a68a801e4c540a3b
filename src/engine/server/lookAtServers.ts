/** How a command looks at the servers of a stage: all at once, and one server's failure never hides another. */
import { asDurantError, type DurantError } from '../../errors.ts';
import type { Connection, ServerAddress } from '../../remote/target.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { announcedPrompter } from '../run/emit.ts';
import type { StageRequest } from '../run/run.ts';
import { connectTo, learnFacts, type Reach } from './connectServers.ts';
import type { ServerFacts } from './serverFacts.ts';

/** What a look needs: the stage, this machine, and where to tell and ask. */
export interface Looking {
  readonly request: StageRequest;
  readonly host: Host;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** A server as it was looked at; the connection is open as long as `view` works. */
export interface Looked {
  readonly address: ServerAddress;
  readonly connection: Connection;
  readonly facts: ServerFacts;
}

/**
 * Connects to each server and looks, in parallel.
 * @param unseen what stands for a server that could not be asked.
 * @throws {DurantError} `cancelled`.
 */
export async function lookAtEach<T>(
  looking: Looking,
  view: (looked: Looked) => T | Promise<T>,
  unseen: (address: ServerAddress, error: DurantError) => T,
): Promise<T[]> {
  const { request, signal } = looking;
  const reach = reachFor(looking);
  return Promise.all(
    request.servers.map(async (address) => {
      try {
        const connection = await connectTo(reach, address);
        try {
          const facts = await learnFacts(connection, request.settings, signal);
          return await view({ address, connection, facts });
        } finally {
          connection.close();
        }
      } catch (thrown) {
        const error = asDurantError(thrown);
        if (error.code === 'cancelled') throw error;
        return unseen(address, error);
      }
    }),
  );
}

export function reachFor({ request, host, emit, signal }: Looking): Reach {
  return {
    settings: request.settings,
    host,
    prompt: announcedPrompter(host.prompt, emit),
    emit,
    mayAddHostKeys: true,
    signal,
  };
}
