/** `type: git_ref_pushed`: a remote has a branch or tag at the same commit as here. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import {
  commitOf,
  push,
  pushSource,
  remoteCommits,
  type PushSource,
  type Remote,
} from '../../../git/goalRepository.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { answered, remoteFor, short, workingCopy } from './gitWork.ts';
import { looking } from './lastLook.ts';

/** A name that no branch has, to ask whether a push would be let in. */
const PROBE = 'refs/heads/durant-may-push';

export function gitRefPushed(name: string, settings: GoalSettingsOf<'git_ref_pushed'>): SectionGoal {
  const { remote, ref } = settings;
  const look = async (
    work: GoalWork,
  ): Promise<{ to: Remote; here: PushSource | undefined; there: string | undefined }> => {
    const copy = await workingCopy(work);
    const to = await remoteFor(work, copy, remote);
    const here = await pushSource(copy, ref, [work.run.settings.remote, remote]);
    const commits = answered(
      await remoteCommits(to.copy, to.fetch, ref),
      `The remote ${remote} could not be asked`,
      'Check its address, and that your key or password for it is at hand.',
    );
    const there = here === undefined ? [...commits.values()][0] : commits.get(here.target);
    return { to, here, there };
  };
  const looks = looking(look);
  return {
    name,
    usesDirectory: true,
    network: true,
    async assess(work) {
      const { to, here, there } = await look(work);
      if (here !== undefined && here.commit === there) return;
      // What an earlier goal makes is not there yet: then the permission is asked for by another name.
      const source = here ?? { source: await commitOf(to.copy, 'HEAD'), target: PROBE };
      if (source.source === undefined) return;
      answered(
        await push(to.copy, to.push, { source: source.source, target: source.target }, 'try'),
        `${ref} cannot be pushed to ${remote}`,
        'Check that you have write access there; what the remote has is never overwritten by force.',
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
      const { to, here } = await look(work);
      if (here === undefined)
        throw new GoalFailure(`There is no branch or tag ${ref} in ${work.directory} to push.`, {
          remedy: 'Make it first, e.g. by a goal of type git_tag_exists.',
        });
      answered(
        await push(to.copy, to.push, here, 'really'),
        `${ref} could not be pushed to ${remote}`,
        'Check that you have write access there; what the remote has is never overwritten by force.',
      );
    },
  };
}
