/** Git LFS: content is pulled by its filters where git-lfs is installed; pointers that stay are found, so that they can be warned of. */
import { open, readFile, rm } from 'node:fs/promises';
import { findProgram, gitText, type GitContext } from './gitProcess.ts';
import type { TrackedFile } from './port.ts';

/** What a checkout does about Git LFS. */
export interface Lfs {
  readonly installed: boolean;
  /** For `-c`: the filters that `git lfs install` would write, or none that a missing program would break. */
  readonly config: readonly string[];
}

/** Looks for git-lfs on the PATH. */
export async function findLfs(env: Readonly<Record<string, string>>): Promise<Lfs> {
  const installed = (await findProgram('git-lfs', env)) !== undefined;
  return { installed, config: installed ? FILTERS : NO_FILTERS };
}

const FILTERS = [
  'filter.lfs.clean=git-lfs clean -- %f',
  'filter.lfs.smudge=git-lfs smudge -- %f',
  'filter.lfs.process=git-lfs filter-process',
  'filter.lfs.required=true',
];
const NO_FILTERS = [
  'filter.lfs.clean=',
  'filter.lfs.smudge=',
  'filter.lfs.process=',
  'filter.lfs.required=false',
];

/** As if it were not there. */
export const NO_LFS: Lfs = { installed: false, config: NO_FILTERS };

/** Replaces pointers that were checked out while git-lfs was not there, which git takes for up to date. */
export async function pullPointers(
  context: GitContext,
  directory: string,
  pointers: readonly string[],
  globalArgs: readonly string[],
): Promise<void> {
  await Promise.all(pointers.map(async (path) => await rm(bytePath(directory, path), { force: true })));
  await gitText(context, {
    directory,
    args: [...globalArgs, 'reset', '--hard', '--'],
    config: FILTERS,
    reach: 'remote',
  });
}

const POINTER = Buffer.from('version https://git-lfs.github.com/spec/v1\n');

/** Files of one repository that git-lfs should have replaced and that are pointers still. */
export async function pointersLeft(
  context: GitContext,
  directory: string,
  files: readonly TrackedFile[],
  globalArgs: readonly string[],
): Promise<readonly string[]> {
  const attributes = files.filter(
    (file) => /(^|\/)\.gitattributes$/.test(file.path) && file.mode !== '120000',
  );
  const texts = await Promise.all(
    attributes.map(async (file) => await readFile(bytePath(directory, file.path), 'latin1').catch(() => '')),
  );
  if (!texts.some((text) => text.includes('filter=lfs'))) return [];
  const regular = files.filter((file) => file.mode !== '120000').map((file) => file.path);
  const answer = await gitText(
    context,
    {
      directory,
      args: [...globalArgs, 'check-attr', '-z', '--stdin', 'filter'],
      input: Buffer.from(regular.map((path) => `${path}\0`).join(''), 'latin1'),
    },
    'latin1',
  );
  const fields = answer.split('\0');
  const candidates = fields.filter((_path, index) => index % 3 === 0 && fields[index + 2] === 'lfs');
  const pointers: string[] = [];
  for (const path of candidates) if (await isPointer(bytePath(directory, path))) pointers.push(path);
  return pointers;
}

async function isPointer(path: Buffer): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const start = Buffer.alloc(POINTER.length);
    await file.read(start, 0, start.length, 0);
    return start.equals(POINTER);
  } finally {
    await file.close();
  }
}

function bytePath(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}
