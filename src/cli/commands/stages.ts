/** `durant stages`. */
import { defineCommand } from '../command.ts';
import { configJson, type JsonValue, type Stage } from '../../config/values/stage.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { chosenStages, openProject } from '../project.ts';
import { tableLines } from '../table.ts';

export const stages = defineCommand({
  name: 'stages',
  summary: 'List the stages of durant.conf with their servers and branch.',
  help: '',
  read: () => ({}),
  async run(_, { cwd, options, output }) {
    const project = await openProject({ cwd, config: options.config });
    const found = chosenStages(project, undefined).map(describeStage);
    if (options.json) {
      printJson(output, { stages: found });
      return 0;
    }
    const { color } = output;
    const rows = found.map(({ stage, servers, branch, strategy, protected: guarded }) => [
      { text: stage, paint: color.bold },
      branch ?? '(default branch)',
      strategy,
      servers.join(', '),
      { text: guarded ? 'protected' : '', paint: color.yellow },
    ]);
    for (const line of tableLines(rows)) printLine(output.stdout, line);
    if (found.length === 0)
      printLine(output.stderr, `${project.shown} has no stage yet. Add a section such as [production].`);
    return 0;
  },
});

/** As much of a stage as can be told without running its resolvers. */
function describeStage(stage: Stage): {
  stage: string;
  servers: readonly string[];
  branch: string | null;
  strategy: string;
  protected: boolean;
  line: number | null;
} {
  const { options } = configJson(stage);
  const value = (key: string): JsonValue | undefined => options[key]?.value;
  const servers = value('server');
  const branch = value('branch');
  return {
    stage: stage.name,
    servers: Array.isArray(servers) ? servers : [],
    branch: typeof branch === 'string' && branch !== '' ? branch : null,
    strategy: String(value('strategy') ?? ''),
    protected: value('protected') === true,
    line: stage.section.headers[0]?.line ?? null,
  };
}
