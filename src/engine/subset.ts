/** A deploy to some servers of a stage only: allowed where every other server has a live finished release. */
import { DurantError, asDurantError } from '../errors.ts';
import type { ServerAddress } from '../remote/target.ts';
import { reachOf } from './conduct.ts';
import { onEach, type Run } from './run.ts';
import { connectTo, learnFacts } from './servers.ts';

/** @throws {DurantError} `servers-disagree` naming the first server that has nothing live, or cannot be asked. */
export async function assertOthersLive(run: Run): Promise<void> {
  const chosen = new Set(run.request.servers.map((server) => server.entry));
  const others = run.settings.server
    .filter((server) => !chosen.has(server.entry))
    .map((address) => ({ address, behind: undefined as string | undefined }));
  await onEach(others, run.settings.parallel, run.signal, async (other, signal) => {
    other.behind = await whyBehind(run, other.address, signal);
  });
  const first = others.find(({ behind }) => behind !== undefined);
  if (first?.behind === undefined) return;
  const { entry } = first.address;
  throw new DurantError(
    'servers-disagree',
    `--server would leave ${entry} behind: ${first.behind}. Deploy to all servers first.`,
    { server: entry },
  );
}

/** @throws {DurantError} `cancelled`. */
async function whyBehind(run: Run, address: ServerAddress, signal: AbortSignal): Promise<string | undefined> {
  try {
    const connection = await connectTo({ ...reachOf(run), signal }, address);
    try {
      const facts = await learnFacts(connection, run.settings, signal);
      const live = facts.records.find((record) => record.name === facts.live);
      return live?.state === 'finished' ? undefined : 'it has no finished release live';
    } finally {
      connection.close();
    }
  } catch (thrown) {
    const error = asDurantError(thrown);
    if (error.code === 'cancelled') throw error;
    return error.message;
  }
}
