/** `durant maintenance`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { printResult } from '../json.ts';
import { openProject } from '../project.ts';

export const maintenance = defineCommand({
  name: 'maintenance',
  summary: 'Show visitors of a stage a maintenance page (503), or the site again.',
  help: `
The page is the file maintenance_page of the live release, else a plain one. It stays until it is
turned off: deploys and rollbacks work meanwhile, and their health checks ask the application.

Examples:
  durant maintenance on production
  durant maintenance off production`,
  args: '<STATE> <STAGE>',
  read([state, stage = '']) {
    if (state !== 'on' && state !== 'off')
      throw new InvalidArgumentError('Say on or off: durant maintenance on STAGE');
    return { to: state, stage } as const;
  },
  async run({ to, stage }, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const session = openSession(context, 'only for people');
    try {
      const request = await session.stageRequest(project, stage);
      const finished = await engine.maintenance(
        { ...request, to },
        session.host,
        session.emit,
        session.signal,
      );
      if (options.json)
        printResult(output, finished, {
          stage,
          maintenance: to === 'on',
          servers: finished.servers.map(({ server }) => server),
        });
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
