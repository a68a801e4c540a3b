/** `durant deploy`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../command.ts';
import { changesPending, runStatus } from '../exitStatus.ts';
import { collect, duration, flag, list, nonEmpty, number, text } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { openProject } from '../project.ts';
import { collectFindings, isPending } from '../../report/findings.ts';

export const deploy = defineCommand({
  name: 'deploy',
  summary: 'Make a commit live on every server of a stage.',
  help: `
All servers are prepared first, then all are switched; a failure before the switch leaves
everything as it was, a failure at the switch or after it switches every server back.
A commit that is live already with the same settings is left alone (--again: a new release).
Ctrl+C undoes what was begun and exits 130; a second Ctrl+C stops at once.

Examples:
  durant -n deploy production                 what would happen, and why
  durant deploy production
  durant deploy --ref v1.4.2 production       a tag, another branch or a commit
  durant deploy --server web2 production      one server, e.g. a new one
  durant deploy --wait=5m --yes production    in a script: wait for the lock, no question
  durant deploy --json production | tee run.jsonl

Exit status: 0 done or already live, 1 failed, 2 usage or configuration, 3 locked, 130 cancelled;
with -n --detailed-exitcode: 0 nothing to change, 4 changes pending.`,
  args: '<STAGE>',
  dryRun: true,
  options: [
    ['--build', 'with -n: run before_deploy in a scratch work tree and list exactly'],
    ['--detailed-exitcode', 'with -n: exit 0 when nothing would change, 4 when something would'],
    ['--ref <REF>', "branch, tag or commit to deploy instead of the stage's", nonEmpty],
    ['--server <HOST>', 'only this server of the stage (may be given again)', collect],
    ['--again', 'make a new release even if this commit is live already'],
    ['--wait <DURATION>', 'wait for a lock held by someone else (30, 30s, 5m, 1h; alone: 15m)', duration],
    ['--yes', 'confirm the deploy of a protected stage'],
  ],
  read([stage = ''], options) {
    const dryRun = flag(options, 'dryRun');
    for (const [name, option] of [
      ['build', '--build'],
      ['detailedExitcode', '--detailed-exitcode'],
    ] as const)
      if (flag(options, name) && !dryRun)
        throw new InvalidArgumentError(`${option} belongs to a dry run: add -n`);
    return {
      stage,
      dryRun,
      build: flag(options, 'build'),
      detailedExitcode: flag(options, 'detailedExitcode'),
      ref: text(options, 'ref'),
      servers: list(options, 'server'),
      again: flag(options, 'again'),
      /** How long to wait for someone else's lock, in milliseconds; undefined: not at all. */
      waitMs: number(options, 'wait'),
      yes: flag(options, 'yes'),
    };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const project = await openProject({ cwd: context.cwd, config: context.options.config });
    const session = openSession(context, 'shown');
    try {
      const request = await session.pipelineRequest(project, wanted.stage, wanted.servers);
      const { take, findings } = collectFindings([]);
      const finished = await engine.deploy(
        {
          ...request,
          ref: wanted.ref,
          dryRun: wanted.dryRun,
          build: wanted.build,
          again: wanted.again,
          waitMs: wanted.waitMs ?? 0,
          confirmed: wanted.yes,
        },
        session.host,
        (event) => {
          take(event);
          session.emit(event);
        },
        session.signal,
      );
      if (finished.ok && wanted.detailedExitcode && isPending(findings())) return changesPending;
      const address = engine.siteAddress(request.settings);
      if (finished.ok && !wanted.dryRun && !context.options.json && address !== undefined)
        printLine(context.output.stdout, address);
      return runStatus(finished);
    } finally {
      session.renderer.close();
    }
  },
});
