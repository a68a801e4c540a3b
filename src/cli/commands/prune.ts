/** `durant prune`. */
import { prune as pruneStage } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { runStatus } from '../exitStatus.ts';
import type { CommandOf } from '../invocation.ts';
import { errorObject, printJson } from '../json.ts';
import { openProject } from '../project.ts';
import { openSession } from '../session.ts';

export async function prune(command: CommandOf<'prune'>, context: Context): Promise<number> {
  const project = await openProject({ cwd: context.cwd, config: context.options.config });
  const session = openSession(context, 'only for people');
  try {
    const request = await session.stageRequest(project, command.stage);
    const keep = command.keep ?? request.settings.keep_releases;
    const { finished, removed } = await pruneStage(
      { ...request, keep, dryRun: command.dryRun, confirmed: command.yes },
      session.host,
      session.emit,
      session.signal,
    );
    if (context.options.json)
      printJson(
        context.output,
        finished.error === null
          ? {
              stage: command.stage,
              dry_run: command.dryRun,
              keep,
              servers: finished.servers.map(({ server, current }) => ({
                server,
                current,
                removed: removed.get(server) ?? [],
              })),
            }
          : { error: errorObject(finished.error) },
      );
    return runStatus(finished);
  } finally {
    session.renderer.close();
  }
}
