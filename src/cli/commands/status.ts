/** `durant status`. */
import { configJson, type Stage } from '../../config/resolve.ts';
import { behindCounter, stageStatus, type StageStatus } from '../../engine/index.ts';
import { asDurantError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandOf } from '../invocation.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { chosenStages, openProject } from '../project.ts';
import { statusLines } from '../reports.ts';
import { openSession } from '../session.ts';

export async function status(command: CommandOf<'status'>, context: Context): Promise<number> {
  const { options, output } = context;
  const project = await openProject({ cwd: context.cwd, config: options.config });
  const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
  const look = async (stage: Stage): Promise<StageStatus> => {
    try {
      const request = await stageRequest(project, stage.name);
      const behind = behindCounter(request, host, signal);
      try {
        return await stageStatus(request, host, emit, signal, behind.count);
      } finally {
        await behind.close();
      }
    } catch (error) {
      const { code, message } = asDurantError(error);
      // Of several stages, one that cannot be looked at does not hide the others.
      if (command.stage !== undefined || code === 'cancelled') throw error;
      return unknownStatus(stage, message);
    }
  };
  const stages = await Promise.all(chosenStages(project, command.stage).map(look));
  if (options.json) printJson(output, { stages });
  else
    for (const line of statusLines(stages, { color: output.color, now: host.now() }))
      printLine(output.stdout, line);
  return stages.some(({ servers }) => servers.some(({ error }) => error !== null)) ? 1 : 0;
}

/** The status of a stage whose settings could not be found out. */
function unknownStatus(stage: Stage, error: string): StageStatus {
  const written = configJson(stage).options['server']?.value;
  const servers = Array.isArray(written) ? written : [];
  return {
    stage: stage.name,
    mixed: false,
    servers: servers.map((server) => ({
      server: String(server),
      release: null,
      commit: null,
      branch: null,
      subject: null,
      finished: null,
      behind: null,
      locked: null,
      free_bytes: null,
      error,
    })),
  };
}
