/** `durant prune`. */
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { printResult } from '../json.ts';
import { flag, kept, number } from '../optionValues.ts';
import { openProject } from '../project.ts';

export const prune = defineCommand({
  name: 'prune',
  summary: 'Remove old releases from the servers of a stage.',
  help: `
By the rules of the cleanup after a deploy: the live release, the one a rollback would go to, and
the newest that all servers share always stay, and so does what Durant did not make.

Examples:
  durant prune -n production       what would be removed
  durant prune -k 2 production     keep two`,
  args: '<STAGE>',
  dryRun: true,
  options: [
    ['-k, --keep <N>', "finished releases to keep, the live one counted, instead of the stage's", kept],
    ['--yes', 'confirm for a protected stage'],
  ],
  read([stage = ''], options) {
    return {
      stage,
      /** How many finished releases stay, -1 for all; undefined: the stage's `keep_releases`. */
      keep: number(options, 'keep'),
      dryRun: flag(options, 'dryRun'),
      yes: flag(options, 'yes'),
    };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'only for people');
    try {
      const request = await session.stageRequest(project, wanted.stage);
      const keep = wanted.keep ?? request.settings.keep_releases;
      const { finished, removed, kept } = await engine.prune(
        { ...request, keep, dryRun: wanted.dryRun, confirmed: wanted.yes },
        session.host,
        session.emit,
        session.signal,
      );
      if (context.options.json)
        printResult(context.output, finished, {
          stage: wanted.stage,
          dry_run: wanted.dryRun,
          keep,
          servers: finished.servers.map(({ server, current }) => ({
            server,
            current,
            removed: removed.get(server) ?? [],
            kept: (kept.get(server) ?? []).map(({ name, why }) => ({ release: name, why })),
          })),
        });
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
