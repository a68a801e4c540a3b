/** `durant unlock`. */
import type { LockRecord } from '../../engine/index.ts';
import { flag } from '../optionValues.ts';
import { defineCommand } from '../command.ts';
import { DurantError } from '../../errors.ts';
import { exitStatus } from '../exitStatus.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { printable } from '../../printable.ts';
import { openProject } from '../project.ts';
import { canAsk } from '../prompts.ts';
import { lockText } from '../reports.ts';

export const unlock = defineCommand({
  name: 'unlock',
  summary: 'Remove the lock that a run left behind on the servers of a stage.',
  help: `
Shows who holds it and asks. Only remove the lock of a run that is certainly dead.

Example:
  durant unlock --force staging     without asking`,
  args: '<STAGE>',
  options: [['--force', 'do not ask']],
  read([stage = ''], options) {
    return { stage, force: flag(options, 'force') };
  },
  async run(wanted, context) {
    const { engine, openSession } = await import('../engine.ts');
    const { options, output } = context;
    const project = await openProject({ cwd: context.cwd, config: options.config });
    const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
    const asks = canAsk({ input: context.input, screen: output.stderr, mayAsk: !options.json });

    const confirm = async (server: string, lock: LockRecord): Promise<boolean> => {
      if (wanted.force) return true;
      const holder = `${printable(server)} is locked by ${lockText(lock, host.now())}.`;
      if (!asks)
        throw new DurantError('confirmation-needed', holder, {
          remedy: 'If that run is certainly dead, remove its lock',
          command: `durant unlock --force ${wanted.stage}`,
        });
      const message = `${holder} Removing the lock of a run that still works can break its release.`;
      return (await host.prompt({ kind: 'confirm', server, message, expect: undefined }, signal)) === 'yes';
    };
    const request = await stageRequest(project, wanted.stage);
    const result = await engine.unlock(request, host, emit, signal, confirm);

    const kept = result.servers.some(({ was, unlocked }) => was !== null && !unlocked);
    if (options.json) printJson(output, result);
    else
      for (const { server, was, unlocked } of result.servers) {
        const told =
          was === null
            ? 'was not locked'
            : `${unlocked ? 'unlocked' : 'left locked'}; held by ${lockText(was, host.now())}`;
        printLine(output.stdout, `${printable(server)}: ${told}`);
      }
    return kept ? exitStatus('cancelled') : 0;
  },
});
