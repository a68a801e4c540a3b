/** `durant deploy`. */
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { DeployPlan } from '../../engine/index.ts';
import { asDurantError, DurantError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { changesPending, runStatus } from '../exitStatus.ts';
import { duration, flag, nonEmpty, number, text } from '../optionValues.ts';
import { printLine } from '../output.ts';
import { assertWritable, readPlan, writePlan } from '../planFile.ts';
import { openProject } from '../project.ts';
import { serverChoice, serverOptions } from '../serverOptions.ts';
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
  durant -n deploy production --out plan.json  save what was found ...
  durant deploy --plan plan.json              ... and do exactly that, or nothing

Exit status: 0 done or already live, 1 failed, 2 usage or configuration, 3 locked, 130 cancelled;
with -n --detailed-exitcode: 0 nothing to change, 4 changes pending.`,
  args: '[STAGE]',
  dryRun: true,
  options: [
    ['--build', 'with -n: run before_deploy in a scratch work tree and list exactly'],
    ['--detailed-exitcode', 'with -n: exit 0 when nothing would change, 4 when something would'],
    ['--ref <REF>', "branch, tag or commit to deploy instead of the stage's", nonEmpty],
    ...serverOptions,
    ['--again', 'make a new release even if this commit is live already'],
    ['--wait <DURATION>', 'wait for a lock held by someone else (30, 30s, 5m, 1h; alone: 15m)', duration],
    ['--out <FILE>', 'with -n: save the plan, by digests, for --plan', nonEmpty],
    ['--plan <FILE>', 'do exactly what this plan says; nothing where anything is otherwise by now', nonEmpty],
    ['--yes', 'confirm the deploy of a protected stage'],
  ],
  read([stage], options) {
    const dryRun = flag(options, 'dryRun');
    for (const [name, option] of [
      ['build', '--build'],
      ['detailedExitcode', '--detailed-exitcode'],
      ['out', '--out'],
    ] as const)
      if (options[name] !== undefined && !dryRun)
        throw new InvalidArgumentError(`${option} belongs to a dry run: add -n`);
    const plan = text(options, 'plan');
    if (plan === undefined && stage === undefined)
      throw new InvalidArgumentError('Name the STAGE to deploy, or a plan: --plan FILE');
    if (plan !== undefined)
      for (const [isGiven, name] of [
        [stage !== undefined, 'STAGE'],
        [text(options, 'ref') !== undefined, '--ref'],
        [serverChoice(options).servers.length > 0, '--server'],
        [serverChoice(options).roles.length > 0, '--role'],
        [text(options, 'out') !== undefined, '--out'],
      ] as const)
        if (isGiven) throw new InvalidArgumentError(`The plan already says that: leave ${name} out`);
    return {
      stage: stage ?? '',
      plan,
      out: text(options, 'out'),
      dryRun,
      build: flag(options, 'build'),
      detailedExitcode: flag(options, 'detailedExitcode'),
      ref: text(options, 'ref'),
      on: serverChoice(options),
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
    const fileOf = (name: string) => ({ path: resolve(context.cwd, name), name });
    try {
      if (wanted.out !== undefined) await assertWritable(fileOf(wanted.out));
      const plan =
        wanted.plan === undefined
          ? undefined
          : engine.parsePlan(await readPlan(fileOf(wanted.plan)), wanted.plan);
      const request = await session
        .pipelineRequest(
          project,
          plan?.stage ?? wanted.stage,
          plan === undefined ? wanted.on : { servers: plan.servers.map(({ server }) => server), roles: [] },
        )
        .catch((error: unknown) => {
          throw plan === undefined ? error : withPlan(plan, error);
        });
      let saved: object | undefined;
      const { take, findings } = collectFindings([]);
      const finished = await engine.deploy(
        {
          ...request,
          ref: wanted.ref,
          commit: plan?.commit,
          plan,
          savePlan: wanted.out !== undefined,
          dryRun: wanted.dryRun,
          build: wanted.build,
          again: wanted.again,
          waitMs: wanted.waitMs ?? 0,
          confirmed: wanted.yes,
        },
        session.host,
        (event) => {
          take(event);
          // Without the name of the event, which the file is not.
          if (event.event === 'plan') saved = { ...event, event: undefined };
          session.emit(event);
        },
        session.signal,
      );
      if (wanted.out !== undefined && saved !== undefined) await writePlan(fileOf(wanted.out), saved);
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

/** A stage or a server of the plan that durant.conf no longer has makes it stale. */
function withPlan({ stage }: DeployPlan, thrown: unknown): DurantError {
  const error = asDurantError(thrown);
  if (error.code !== 'unknown-stage' && error.code !== 'unknown-server') return error;
  return new DurantError(
    'plan-stale',
    `The plan is stale: durant.conf has other stages or servers by now. ${error.summary}`,
    { remedy: 'Save a new plan', command: `durant -n deploy ${stage} --out FILE`, cause: error },
  );
}
