/** `type: github_release_exists`: a release of a tag on GitHub, with its title, text and files. */
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { reasonOf } from '../../../errors.ts';
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';
import {
  assertCanWrite,
  createRelease,
  deleteAsset,
  findRelease,
  updateRelease,
  uploadAsset,
  type GithubRelease,
  type GithubRepository,
  type ReleaseFields,
} from './githubApi.ts';
import { looking } from './lastLook.ts';

type Settings = GoalSettingsOf<'github_release_exists'>;

export function githubReleaseExists(name: string, settings: Settings): SectionGoal {
  const { tag, repository } = settings;
  const what = `the release ${tag} of ${repository}`;
  const githubOf = ({ signal }: GoalWork): GithubRepository => ({
    apiUrl: settings.api_url,
    repository,
    token: settings.token,
    signal,
  });
  /** What is still to do, in words; empty where the release is as described. */
  const lacks = async (work: GoalWork): Promise<readonly string[]> => {
    const release = await findRelease(githubOf(work), tag);
    if (release === undefined) return ['it does not exist yet'];
    const fields = changedFields(release, await wantedFields(work, settings));
    const assets = await missingAssets(work, settings, release);
    return [
      ...(fields.name === undefined ? [] : ['its title differs']),
      ...(fields.body === undefined ? [] : ['its text differs']),
      ...(fields.draft === undefined ? [] : ['it is still a draft']),
      ...assets.map((asset) => `it has no ${asset.name}`),
    ];
  };
  const looks = looking(lacks);
  return {
    name,
    usesDirectory: settings.notes_file !== undefined || settings.assets.length > 0,
    network: true,
    async assess(work) {
      if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
        throw new GoalFailure(`repository "${repository}" is not owner/name.`, { remedy: 'Correct it.' });
      if (settings.notes !== undefined && settings.notes_file !== undefined)
        throw new GoalFailure('notes and notes_file both give the text of the release.', {
          remedy: 'Remove one of them.',
        });
      await wantedFields(work, settings);
      const github = githubOf(work);
      if ((await lacks(work)).length === 0) return;
      if (settings.token === undefined)
        throw new GoalFailure(`There is no token to make ${what} with.`, {
          remedy: 'Set token, e.g. to secret!github.',
        });
      await assertCanWrite(github);
    },
    async achieved(work) {
      return (await looks.now(work)).length === 0;
    },
    async reason(work) {
      const left = await looks.last(work);
      return left.length === 0 ? `${what} is as described` : `${what}: ${left.join(', ')}`;
    },
    async achieve(work) {
      const github = githubOf(work);
      const wanted = await wantedFields(work, settings);
      const found = await findRelease(github, tag);
      // With files it is published last: nobody sees it half, and GitHub lets none be added to an immutable release.
      const hidden = settings.draft || settings.assets.length > 0;
      const release =
        found ??
        (await createRelease(github, {
          ...wanted,
          tag_name: tag,
          target_commitish: work.commit,
          draft: hidden,
        }));
      for (const asset of await missingAssets(work, settings, release)) {
        await assertIsFile(asset.file, asset.name);
        if (asset.incomplete !== undefined) await deleteAsset(github, asset.incomplete);
        work.output(`sending ${asset.name} to ${what}`);
        await uploadAsset(github, release, asset);
      }
      const fields = changedFields(release, wanted);
      if (Object.keys(fields).length > 0) await updateRelease(github, release.id, fields);
    },
  };
}

async function wantedFields(
  work: GoalWork,
  settings: Settings,
): Promise<{ readonly name?: string; readonly body?: string; readonly draft: boolean }> {
  const body = settings.notes_file === undefined ? settings.notes : await notesOf(work, settings.notes_file);
  return {
    ...(settings.name === undefined ? {} : { name: settings.name }),
    ...(body === undefined ? {} : { body }),
    draft: settings.draft,
  };
}

async function notesOf({ directory }: GoalWork, file: string): Promise<string> {
  try {
    return await readFile(resolve(directory, file), 'utf8');
  } catch (error) {
    throw new GoalFailure(`notes_file ${file} cannot be read: ${reasonOf(error)}.`, {
      remedy: 'Correct it.',
      cause: error,
    });
  }
}

/** Those fields that the release does not have as wanted. A draft may be published by hand; it is never made a draft again. */
function changedFields(
  release: GithubRelease,
  wanted: { readonly name?: string; readonly body?: string; readonly draft: boolean },
): Partial<ReleaseFields> {
  return {
    ...(wanted.name === undefined || wanted.name === release.name ? {} : { name: wanted.name }),
    ...(wanted.body === undefined || normalized(wanted.body) === normalized(release.body)
      ? {}
      : { body: wanted.body }),
    ...(release.draft && !wanted.draft ? { draft: false } : {}),
  };
}

/** GitHub keeps texts with CRLF, and without blank space at the end. */
function normalized(text: string): string {
  return text.replaceAll('\r\n', '\n').trimEnd();
}

async function missingAssets(
  { directory }: GoalWork,
  settings: Settings,
  release: GithubRelease,
): Promise<
  readonly { readonly name: string; readonly file: string; readonly incomplete: number | undefined }[]
> {
  const missing = [];
  for (const path of settings.assets) {
    const file = resolve(directory, path);
    const name = basename(path);
    // GitHub writes other characters than these as dots.
    const has = release.assets.find(
      (asset) => asset.name === name || asset.name === name.replaceAll(/[^\w.+-]+/g, '.'),
    );
    const size = (await stat(file).catch(() => undefined))?.size;
    // A file that is not here any more cannot be compared: the one that is there counts.
    if (has?.complete === true && (size === undefined || size === has.size)) continue;
    missing.push({ name, file, incomplete: has?.id });
  }
  return missing;
}

async function assertIsFile(file: string, name: string): Promise<void> {
  if ((await stat(file).catch(() => undefined))?.isFile() === true) return;
  throw new GoalFailure(`The file to attach, ${name}, is not at ${file}.`, {
    remedy: 'Make it first, or correct assets.',
  });
}
