/** `durant adopt`. */
import { adopt as adoptStage } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { runStatus } from '../exitStatus.ts';
import type { CommandOf } from '../invocation.ts';
import { errorObject, printJson } from '../json.ts';
import { openProject } from '../project.ts';
import { openSession } from '../session.ts';

export async function adopt(command: CommandOf<'adopt'>, context: Context): Promise<number> {
  const project = await openProject({ cwd: context.cwd, config: context.options.config });
  const session = openSession(context, 'only for people');
  try {
    const request = await session.stageRequest(project, command.stage);
    const finished = await adoptStage(
      { ...request, dryRun: command.dryRun },
      session.host,
      session.emit,
      session.signal,
    );
    if (context.options.json)
      printJson(
        context.output,
        finished.error === null
          ? { stage: command.stage, dry_run: command.dryRun, servers: finished.servers }
          : { error: errorObject(finished.error) },
      );
    return runStatus(finished);
  } finally {
    session.renderer.close();
  }
}
