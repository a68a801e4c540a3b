/** `durant verify`. */
import { defineCommand } from '../command.ts';
import { drifted, runStatus } from '../exitStatus.ts';
import { eventLines } from '../lines.ts';
import { flag } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { serverChoice, serverOptions } from '../serverOptions.ts';
import { count } from '../../format.ts';
import { printable, printableLines } from '../../printable.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'Compare what is live on the servers of a stage with what was deployed, byte for byte.',
  help: `
Every file of the live release is hashed on its server: what was changed, added or deleted there,
and modes; then current, the units and the site. Shared and writable paths are left out, and so
is what the run's own commands did after the files had been sent. Takes no lock, changes nothing.

Examples:
  durant verify production
  durant verify --server web2 production    one server
  durant verify --all production            shared and writable paths, too

Exit status: 0 as it was deployed, 4 otherwise.`,
  args: '<STAGE>',
  options: [
    ...serverOptions,
    ['--all', "compare shared and writable paths, too, and what the run's own commands changed"],
  ],
  read([stage = ''], options) {
    return { stage, on: serverChoice(options), all: flag(options, 'all') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { json } = context.options;
    const { stdout, stderr, color, errorColor } = context.output;
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'shown');
    try {
      const request = await session.stageRequest(project, wanted.stage, wanted.on);
      const { finished, drifts } = await engine.verify(
        { ...request, all: wanted.all },
        session.host,
        (event) => {
          if (json) session.emit(event);
          else if (event.event === 'drift')
            for (const line of eventLines(event, { verbose: false, steps: 'lines', color }))
              printLine(stdout, line);
          else if (event.event === 'warning' || event.event === 'prompt') session.emit(event);
        },
        session.signal,
      );
      for (const { server, current, error } of json ? [] : finished.servers) {
        const found = drifts.filter((drift) => drift.server === server).length;
        const release = printable(current ?? 'nothing');
        const told =
          found === 0 ? `${release} is as it was deployed` : `${release}, ${count(found, 'difference')}`;
        if (error === null) printLine(stdout, `${printable(server)}: ${told}`);
        else printLine(stderr, `${printable(server)}: ${errorColor.red(printableLines(error))}`);
      }
      if (!finished.ok) return runStatus(finished);
      return drifts.length === 0 ? 0 : drifted;
    } finally {
      session.renderer.close();
    }
  },
});
