/** `durant releases`. */
import { listReleases } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import type { CommandOf } from '../invocation.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { releasesLines } from '../reports.ts';
import { openSession } from '../session.ts';

export async function releases(command: CommandOf<'releases'>, context: Context): Promise<number> {
  const { options, output } = context;
  const project = await openProject({ cwd: context.cwd, config: options.config });
  const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
  const found = await listReleases(await stageRequest(project, command.stage), host, emit, signal);
  if (options.json) printJson(output, found);
  else
    for (const line of releasesLines(found.servers, { color: output.color, now: host.now() }))
      printLine(output.stdout, line);
  return found.servers.some(({ error }) => error !== null) ? 1 : 0;
}
