/** `durant unlock`. */
import { unlock as unlockStage, type LockRecord } from '../../engine/index.ts';
import { DurantError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { exitStatus } from '../exitStatus.ts';
import type { CommandOf } from '../invocation.ts';
import { printJson } from '../json.ts';
import { printLine } from '../output.ts';
import { printable } from '../printable.ts';
import { openProject } from '../project.ts';
import { canAsk } from '../prompts.ts';
import { lockText } from '../reports.ts';
import { openSession } from '../session.ts';

export async function unlock(command: CommandOf<'unlock'>, context: Context): Promise<number> {
  const { options, output } = context;
  const project = await openProject({ cwd: context.cwd, config: options.config });
  const { host, emit, signal, stageRequest } = openSession(context, 'only for people');
  const asks = canAsk({ input: context.input, screen: output.stderr, mayAsk: !options.json });

  const confirm = async (server: string, lock: LockRecord): Promise<boolean> => {
    if (command.force) return true;
    const holder = `${printable(server)} is locked by ${lockText(lock, host.now())}.`;
    if (!asks)
      throw new DurantError(
        'confirmation-needed',
        `${holder} If that run is certainly dead, remove its lock with: durant unlock --force ${command.stage}`,
      );
    const message = `${holder} Removing the lock of a run that still works can break its release.`;
    return (await host.prompt({ kind: 'confirm', server, message, expect: undefined }, signal)) === 'yes';
  };
  const request = await stageRequest(project, command.stage);
  const result = await unlockStage(request, host, emit, signal, confirm);

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
}
