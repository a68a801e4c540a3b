/** The commits between two, as the clone here knows them. Asks no server and fetches nothing. */
import type { CommitInfo } from '../engineProcess/protocol.ts';
import type { StageId } from '../views/store.ts';
import type { App } from './commandContext.ts';

/** What `to` has and `from` has not, newest first; undefined where the clone does not have both. */
export async function commitsBetween(
  app: App,
  { file, stage }: StageId,
  from: string,
  to: string,
): Promise<readonly CommitInfo[] | undefined> {
  try {
    const call = { file, stage, servers: [], from, to };
    return (await app.engine.call('commits', call, { signal: app.signal })) ?? undefined;
  } catch {
    // What is wrong with the repository is a run's to say.
    return undefined;
  }
}
