/** What the git goals share: the repository of their working directory. */
import { realpath } from 'node:fs/promises';
import {
  hasRemote,
  openWorkingCopy,
  remoteOf,
  type GitAnswer,
  type Remote,
  type WorkingCopy,
} from '../../../git/goalRepository.ts';
import { localPath, parseRepository } from '../../../git/repository.ts';
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
  throw new GoalFailure(`${work.directory} is not in a git repository.`, { remedy: 'Correct working_dir.' });
}

/**
 * A remote of the goal's repository. The clone stands for the repository that `repository` names: where that is a folder of this machine, its
 * remotes are meant, and not the folder that the clone was made from.
 * @throws {GoalFailure} where there is no such remote.
 */
export async function remoteFor(work: GoalWork, copy: WorkingCopy, name: string): Promise<Remote> {
  const { settings, host } = work.run;
  const folder =
    work.options['working_dir'] === undefined
      ? localPath(parseRepository(settings.repository, work.project, host.env['HOME']))
      : undefined;
  const elsewhere = folder === undefined ? undefined : await remoteOf(copy, folder, name);
  if (elsewhere !== undefined) return elsewhere;
  const isProject = folder !== undefined && (await isBelow(work.project, folder));
  if (!isProject && (await hasRemote(copy, name))) return { copy, fetch: name, push: name };
  throw new GoalFailure(
    `The repository in ${isProject ? folder : work.directory} has no remote "${name}".`,
    isProject
      ? { remedy: 'Correct remote, or add it there', command: `git remote add ${name} URL` }
      : { remedy: 'Correct remote or working_dir.' },
  );
}

async function isBelow(path: string, folder: string): Promise<boolean> {
  const real = (each: string): Promise<string> => realpath(each).catch(() => each);
  return `${await real(path)}/`.startsWith(`${await real(folder)}/`);
}

/** What git answered. @throws {GoalFailure} what it said, after `doing` (a sentence without its end), before `remedy`. */
export function answered<T>(answer: GitAnswer<T>, doing: string, remedy: string): T {
  if (answer.ok) return answer.value;
  throw new GoalFailure(`${doing}; git said: ${answer.message}.`, { remedy, mayPass: answer.mayPass });
}

export function short(commit: string): string {
  return commit.slice(0, 7);
}
