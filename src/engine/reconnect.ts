/** Work on a server that outlives a line that was cut: done over a new connection. */
import type { Run, ServerRun } from './run.ts';

/** Tries again over a new connection where the old one was lost: what `work` does may happen twice. */
export async function reachable(run: Run, server: ServerRun, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isLost(error) || run.reconnect === undefined) throw error;
    server.connection.close();
    server.connection = await run.reconnect(server.address);
    await work();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'connection-lost';
}
