/** `durant rollback`. */
import { rollback as rollbackStage } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { runStatus } from '../exitStatus.ts';
import type { CommandOf } from '../invocation.ts';
import { openProject } from '../project.ts';
import { openSession } from '../session.ts';

export async function rollback(command: CommandOf<'rollback'>, context: Context): Promise<number> {
  const project = await openProject({ cwd: context.cwd, config: context.options.config });
  const session = openSession(context, 'shown');
  try {
    const request = await session.stageRequest(project, command.stage);
    const finished = await rollbackStage(
      { ...request, release: command.release, dryRun: command.dryRun, waitMs: 0, confirmed: command.yes },
      session.host,
      session.emit,
      session.signal,
    );
    return runStatus(finished);
  } finally {
    session.renderer.close();
  }
}
