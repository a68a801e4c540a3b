/** `type: file_exists`: a file of this machine with these contents. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { reasonOf } from '../../../errors.ts';
import type { GoalSettingsOf } from '../../../config/options/options.ts';
import type { GoalWork, SectionGoal } from './goalContext.ts';
import { GoalFailure } from './goalFailure.ts';

export function fileExists(name: string, settings: GoalSettingsOf<'file_exists'>): SectionGoal {
  const fileOf = ({ directory }: GoalWork): string => resolve(directory, settings.filename);
  /** Undefined where it has the contents, else why not. */
  const lacks = async (work: GoalWork): Promise<string | undefined> => {
    const found = await contentsOf(fileOf(work));
    if (found === undefined) return `${settings.filename} does not exist`;
    const wanted = settings.contents;
    // Editors and `echo` end a file with a newline; a value of durant.conf cannot.
    if (wanted === undefined || found === wanted || found === `${wanted}\n`) return undefined;
    return `${settings.filename} has different contents`;
  };
  return {
    name,
    usesDirectory: true,
    network: false,
    async assess(work) {
      await assertCanWrite(fileOf(work), settings.filename);
    },
    async achieved(work) {
      return (await lacks(work)) === undefined;
    },
    async reason(work) {
      return (await lacks(work)) ?? `${settings.filename} has these contents`;
    },
    async achieve(work) {
      const file = fileOf(work);
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, settings.contents ?? '');
      } catch (error) {
        throw new GoalFailure(`${settings.filename} could not be written: ${said(error)}.`, {
          remedy: 'Make its folder writable.',
          cause: error,
        });
      }
    },
  };
}

async function contentsOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new GoalFailure(`${file} cannot be read: ${said(error)}.`, {
      remedy: 'Make it readable.',
      cause: error,
    });
  }
}

/** The nearest folder above that exists has to be one, and the file itself must not. */
async function assertCanWrite(file: string, shown: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true)
    throw new GoalFailure(`${shown} is a folder.`, { remedy: 'Name a file, or move the folder away.' });
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const above = await stat(folder).catch(() => undefined);
    if (above?.isDirectory() === true) return;
    if (above !== undefined)
      throw new GoalFailure(`${shown} cannot be made: ${folder} is not a folder.`, {
        remedy: 'Move it away.',
      });
    if (dirname(folder) === folder) return;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function said(error: unknown): string {
  return reasonOf(error);
}
