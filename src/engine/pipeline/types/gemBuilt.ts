/** `type: gem_built`: the file of a gem's version is there. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import { quote } from '../../../remote/shell.ts';
import { commandFailure, hasProgram, runHere } from './goalCommands.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';

export function gemBuilt(name: string, settings: GoalSettingsOf<'gem_built'>): SectionGoal {
  const gemspec = `${settings.name}.gemspec`;
  const command = `gem build ${quote(gemspec)}`;
  const isThere = (work: GoalWork, file: string): Promise<boolean> =>
    stat(join(work.directory, file)).then(
      (found) => found.isFile(),
      () => false,
    );
  const built = (work: GoalWork): Promise<boolean> => isThere(work, gemFile(settings));
  return {
    name,
    usesDirectory: true,
    network: false,
    async assess(work) {
      if (await built(work)) return;
      if (!(await isThere(work, gemspec)))
        throw new GoalFailure(`There is no ${gemspec} in ${work.directory}.`, {
          remedy: "Correct the goal's name or working_dir.",
        });
      if (!(await hasProgram(work, 'gem')))
        throw new GoalFailure('gem is not on the PATH of this machine.', { remedy: 'Install Ruby.' });
    },
    achieved: built,
    async reason(work) {
      return `${gemFile(settings)} ${(await built(work)) ? 'is built' : 'is not there yet'}`;
    },
    async achieve(work) {
      work.run.emit({ event: 'command', server: null, step: name, command });
      const result = await runHere(work, { script: command, output: 'shown' });
      if (result.status !== 0) throw commandFailure(command, result);
      if (!(await built(work)))
        throw new GoalFailure(
          `${command} did not make ${gemFile(settings)}: the version in ${gemspec} must be a different one.`,
          { remedy: 'Correct one of them.' },
        );
    },
    commands: () => [command],
  };
}

/** The file that `gem build` makes. */
export function gemFile(gem: { readonly name: string; readonly version: string }): string {
  return `${gem.name}-${gem.version}.gem`;
}
