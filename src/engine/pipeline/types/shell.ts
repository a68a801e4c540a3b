/** `type: shell`: commands that are run every time, like tests and linters. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import { runCommandsHere } from './goalCommands.ts';
import type { SectionGoal } from './goalContext.ts';

export function shell(name: string, { command }: GoalSettingsOf<'shell'>): SectionGoal {
  return {
    name,
    usesDirectory: true,
    network: false,
    effectful: false,
    async achieved() {
      return false;
    },
    async reason() {
      return 'it runs every time';
    },
    achieve: (work) => runCommandsHere(work, command),
    commands: () => command,
  };
}
