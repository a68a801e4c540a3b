/** `durant down`. */
import { printable } from '../../printable.ts';
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { printResult } from '../json.ts';
import { flag } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';

export const down = defineCommand({
  name: 'down',
  summary: 'Take the application of a stage away from its servers.',
  help: `
Removes its units and site, current, its releases and Durant's records. shared/ stays, and so does
what Durant did not make. Asks for the stage's name. With strategy = inplace only the records go.

Examples:
  durant down staging
  durant down --shared --yes review-42     its data, too, without a question`,
  args: '<STAGE>',
  options: [
    ['--shared', 'remove shared/, which holds the data of the application, too'],
    ['--yes', 'do not ask'],
  ],
  read([stage = ''], options) {
    return { stage, shared: flag(options, 'shared'), yes: flag(options, 'yes') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const session = openSession(context, 'only for people');
    try {
      const request = await session.stageRequest(project, wanted.stage);
      const { finished, removed } = await engine.down(
        { ...request, shared: wanted.shared, confirmed: wanted.yes },
        session.host,
        session.emit,
        session.signal,
      );
      if (options.json)
        printResult(output, finished, {
          stage: wanted.stage,
          servers: finished.servers.map(({ server }) => ({
            server,
            removed: removed.get(server) ?? [],
          })),
        });
      else if (finished.ok)
        for (const [server, names] of removed)
          if (names.length === 0) printLine(output.stdout, `${printable(server)}: nothing was there`);
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
