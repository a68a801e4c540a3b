/** `durant deploy`. */
import { deploy as deployStage, siteAddress } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { changesPending, runStatus } from '../exitStatus.ts';
import type { CommandOf } from '../invocation.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { isPending } from '../review.ts';
import { openSession } from '../session.ts';

export async function deploy(command: CommandOf<'deploy'>, context: Context): Promise<number> {
  const project = await openProject({ cwd: context.cwd, config: context.options.config });
  const session = openSession(context, 'shown');
  try {
    const request = await session.pipelineRequest(project, command.stage, command.servers);
    let pending = false;
    const finished = await deployStage(
      {
        ...request,
        ref: command.ref,
        dryRun: command.dryRun,
        build: command.build,
        again: command.again,
        waitMs: command.waitMs ?? 0,
        confirmed: command.yes,
      },
      session.host,
      (event) => {
        pending ||= isPending(event);
        session.emit(event);
      },
      session.signal,
    );
    if (finished.ok && command.detailedExitcode && pending) return changesPending;
    const address = siteAddress(request.settings);
    if (finished.ok && !command.dryRun && !context.options.json && address !== undefined)
      printLine(context.output.stdout, address);
    return runStatus(finished);
  } finally {
    session.renderer.close();
  }
}
