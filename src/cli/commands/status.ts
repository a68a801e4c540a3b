/** `durant status`. */
import type { StageStatus } from '../../engine/index.ts';
import { defineCommand } from '../command.ts';
import type { Stage } from '../../config/values/stage.ts';
import { asDurantError } from '../../errors.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { chosenStages, openProject } from '../project.ts';
import { statusLines } from '../reports.ts';
import { unknownStatus } from '../../report/unknownStatus.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show what is live on each server, and how far it is behind the branch.',
  help: `
Examples:
  durant status                 every stage
  durant status production`,
  args: '[STAGE]',
  read([stage]) {
    return { stage };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const look = async (stage: Stage): Promise<StageStatus> => {
      try {
        const request = await stageRequest(project, stage.name);
        const behind = engine.behindCounter(request, host, emit, signal);
        try {
          return await engine.stageStatus(request, host, emit, signal, behind.count);
        } finally {
          await behind.close();
        }
      } catch (error) {
        const { code, message } = asDurantError(error);
        // Of several stages, one that cannot be inspected does not hide the others.
        if (wanted.stage !== undefined || code === 'cancelled') throw error;
        return unknownStatus(stage, message);
      }
    };
    const stages = await Promise.all(chosenStages(project, wanted.stage).map(look));
    if (options.json) printJson(output, { stages });
    else
      for (const line of statusLines(stages, { color: output.color, now: host.now() }))
        printLine(output.stdout, line);
    return stages.some(({ servers }) => servers.some(({ error }) => error !== null)) ? 1 : 0;
  },
});
