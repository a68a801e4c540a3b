/** A deploy to some servers of a stage only: allowed where every other server has a live finished release. */
import { DurantError, asDurantError } from '../errors.ts';
import { reachOf } from './conduct.ts';
import type { Run } from './run.ts';
import { connectTo, learnFacts } from './servers.ts';

/** @throws {DurantError} `servers-disagree` naming a server that has nothing live, or cannot be asked. */
export async function assertOthersLive(run: Run): Promise<void> {
  const chosen = new Set(run.request.servers.map((server) => server.entry));
  const others = run.settings.server.filter((server) => !chosen.has(server.entry));
  await Promise.all(
    others.map(async (address) => {
      const refuse = (why: string): DurantError =>
        new DurantError(
          'servers-disagree',
          `--server would leave ${address.entry} behind: ${why}. Deploy to all servers first.`,
          { server: address.entry },
        );
      try {
        const connection = await connectTo(reachOf(run), address);
        try {
          const facts = await learnFacts(connection, run.settings, run.signal);
          const live = facts.records.find((record) => record.name === facts.live);
          if (live?.state !== 'finished') throw refuse('it has no finished release live');
        } finally {
          connection.close();
        }
      } catch (thrown) {
        const error = asDurantError(thrown);
        if (error.code === 'servers-disagree' || error.code === 'cancelled') throw error;
        throw refuse(error.message);
      }
    }),
  );
}
