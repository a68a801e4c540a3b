/** `durant_dry_run`: what a deploy or a rollback would do, and the plan that a person may confirm. */
import { deploy, rollback, type DeployPlan, type RunEvent, type RunFinished } from '../engine/index.ts';
import { collectFindings, isPending, type Findings } from '../report/findings.ts';
import { publicError } from '../report/publicError.ts';
import { collectFailure } from './failure.ts';
import type { AgentOutcome, DryRunRequest } from './requests.ts';
import { reviewedPlan, type ReviewedPlan } from './reviewed.ts';
import type { AgentContext, Open } from './context.ts';

/** More files than this are counted: a model reads no more of them. */
const LISTED_FILES = 300;

/** @throws {DurantError} what opening the stage fails with. */
export async function dryRun(
  request: DryRunRequest,
  open: Open,
  context: AgentContext,
): Promise<AgentOutcome> {
  const { host, emit, signal } = context;
  const stage = await open(request.stage, request.action === 'deploy' ? 'with goals' : undefined);
  const { take, findings } = collectFindings(
    stage.pipeline?.goals.map((goal) => (goal.kind === 'section' ? goal.name : goal.kind)) ?? [],
  );
  const { take: takeFailure, failure } = collectFailure();
  let saved: DeployPlan | undefined;
  const listen = (event: RunEvent): void => {
    take(event);
    takeFailure(event);
    if (event.event === 'plan') saved = withoutName(event);
    emit(event);
  };
  if (request.action === 'rollback') {
    const { release } = request;
    const asked = { ...stage, release, dryRun: true, waitMs: 0, confirmed: false };
    const finished = await rollback(asked, host, listen, signal);
    return { ...outcome(request, findings(), finished, undefined), failure: failure() };
  }
  const { ref, build } = request;
  const finished = await deploy(
    {
      ...stage,
      ref,
      dryRun: true,
      build,
      savePlan: 'where-known',
      again: false,
      waitMs: 0,
      confirmed: false,
    },
    host,
    listen,
    signal,
  );
  return { ...outcome(request, findings(), finished, saved), failure: failure() };
}

function outcome(
  request: DryRunRequest,
  findings: Findings,
  finished: RunFinished,
  saved: DeployPlan | undefined,
): AgentOutcome {
  const { ok, error, commit, release } = finished;
  const isRollback = request.action === 'rollback';
  const pending = isRollback
    ? finished.servers.some(({ current }) => current !== release)
    : isPending(findings);
  const reviewed =
    ok && pending && release !== null && (isRollback || saved !== undefined)
      ? planOf(request, findings, { ...finished, release }, saved)
      : undefined;
  const { steps, commands, changes, warnings, goals, notListed } = findings;
  return {
    ok,
    reviewed,
    result: {
      ok,
      stage: request.stage,
      action: request.action,
      pending: ok && pending,
      plan: reviewed?.digest ?? null,
      ...(ok && pending && reviewed === undefined ? { no_plan: noPlan } : {}),
      commit,
      // A deploy draws its name when it runs.
      ...(isRollback ? { release } : {}),
      servers: finished.servers,
      goals: goals.map(({ goal, state, reason }) => ({ goal, state, reason: reason ?? null })),
      steps: steps.map(({ step, server, state, reason }) => ({ step, server, state, reason })),
      commands: commands.map(({ step, server, command }) => ({ step, server, command })),
      changes: changes
        .toSorted((a, b) => Number(b.kind === 'deleted') - Number(a.kind === 'deleted'))
        .slice(0, LISTED_FILES)
        .map(({ server, path, kind, bytes }) => ({ server, path, kind, bytes })),
      changes_total: changes.length,
      ...(notListed === 'nothing' ? {} : { not_listed: notListed }),
      warnings: warnings.map(({ code, message, server }) => ({ code, message, server })),
      error: error === null ? null : publicError(error),
    },
  };
}

const noPlan =
  'What would be sent is known only after before_deploy has run. Call this again with build true: that runs its commands on this machine.';

function planOf(
  request: DryRunRequest,
  findings: Findings,
  { commit, release, servers }: RunFinished & { readonly release: string },
  saved: DeployPlan | undefined,
): ReviewedPlan {
  const paths = (kind: 'added' | 'changed' | 'deleted'): number =>
    new Set(findings.changes.flatMap((change) => (change.kind === kind ? [change.path] : []))).size;
  return reviewedPlan({
    action: request.action,
    file: request.file,
    stage: request.stage,
    ref: request.action === 'deploy' ? request.ref : undefined,
    commit,
    release,
    servers: servers.map(({ server, current }) => ({ server, live: current })),
    files: { added: paths('added'), changed: paths('changed'), deleted: paths('deleted') },
    notes: findings.warnings.map(({ message }) => message),
    saved,
  });
}

function withoutName({
  version,
  stage,
  commit,
  tree,
  recipe,
  servers,
  created,
}: Extract<RunEvent, { event: 'plan' }>): DeployPlan {
  return { version, stage, commit, tree, recipe, servers, created };
}
