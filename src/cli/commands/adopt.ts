/** `durant adopt`. */
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { printResult } from '../json.ts';
import { flag } from '../optionValues.ts';
import { openProject } from '../project.ts';

export const adopt = defineCommand({
  name: 'adopt',
  summary: 'Take over a project_dir that Deployer or Capistrano made.',
  help: `
Recognises releases/ and current, and writes records for the live release and the complete ones
before it, which can be rolled back to then, and count for keep_releases. Touches nothing else.
What failed, or came after the live release, is left alone.

Examples:
  durant adopt -n production     say what would be recorded
  durant adopt production`,
  args: '<STAGE>',
  dryRun: true,
  read([stage = ''], options) {
    return { stage, dryRun: flag(options, 'dryRun') };
  },
  async run({ stage, dryRun }, context) {
    const { engine, openSession } = await import('../engine.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'only for people');
    try {
      const request = await session.stageRequest(project, stage);
      const finished = await engine.adopt({ ...request, dryRun }, session.host, session.emit, session.signal);
      if (context.options.json)
        printResult(context.output, finished, { stage, dry_run: dryRun, servers: finished.servers });
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
