/** What a front end remembers of its agents: the plans that were reviewed, and the failures that were seen. */
import { DurantError } from '../errors.ts';
import type { Failure } from './failure.ts';
import { readInput } from './input.ts';
import type { AgentRequest, AgentOutcome } from './requests.ts';
import type { ReviewedPlan } from './reviewed.ts';
import type { AgentTool } from './tools.ts';

export interface AgentSession {
  /**
   * What a call asks for. Contacts nobody.
   * @param file durant.conf that the call is about.
   * @throws {DurantError} `usage` for input that is none, or a plan that no dry run of this session gave.
   */
  readonly request: (tool: AgentTool, input: unknown, file: string) => AgentRequest;
  /** The plan that a call names; undefined where no dry run of this session gave it. */
  readonly planOf: (tool: AgentTool, input: unknown) => ReviewedPlan | undefined;
  /** Remembers what a call has found out. */
  readonly learn: (request: AgentRequest, outcome: AgentOutcome) => void;
  /** Remembers how a run ended that nobody asked for here, undefined where it did not fail. */
  readonly sawRun: (file: string, stage: string, failure: Failure | undefined) => void;
}

/** Older ones are forgotten: they are stale. */
const KEPT_PLANS = 50;

export function createAgentSession(): AgentSession {
  const plans = new Map<string, ReviewedPlan>();
  const failures = new Map<string, Failure>();
  const key = (file: string, stage: string): string => `${file}\0${stage}`;

  const planOf = (tool: AgentTool, input: unknown): ReviewedPlan | undefined => {
    const digest = tool.effect === 'acts' ? readInput(tool, input).text('plan') : undefined;
    const plan = digest === undefined ? undefined : plans.get(digest.toLowerCase());
    return plan?.action === (tool.name === 'durant_deploy' ? 'deploy' : 'rollback') ? plan : undefined;
  };
  const sawRun: AgentSession['sawRun'] = (file, stage, failure) => {
    if (failure === undefined) failures.delete(key(file, stage));
    else failures.set(key(file, stage), failure);
  };

  return {
    planOf,
    sawRun,
    request: (tool, input, file) => {
      const { text, flag, integer } = readInput(tool, input);
      const stage = text('stage') ?? '';
      switch (tool.name) {
        case 'durant_status':
          return { tool: tool.name, file, stage: text('stage') };
        case 'durant_check':
          return { tool: tool.name, file, stage: text('stage'), connect: flag('connect') };
        case 'durant_log':
          return { tool: tool.name, file, stage, limit: integer('limit') };
        case 'durant_explain_failure':
          return { tool: tool.name, file, stage, seen: failures.get(key(file, stage)) };
        case 'durant_dry_run':
          return text('action') === 'rollback'
            ? { tool: tool.name, file, stage, action: 'rollback', release: text('release') }
            : { tool: tool.name, file, stage, action: 'deploy', ref: text('ref'), build: flag('build') };
        case 'durant_deploy':
        case 'durant_rollback': {
          const plan = planOf(tool, input);
          if (plan === undefined)
            throw new DurantError('usage', 'No dry run of this session gave that plan.', {
              remedy: `Call durant_dry_run${tool.name === 'durant_rollback' ? ' with action rollback' : ''} first, and take the plan that it gives.`,
            });
          return { tool: tool.name, file: plan.file, stage: plan.stage, plan };
        }
      }
    },
    learn: (request, { reviewed, finished, failure }) => {
      if (reviewed !== undefined) {
        plans.delete(reviewed.digest);
        plans.set(reviewed.digest, reviewed);
        for (const oldest of [...plans.keys()].slice(0, -KEPT_PLANS)) plans.delete(oldest);
      }
      const { file, stage } = request;
      if (stage !== undefined && (failure !== undefined || finished !== undefined))
        sawRun(file, stage, failure);
      if (finished?.ok === true && 'plan' in request) plans.delete(request.plan.digest);
    },
  };
}
