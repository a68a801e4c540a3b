/** `durant_deploy` and `durant_rollback`: exactly what was reviewed, or nothing. */
import { deploy, rollback, type Emit, type RunFinished, type StageRequest } from '../engine/index.ts';
import { DurantError } from '../errors.ts';
import { publicError } from '../report/publicError.ts';
import { collectFailure } from './failure.ts';
import type { ActRequest, AgentOutcome } from './requests.ts';
import type { ReviewedPlan } from './reviewed.ts';
import type { AgentContext, Open } from './context.ts';

/** @throws {DurantError} `confirmation-needed` for a protected stage that nobody confirmed; no server is contacted then. */
export async function act(
  { plan, stage, confirmed = false }: ActRequest,
  open: Open,
  { host, emit, signal }: AgentContext,
): Promise<AgentOutcome> {
  const isDeploy = plan.action === 'deploy';
  const request = await open(stage, isDeploy ? 'with goals' : undefined);
  if (request.settings.protected && !confirmed)
    throw new DurantError(
      'confirmation-needed',
      `The stage ${stage} is protected, and nobody confirmed: this client cannot ask a person.`,
      { remedy: 'Do it in a terminal', command: `durant ${plan.action} ${stage}` },
    );
  assertSameServers(request, plan);
  const warnings: { code: string; message: string; server: string | null }[] = [];
  const { take, failure } = collectFailure();
  const listen: Emit = (event) => {
    take(event);
    if (event.event === 'warning')
      warnings.push({ code: event.code, message: event.message, server: event.server });
    emit(event);
  };
  const common = { ...request, dryRun: false, waitMs: 0, confirmed: true };
  const finished = isDeploy
    ? await deploy(
        {
          ...common,
          ref: plan.ref,
          commit: plan.commit ?? undefined,
          plan: plan.saved,
          build: false,
          again: false,
        },
        host,
        listen,
        signal,
      )
    : await rollback({ ...common, release: plan.release, expected: plan.servers }, host, listen, signal);
  return { ...outcome(finished, warnings), finished, failure: failure() };
}

function outcome(finished: RunFinished, warnings: readonly object[]): AgentOutcome {
  const { ok, release, commit, servers, error } = finished;
  return {
    ok,
    result: {
      ok,
      dry_run: false,
      release,
      commit,
      servers,
      warnings,
      error: error === null ? null : publicError(error),
    },
  };
}

/** @throws {DurantError} `plan-stale` where durant.conf has other servers by now. */
function assertSameServers({ servers, stage }: StageRequest, plan: ReviewedPlan): void {
  const names = (of: readonly string[]): string => of.toSorted().join('\n');
  if (names(servers.map(({ entry }) => entry)) === names(plan.servers.map(({ server }) => server))) return;
  throw new DurantError(
    'plan-stale',
    `The plan is stale: ${stage} has other servers by now. Nothing was changed.`,
    { remedy: 'Do the dry run again.' },
  );
}
