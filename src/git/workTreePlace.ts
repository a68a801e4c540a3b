/** Where the work tree of a stage lies, and whether Durant may use that folder. */
import { lstat, mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve, isAbsolute } from 'node:path';
import { DurantError, reasonOf } from '../errors.ts';
import type { CloneRequest } from './port.ts';
import { shortHash } from './repository.ts';

export interface Place {
  /** The work tree, links resolved. */
  readonly directory: string;
  readonly gitFolder: string;
  /** A folder for scratch work trees of the same stage. */
  readonly scratch: string;
}

/** In the git folder of a work tree that Durant made. */
const MARKER = 'durant';

/**
 * Makes the folder of the work tree with the marker in its git folder, or recognises it.
 *
 * @throws {DurantError} `temp-dir-refused`.
 */
export async function workTreePlace(
  request: Pick<CloneRequest, 'directory' | 'stage' | 'tempDir' | 'cacheDir'>,
): Promise<Place> {
  const project = await realpath(request.directory).catch(() => resolve(request.directory));
  const own = request.tempDir === undefined ? undefined : tempDirectory(request.tempDir, project);
  const key = `${nameOf(project)}-${nameOf(request.stage)}-${shortHash(project, request.stage)}`;
  const wanted = own ?? join(request.cacheDir, 'work', key);
  if (own !== undefined) await refuseFile(own);
  if (own !== undefined) refuseProject(own, project);
  await mkdir(wanted, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new DurantError(
      'temp-dir-refused',
      `${wanted} cannot be made for the local clone: ${reasonOf(error)}.`,
      { remedy: 'Set `temp_dir` to a folder that your user can write.', cause: error },
    );
  });
  const directory = await realpath(wanted);
  if (own !== undefined) refuseProject(directory, project);
  const gitFolder = join(directory, '.git');
  await claim(directory, gitFolder);
  return { directory, gitFolder, scratch: join(request.cacheDir, 'scratch', key) };
}

function tempDirectory(written: string, project: string): string {
  if (written.trim() === '' || written.includes('\0'))
    throw new DurantError('temp-dir-refused', '`temp_dir` is empty.', {
      remedy: 'Name a folder, or remove the line.',
    });
  if (/^~|^\$/.test(written))
    throw new DurantError(
      'temp-dir-refused',
      `\`temp_dir\` starts with ${written.slice(0, 1)}, which could not be expanded (${written}).`,
      { remedy: 'Set that variable, or write the path out.' },
    );
  return resolve(project, written);
}

async function refuseFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory() || found.isSymbolicLink()) return;
  throw new DurantError('temp-dir-refused', `\`temp_dir\` ${path} is not a folder.`, {
    remedy: 'Name an empty or new one.',
  });
}

function refuseProject(path: string, project: string): void {
  const below = relative(path, project);
  const holds = below === '' || (!below.startsWith('..') && !isAbsolute(below));
  if (!holds) return;
  throw new DurantError(
    'temp-dir-refused',
    `\`temp_dir\` ${path} ${below === '' ? 'is the project itself' : 'holds the project'}, and the local clone is reset and cleaned.`,
    { remedy: 'Name an empty or new folder elsewhere.' },
  );
}

/** A folder with our marker is ours, an empty one becomes so. The marker is the first thing that is made. */
async function claim(directory: string, gitFolder: string): Promise<void> {
  const marker = join(gitFolder, MARKER);
  const git = await lstat(gitFolder).catch(() => undefined);
  if (git?.isDirectory() === true && (await lstat(marker).catch(() => undefined))?.isFile() === true) return;
  const names = (await readdir(directory)).filter((name) => name !== '.git');
  const halfMade = git === undefined || (git.isDirectory() && (await readdir(gitFolder)).length === 0);
  if (names.length > 0 || !halfMade)
    throw new DurantError(
      'temp-dir-refused',
      `\`temp_dir\` ${directory} is not empty and was not made by Durant, which resets and cleans its clone.`,
      { remedy: 'Name an empty or new folder, or remove what is in it.' },
    );
  await mkdir(gitFolder, { recursive: true, mode: 0o700 });
  await writeFile(marker, 'This work tree is made, reset and cleaned by Durant.\n');
}

function nameOf(text: string): string {
  return (
    basename(text)
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 30) || 'project'
  );
}
