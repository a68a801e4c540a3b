/** `durant_explain_failure`: why the last failed run failed, from what this session saw, else from the servers' history. */
import { stageLog } from '../engine/index.ts';
import type { AgentOutcome, AgentRequest } from './requests.ts';
import type { AgentContext, Open } from './context.ts';

/** How far back a failure is looked for. */
const SEARCHED_RUNS = 100;

/** @throws {DurantError} what opening the stage fails with. */
export async function explainFailure(
  { stage, seen }: Extract<AgentRequest, { tool: 'durant_explain_failure' }>,
  open: Open,
  { host, emit, signal }: AgentContext,
): Promise<AgentOutcome> {
  if (seen !== undefined) return { result: { stage, from: 'session', failure: seen }, ok: true };
  const { runs, errors } = await stageLog(await open(stage), host, emit, signal, SEARCHED_RUNS);
  const at = runs.findIndex(({ ok }) => !ok);
  const failure = runs[at];
  return {
    result: {
      stage,
      from: 'history',
      failure: failure ?? null,
      // Newest first: whatever stands before it came after it.
      succeeded_since: at < 0 ? [] : runs.slice(0, at),
      ...(failure === undefined ? { searched_runs: runs.length } : {}),
      errors,
    },
    ok: errors.length === 0,
  };
}
