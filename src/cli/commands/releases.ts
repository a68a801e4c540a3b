/** `durant releases`. */
import { defineCommand } from '../command.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { releasesLines } from '../reports.ts';

export const releases = defineCommand({
  name: 'releases',
  summary: 'List the releases on each server of a stage, newest first.',
  help: `
Example:
  durant releases production`,
  args: '<STAGE>',
  read([stage = '']) {
    return { stage };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const found = await engine.listReleases(await stageRequest(project, wanted.stage), host, emit, signal);
    if (options.json) printJson(output, found);
    else
      for (const line of releasesLines(found.servers, { color: output.color, now: host.now() }))
        printLine(output.stdout, line);
    return found.servers.some(({ error }) => error !== null) ? 1 : 0;
  },
});
