/** The part of `check` that looks at servers. */
import { assessStage, type Assessment } from '../engine/index.ts';
import { asDurantError } from '../errors.ts';
import type { Context } from './context.ts';
import type { Project } from './project.ts';
import { openSession } from './session.ts';

/** Looks at the servers of each stage; a stage that cannot be looked at does not hide the others. */
export async function assessStages(
  project: Project,
  stages: readonly string[],
  context: Context,
): Promise<readonly Assessment[]> {
  const { host, emit, signal, pipelineRequest } = openSession(context, 'only for people');
  const all: Assessment[] = [];
  for (const stage of stages) {
    try {
      all.push(...(await assessStage(await pipelineRequest(project, stage), host, emit, signal)));
    } catch (error) {
      const { code, message } = asDurantError(error);
      if (code === 'cancelled') throw error;
      all.push({ server: null, step: 'resolve', ok: false, message: `[${stage}] ${message}` });
    }
  }
  return all;
}
