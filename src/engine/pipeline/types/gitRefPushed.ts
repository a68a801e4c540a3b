/** `type: git_ref_pushed`: a remote has a branch or tag at the same commit as here. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import {
  commitOf,
  hasRemote,
  push,
  pushSource,
  remoteCommits,
  type PushSource,
  type WorkingCopy,
} from '../../../git/goalRepository.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { answered, short, workingCopy } from './gitWork.ts';
import { looking } from './lastLook.ts';

/** A name that no branch has, to ask whether a push would be let in. */
const PROBE = 'refs/heads/durant-may-push';

export function gitRefPushed(name: string, settings: GoalSettingsOf<'git_ref_pushed'>): SectionGoal {
  const { remote, ref } = settings;
  const look = async (
    work: GoalWork,
  ): Promise<{ copy: WorkingCopy; here: PushSource | undefined; there: string | undefined }> => {
    const copy = await workingCopy(work);
    if (!(await hasRemote(copy, remote)))
      throw new GoalFailure(
        `The repository in ${work.directory} has no remote "${remote}". Correct remote or working_dir.`,
      );
    const here = await pushSource(copy, ref, [work.run.settings.remote, remote]);
    const commits = answered(
      await remoteCommits(copy, remote, ref),
      `The remote ${remote} could not be asked`,
      'Check its address, and that your key or password for it is at hand.',
    );
    const there = here === undefined ? [...commits.values()][0] : commits.get(here.target);
    return { copy, here, there };
  };
  const looks = looking(look);
  return {
    name,
    usesDirectory: true,
    network: true,
    async assess(work) {
      const { copy, here, there } = await look(work);
      if (here !== undefined && here.commit === there) return;
      // What an earlier goal makes is not there yet: then the permission is asked for by another name.
      const source = here ?? { source: await commitOf(copy, 'HEAD'), target: PROBE };
      if (source.source === undefined) return;
      answered(
        await push(copy, remote, { source: source.source, target: source.target }, 'try'),
        `${ref} cannot be pushed to ${remote}`,
        'Check that you may write there; what the remote has is never overwritten by force.',
      );
    },
    async achieved(work) {
      const { here, there } = await looks.now(work);
      return here !== undefined && here.commit === there;
    },
    async reason(work) {
      const { here, there } = await looks.last(work);
      if (here === undefined) return `there is no branch or tag ${ref} here yet`;
      if (there === undefined) return `${remote} has no ${ref} yet`;
      return there === here.commit
        ? `${remote} has ${ref} at ${short(there)}`
        : `${remote} has ${ref} at ${short(there)}, not at ${short(here.commit)}`;
    },
    async achieve(work) {
      const { copy, here } = await look(work);
      if (here === undefined)
        throw new GoalFailure(
          `There is no branch or tag ${ref} in ${work.directory} to push. Make it first, e.g. by a goal of type git_tag_exists.`,
        );
      answered(
        await push(copy, remote, here, 'really'),
        `${ref} could not be pushed to ${remote}`,
        'Check that you may write there; what the remote has is never overwritten by force.',
      );
    },
  };
}
