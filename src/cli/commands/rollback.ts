/** `durant rollback`. */
import { defineCommand } from '../command.ts';
import { runStatus } from '../exitStatus.ts';
import { flag } from '../optionValues.ts';
import { openProject } from '../project.ts';

export const rollback = defineCommand({
  name: 'rollback',
  summary: 'Make an earlier release live again on every server of a stage.',
  help: `
Without RELEASE: the newest finished release, older than the live one, that every server has.
Releases newer than it are marked bad, so that no later rollback takes them by itself. To name a newer
RELEASE is to make it live again: that marks nothing. A rollback that was interrupted is finished first.

Examples:
  durant -n rollback production
  durant rollback production
  durant rollback production 20261121101500-ab12cd3     (durant releases production lists them)`,
  args: '<STAGE> [RELEASE]',
  dryRun: true,
  options: [['--yes', 'confirm the rollback of a protected stage']],
  read([stage = '', release], options) {
    return { stage, release, dryRun: flag(options, 'dryRun'), yes: flag(options, 'yes') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'shown');
    try {
      const request = await session.stageRequest(project, wanted.stage);
      const finished = await engine.rollback(
        { ...request, release: wanted.release, dryRun: wanted.dryRun, waitMs: 0, confirmed: wanted.yes },
        session.host,
        session.emit,
        session.signal,
      );
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
