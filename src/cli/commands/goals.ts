/** `durant goals`. */
import type { GoalStatus } from '../../engine/index.ts';
import { defineCommand } from '../command.ts';
import { printJson } from '../json.ts';
import { printLine, type Colors } from '../output.ts';
import { openProject } from '../project.ts';
import { tableLines } from '../table.ts';

export const goals = defineCommand({
  name: 'goals',
  summary: 'Show for each goal of the pipeline whether it is achieved, and if not, why.',
  help: `
Every goal is assessed; nothing is changed.

Example:
  durant goals production

Exit status: 1 if a goal could not be assessed.`,
  args: '<STAGE>',
  read([stage = '']) {
    return { stage };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, pipelineRequest } = openSession(context, 'only for people');
    const found = await engine.stageGoals(await pipelineRequest(project, wanted.stage), host, emit, signal);
    if (options.json) printJson(output, found);
    else for (const line of goalLines(found.goals, output.color)) printLine(output.stdout, line);
    return found.goals.some(({ state, optional }) => state === 'unknown' && !optional) ? 1 : 0;
  },
});

function goalLines(goals: readonly GoalStatus[], color: Colors): string[] {
  const words = { already: 'already achieved', pending: 'pending', unknown: 'unknown' } as const;
  const paint = { already: color.green, pending: color.yellow, unknown: color.red } as const;
  return tableLines(
    goals.map(({ goal, type, state, reason, optional }) => [
      { text: goal, paint: color.bold },
      optional ? `${type}, optional` : type,
      { text: words[state], paint: paint[state] },
      reason.replace(/\s*\r?\n\s*/g, ' · '),
    ]),
  );
}
