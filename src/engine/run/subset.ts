/** A deploy to some servers of a stage only: allowed where every other server has a live finished release. */
import { DurantError, asDurantError } from '../../errors.ts';
import type { ServerAddress } from '../../remote/target.ts';
import { assertNotHeldBy } from './hold.ts';
import { reachOf } from './lifecycle.ts';
import type { ServerFacts } from '../server/serverFacts.ts';
import { inParallel } from './parallel.ts';
import type { Run } from './run.ts';
import { connectTo, learnFacts } from '../server/connectServers.ts';

/** Learns what the other servers have. @throws {DurantError} `servers-disagree` naming the first server that has nothing live, or cannot be asked. */
export async function assertOthersLive(run: Run): Promise<void> {
  const chosen = new Set(run.request.servers.map((server) => server.entry));
  const others = run.settings.server
    .filter((server) => !chosen.has(server.entry))
    .map((address) => ({ address, found: 'not looked at' as ServerFacts | string }));
  await inParallel(others, run.settings.parallel, run.signal, async (other, signal) => {
    other.found = await liveFacts(run, other.address, signal);
  });
  run.others = others.map(({ address: { entry }, found }) => {
    if (typeof found !== 'string') {
      assertNotHeldBy(run, entry, found);
      return found;
    }
    throw new DurantError(
      'servers-disagree',
      `A deploy to some servers alone would leave ${entry} behind: ${found}.`,
      { remedy: 'Deploy to all servers first.', server: entry },
    );
  });
}

/** The facts of a server that has a finished release live, else why it has none. @throws {DurantError} `cancelled`. */
async function liveFacts(
  run: Run,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<ServerFacts | string> {
  try {
    const connection = await connectTo({ ...reachOf(run), signal }, address);
    try {
      const facts = await learnFacts(connection, run.settings, signal);
      const live = facts.records.find((record) => record.name === facts.live);
      return live?.state === 'finished' ? facts : 'it has no finished release live';
    } finally {
      connection.close();
    }
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled') throw error;
    return error.message;
  }
}
