/** Carries out what an agent asked for, with the engine. Neither the editor nor the protocol of agents is known here. */
import { validate } from '../config/rules/validate.ts';
import { toProblemJson } from '../config/syntax/problemJson.ts';
import { assertText, resolveStage, stageNames } from '../config/values/stage.ts';
import {
  assessStage,
  behindCounter,
  openStage,
  stageLog,
  stageStatus,
  type Assessment,
  type StageStatus,
} from '../engine/index.ts';
import { asDurantError } from '../errors.ts';
import { unknownStatus } from '../report/unknownStatus.ts';
import { act } from './act.ts';
import { dryRun } from './dryRun.ts';
import type { AgentContext, Open } from './context.ts';
import { explainFailure } from './explainFailure.ts';
import { publicError } from '../report/publicError.ts';
import type { AgentOutcome, AgentRequest } from './requests.ts';
import { DEFAULT_RUNS } from './tools.ts';

/** Never rejects: what failed is the result. */
export async function runAgentRequest(request: AgentRequest, context: AgentContext): Promise<AgentOutcome> {
  const { doc, file, host, signal } = context;
  const open: Open = (stage, goals) =>
    openStage({ doc, file, stage, servers: [], goals: goals ?? 'without goals' }, host, signal);
  try {
    switch (request.tool) {
      case 'durant_status':
        return await status(request.stage, open, context);
      case 'durant_check':
        return await check(request, open, context);
      case 'durant_log': {
        const { stage, limit = DEFAULT_RUNS } = request;
        const log = await stageLog(await open(stage), host, context.emit, signal, limit);
        return { result: { ...log }, ok: log.errors.length === 0 };
      }
      case 'durant_explain_failure':
        return await explainFailure(request, open, context);
      case 'durant_dry_run':
        return await dryRun(request, open, context);
      case 'durant_deploy':
      case 'durant_rollback':
        return await act(request, open, context);
    }
  } catch (error) {
    return failed(error);
  }
}

/** @param error whatever was thrown. */
export function failed(error: unknown): AgentOutcome {
  const told = publicError(asDurantError(error));
  return { result: { error: told }, ok: false, error: told };
}

async function status(
  wanted: string | undefined,
  open: Open,
  { doc, host, emit, signal }: AgentContext,
): Promise<AgentOutcome> {
  assertText(doc);
  const look = async (name: string): Promise<StageStatus> => {
    try {
      const request = await open(name);
      const behind = behindCounter(request, host, emit, signal);
      try {
        return await stageStatus(request, host, emit, signal, behind.count);
      } finally {
        await behind.close();
      }
    } catch (error) {
      const { code, message } = asDurantError(error);
      if (wanted !== undefined || code === 'cancelled') throw error;
      return unknownStatus(resolveStage(doc, name), message);
    }
  };
  const stages = await Promise.all((wanted === undefined ? stageNames(doc) : [wanted]).map(look));
  return {
    result: { stages },
    ok: stages.every(({ servers }) => servers.every(({ error }) => error === null)),
  };
}

async function check(
  { stage, connect }: { readonly stage: string | undefined; readonly connect: boolean },
  open: Open,
  { doc, facts, host, emit, signal }: AgentContext,
): Promise<AgentOutcome> {
  // A file that is no text has that one problem.
  const isText = doc.problems[0]?.code !== 'not-utf8';
  const stages = isText ? (stage === undefined ? stageNames(doc) : [stage]) : [];
  const found = isText ? validate(doc, stage, await facts(doc, stages)) : doc.problems;
  const problems = found.map((problem) => toProblemJson(doc, problem));
  const isInvalid = problems.some(({ severity }) => severity === 'error');
  if (!connect || isInvalid) return { result: { ok: !isInvalid, problems }, ok: !isInvalid };
  const assessments: Assessment[] = [];
  for (const name of stages) {
    try {
      assessments.push(...(await assessStage(await open(name, 'with goals'), host, emit, signal)));
    } catch (error) {
      const { code, message } = asDurantError(error);
      if (code === 'cancelled') throw error;
      assessments.push({ server: null, step: 'resolve', ok: false, message: `[${name}] ${message}` });
    }
  }
  const ok = assessments.every((assessment) => assessment.ok);
  return { result: { ok, problems, assessments }, ok };
}
