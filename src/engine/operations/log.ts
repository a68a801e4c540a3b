/** `log`: every run of a stage, whoever ran it and from wherever, failures too: merged from what each server has noted. */
import { quote } from '../../remote/shell.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import type { StageRequest } from '../run/run.ts';
import { mergeHistories, parseHistory, type HistoryEntry } from '../server/history.ts';
import { lookAtEach } from '../server/lookAtServers.ts';

export interface StageLog {
  readonly stage: string;
  /** Newest first. */
  readonly runs: readonly HistoryEntry[];
  /** Servers that could not be asked. */
  readonly errors: readonly { readonly server: string; readonly error: string }[];
}

/** A run has at most its line, one for what came after it was live, and one of a dead man's switch. */
const LINES_OF_A_RUN = 3;

/** @param limit how many runs, the newest. @throws {DurantError} `cancelled`. */
export async function stageLog(
  request: StageRequest,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
  limit: number,
): Promise<StageLog> {
  const errors: { server: string; error: string }[] = [];
  const histories = await lookAtEach<readonly HistoryEntry[]>(
    { request, host, emit, signal },
    async ({ address, connection, facts }) => {
      const file = quote(`${facts.project}/.durant/history.log`);
      const { stdout } = await connection.exec({
        script: `if [ -f ${file} ]; then tail -n ${limit * LINES_OF_A_RUN} ${file}; fi`,
        signal,
      });
      return parseHistory(stdout.toString('utf8'), address.entry);
    },
    ({ entry }, { message }) => {
      errors.push({ server: entry, error: message });
      return [];
    },
  );
  return { stage: request.stage, runs: mergeHistories(histories).slice(0, limit), errors };
}
