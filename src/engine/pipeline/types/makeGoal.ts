/** From the section `[goal NAME]` to the goal of its type. */
import { isGoalType, type GoalSettingsOf, type GoalType } from '../../../config/options/options.ts';
import type { ResolvedGoal } from '../../../config/values/settings.ts';
import { command } from './command.ts';
import type { SectionGoal } from './goalContext.ts';
import { fileExists } from './fileExists.ts';
import { gemBuilt } from './gemBuilt.ts';
import { gemPushed } from './gemPushed.ts';
import { githubReleaseExists } from './githubRelease.ts';
import { gitRefPushed } from './gitRefPushed.ts';
import { gitTagExists } from './gitTagExists.ts';
import { httpOk } from './httpOk.ts';
import { npmPublished } from './npmPublished.ts';
import { projectModule } from './projectModule.ts';
import { shell } from './shell.ts';

const MAKERS: { readonly [T in GoalType]: (name: string, settings: GoalSettingsOf<T>) => SectionGoal } = {
  shell,
  command,
  file_exists: fileExists,
  git_tag_exists: gitTagExists,
  git_ref_pushed: gitRefPushed,
  github_release_exists: githubReleaseExists,
  gem_built: gemBuilt,
  gem_pushed: gemPushed,
  npm_published: npmPublished,
  http_ok: httpOk,
};

/**
 * @param project folder of durant.conf.
 * @throws {DurantError} `goal-failed` for a module that is missing, no goal, or not trusted.
 */
export async function makeGoal(
  name: string,
  settings: ResolvedGoal,
  { project, trusted }: { readonly project: string; readonly trusted: boolean },
): Promise<SectionGoal> {
  const { type } = settings;
  if (!isGoalType(type)) return projectModule(name, { path: type, project, trusted, options: settings });
  const make: (name: string, settings: never) => SectionGoal = MAKERS[type];
  // The values were parsed by the table of this very type, which is what its GoalSettingsOf says.
  return make(name, settings as never);
}
