/** `type: command`: the user's own commands say whether it is achieved, and achieve it. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import { lastLines } from '../../run/script.ts';
import { askCommands, commandFailure, outputOf, runCommandsHere } from './goalCommands.ts';
import type { SectionGoal } from './goalContext.ts';
import { GoalFailure, TEMPORARY_FAILURE } from './goalFailure.ts';

export function command(name: string, settings: GoalSettingsOf<'command'>): SectionGoal {
  return {
    name,
    usesDirectory: true,
    network: false,
    effectful: settings.effectful,
    async assess(work) {
      const last = await askCommands(work, settings.assess);
      if (last !== undefined && last.result.status !== 0) throw commandFailure(last.command, last.result);
    },
    async achieved(work) {
      const last = await askCommands(work, settings.achieved);
      // It could not tell: another try may.
      if (last?.result.status === TEMPORARY_FAILURE) throw commandFailure(last.command, last.result);
      return last?.result.status === 0;
    },
    async reason(work) {
      const said = await askCommands(work, settings.reason);
      const text = said === undefined ? '' : lastLines(said.result.stdout.toString('utf8'), 3);
      if (text !== '') return text;
      const last = await askCommands(work, settings.achieved);
      if (last === undefined) return 'nothing says whether it is achieved';
      if (last.result.status === 0) return `"${last.command}" exits 0`;
      const output = outputOf(last.result, 1);
      return `"${last.command}" ends with exit status ${String(last.result.status)}${output === '' ? '' : `: ${output}`}`;
    },
    async achieve(work) {
      if (settings.achieve.length === 0)
        throw new GoalFailure('It is not achieved, and there is no command that would achieve it.', {
          remedy: 'Write one as achieve, or do it by hand.',
        });
      await runCommandsHere(work, settings.achieve);
    },
    commands: () => settings.achieve,
  };
}
