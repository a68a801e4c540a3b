/** What the git goals share: the repository of their working directory. */
import { openWorkingCopy, type GitAnswer, type WorkingCopy } from '../../../git/goalRepository.ts';
import type { GoalWork } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';

/** @throws {GoalFailure} where the working directory is in no repository. */
export async function workingCopy(work: GoalWork): Promise<WorkingCopy> {
  const env = Object.entries({ ...work.run.host.env, ...work.env });
  const copy = await openWorkingCopy({
    directory: work.directory,
    repository: work.run.settings.repository,
    project: work.project,
    env: Object.fromEntries(env.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    gitPath: work.run.host.gitPath,
    signal: work.signal,
  });
  if (copy !== undefined) return copy;
  throw new GoalFailure(`${work.directory} is in no git repository. Correct working_dir.`);
}

/** What git answered. @throws {GoalFailure} what it said, after `doing` (a sentence without its end), before `remedy`. */
export function answered<T>(answer: GitAnswer<T>, doing: string, remedy: string): T {
  if (answer.ok) return answer.value;
  throw new GoalFailure(`${doing}; git said: ${answer.message}. ${remedy}`, { mayPass: answer.mayPass });
}

export function short(commit: string): string {
  return commit.slice(0, 7);
}
