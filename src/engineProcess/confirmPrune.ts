/** Prune as the editor has it: whoever is asked whether releases may be removed is told which. */
import { prune, type Emit, type Host, type StageRequest } from '../engine/index.ts';
import type { PruneOutcome } from './protocol.ts';

/** Removes what is beyond `keep_releases`. Never throws: how it ended is in `finished`. */
export async function pruneAsked(
  { only, ...request }: StageRequest & { readonly only: readonly string[] },
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<PruneOutcome> {
  const wanted = {
    ...request,
    keep: request.settings.keep_releases,
    confirmed: false,
    ...(only.length === 0 ? {} : { only }),
  };
  const named = request.settings.protected ? await foreseen(wanted, host, signal) : [];
  const { finished, removed } = await prune(
    { ...wanted, dryRun: false },
    {
      ...host,
      prompt: (question, stop) =>
        host.prompt(question.kind === 'confirm' ? { ...question, commits: named } : question, stop),
    },
    emit,
    signal,
  );
  return { finished, removed: Object.fromEntries(removed) };
}

/** A line for each server that something would be removed from. */
async function foreseen(
  request: Omit<Parameters<typeof prune>[0], 'dryRun'>,
  host: Host,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { removed } = await prune({ ...request, dryRun: true }, host, () => undefined, signal);
  return [...removed].flatMap(([server, names]) =>
    names.length === 0 ? [] : [`${server}: ${names.join(', ')}`],
  );
}
