/** `type: git_tag_exists`: a tag points at the deployed commit, or at another. */
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import {
  commitOf,
  createTag,
  isReferenceName,
  trySigning,
  type NewTag,
  type WorkingCopy,
} from '../../../git/goalRepository.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import { answered, short, workingCopy } from './gitWork.ts';

const SIGNING = 'Check that git can sign with your key (user.signingKey, gpg.format).';

/** Who makes a tag where git's configuration does not say. */
function taggerOf({ run }: GoalWork): NewTag['tagger'] {
  const { user, hostname } = run.host;
  return { name: user, email: `${user}@${hostname}` };
}

export function gitTagExists(name: string, settings: GoalSettingsOf<'git_tag_exists'>): SectionGoal {
  const tag = settings.name;
  const look = async (
    work: GoalWork,
  ): Promise<{ copy: WorkingCopy; has: string | undefined; wanted: string | undefined }> => {
    const copy = await workingCopy(work);
    return {
      copy,
      has: await commitOf(copy, `refs/tags/${tag}`),
      wanted: await commitOf(copy, settings.ref ?? work.commit),
    };
  };
  const pointsElsewhere = (has: string, wanted: string): string =>
    `the tag ${tag} points at ${short(has)}, not at ${short(wanted)}`;
  return {
    name,
    usesDirectory: true,
    network: false,
    async assess(work) {
      const { copy, has, wanted } = await look(work);
      if (!(await isReferenceName(copy, tag)))
        throw new GoalFailure(`"${tag}" is not a name that git takes for a tag.`, {
          remedy: 'Choose another.',
        });
      if (has !== undefined && wanted !== undefined && has !== wanted)
        throw new GoalFailure(`${pointsElsewhere(has, wanted)}, and tags are never moved.`, {
          remedy: 'Choose another name, or delete the tag.',
        });
      if (wanted === undefined && settings.ref === undefined)
        throw new GoalFailure(
          `The repository in ${work.directory} does not have the commit ${short(work.commit)}.`,
          { remedy: 'Fetch it there, or correct working_dir.' },
        );
      if (settings.signed && has === undefined)
        answered(await trySigning(copy, taggerOf(work)), `The tag ${tag} could not be signed`, SIGNING);
    },
    async achieved(work) {
      const { has, wanted } = await look(work);
      return has !== undefined && has === wanted;
    },
    async reason(work) {
      const { has, wanted } = await look(work);
      if (wanted === undefined) return `there is no ${settings.ref ?? work.commit} yet`;
      if (has === undefined) return `there is no tag ${tag} yet`;
      return has === wanted ? `the tag ${tag} points at ${short(has)}` : pointsElsewhere(has, wanted);
    },
    async achieve(work) {
      const { copy, has, wanted } = await look(work);
      if (wanted === undefined)
        throw new GoalFailure(`There is no ${settings.ref ?? work.commit} to tag.`, {
          remedy: 'Correct ref.',
        });
      if (has !== undefined)
        throw new GoalFailure(`${pointsElsewhere(has, wanted)}.`, {
          remedy: 'Choose another name, or delete the tag.',
        });
      answered(
        await createTag(copy, {
          name: tag,
          commit: wanted,
          message: settings.message ?? (settings.annotated || settings.signed ? tag : undefined),
          signed: settings.signed,
          tagger: taggerOf(work),
        }),
        `The tag ${tag} could not be made`,
        settings.signed ? SIGNING : 'Fix that.',
      );
    },
  };
}
