/** Work on a server that outlives a line that was cut: done over a new connection. */
import { quote } from '../../remote/shell.ts';
import { guarded } from './guard.ts';
import { endOwnScript } from '../server/lockScripts.ts';
import type { Run, ServerRun } from './run.ts';

/**
 * Tries again over a new connection where the old one was lost: what `work` does may happen twice. What the run left running there is
 * ended first, as it would go on when the lock is given back; what begins there only later does nothing.
 */
export async function reachable(run: Run, server: ServerRun, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isLost(error)) throw error;
    server.connection.close();
    const connection = await run.reconnect(server.address);
    server.lostLines += 1;
    server.connection = guarded(run, connection, () => server);
    if (server.ownLock.state === 'held')
      await connection.exec({
        script: `cd ${quote(server.facts.project)} || exit 1\n${endOwnScript(run.id, server.lostLines)}`,
        signal: AbortSignal.timeout(30_000),
      });
    await work();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'connection-lost';
}
