/** `durant promote`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { flag } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';

export const promote = defineCommand({
  name: 'promote',
  summary: 'Make the very release that is live in one stage live in another.',
  help: `
The same tree, byte for byte: before_deploy is not run again. What the servers of TO lack comes
from FROM's first server through this machine, verified. TO's own environment, processes, hooks
and shared paths apply; everything else goes like a deploy.

Examples:
  durant promote -n staging production     what would change
  durant promote staging production`,
  args: '<FROM> <TO>',
  dryRun: true,
  options: [['--yes', 'confirm for a protected stage TO']],
  read([from = '', to = ''], options) {
    if (from === to) throw new InvalidArgumentError('FROM and TO are the same stage');
    return { from, to, dryRun: flag(options, 'dryRun'), yes: flag(options, 'yes') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'shown');
    try {
      const from = await session.stageRequest(project, wanted.from);
      const request = await session.stageRequest(project, wanted.to);
      const finished = await engine.promote(
        { ...request, from, dryRun: wanted.dryRun, confirmed: wanted.yes },
        session.host,
        session.emit,
        session.signal,
      );
      const address = engine.siteAddress(request.settings);
      if (finished.ok && !wanted.dryRun && !context.options.json && address !== undefined)
        printLine(context.output.stdout, address);
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
